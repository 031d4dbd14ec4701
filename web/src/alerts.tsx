// Service level alerts: the banner, and the chime while one lasts.
import { effect, signal } from "@preact/signals";
import { clockTime } from "./format";
import { Icon } from "./icons";
import { chime, type Chimed } from "./model";
import { alarms, clock, link, muted, over } from "./state";
import { Since } from "./time";

export function Alerts() {
  return (
    <>
      {alarms.value.map((a) => (
        <div key={a.center} class="banner alarm tone-bad" data-alert={a.center}>
          <Icon name="bell" />
          <span role="alert"><b>Alert.</b> {a.text}.</span>
          <span class="num soft">Since {clockTime(a.since)}, <Since at={a.since} /></span>
        </div>
      ))}
      {alarms.value.length > 0 && silent.value && !muted.value && (
        <p class="banner tone-info">This browser plays no sound before you click or press a key here.</p>
      )}
      {over.value.map((n) => (
        <div key={`${n.at}${n.text}`} class="banner tone-good" data-cleared>
          <Icon name="check" />
          <span role="status"><b>Alert over.</b> {n.text}.</span>
          <span class="num soft">{clockTime(n.at)}</span>
        </div>
      ))}
    </>
  );
}

/** Whether the browser refuses to sound before somebody touches the page. */
const silent = signal(false);
let audio: AudioContext | undefined;
let chimed: Chimed = { keys: new Set(), at: 0 };

/** Chimes when an alert is raised, and each minute while one lasts. */
export function listenForAlarms(): void {
  effect(() => {
    const now = clock.value; // it ticks while the page is connected
    if (link.value !== "live") return;
    const next = chime(alarms.value, chimed, now);
    chimed = next.chimed;
    if (next.due && !muted.value) sound();
  });
  const touched = () => {
    if (audio !== undefined && audio.state === "suspended") void audio.resume().then(heard, () => undefined);
  };
  addEventListener("pointerdown", touched);
  addEventListener("keydown", touched);
}

function heard(): void {
  silent.value = audio?.state === "suspended";
}

const NOTES = [659.3, 523.3] as const; // Hz: a third down, as doors do
const NOTE_S = 0.45;
const LOUD = 0.08;

function sound(): void {
  audio ??= new AudioContext();
  const context = audio;
  NOTES.forEach((pitch, i) => {
    const start = context.currentTime + i * 0.28;
    const tone = new OscillatorNode(context, { frequency: pitch });
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(LOUD, start + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0005, start + NOTE_S);
    tone.connect(gain).connect(context.destination);
    tone.start(start);
    tone.stop(start + NOTE_S);
  });
  void context.resume().then(heard, () => undefined);
  heard();
}
