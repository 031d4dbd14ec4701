// Times that count by themselves: only the text that changes is drawn again.
import { duration } from "./format";
import type { Tone } from "./model";
import { clock } from "./state";

/** The time since an instant, counting up. */
export function Since({ at }: { at: number | undefined }) {
  return <span class="num">{at === undefined || at === 0 ? "–" : duration(clock.value - at)}</span>;
}

/** The time until an instant, counting down to zero. */
export function Until({ at }: { at: number }) {
  return <span class="num">{duration(at - clock.value)}</span>;
}

/** The time since an instant with the tone that its length deserves. */
export function Waited({ at, tone }: { at: number; tone: (ms: number) => Tone }) {
  const ms = clock.value - at;
  return <span class={`num tone-${tone(ms)}`}>{duration(ms)}</span>;
}
