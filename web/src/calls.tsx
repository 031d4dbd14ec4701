// The calls that are here now, each with its path and the reason of every step, and those that just ended.
import { callStateName, clockTime, plural } from "./format";
import { Icon, type IconName } from "./icons";
import { ending, farNumber, isWaiting, newestLine, waitTone, type Tone } from "./model";
import { calls, ended, loaded, model, search, SHOWN_CALLS, SHOWN_ON_TV, tv } from "./state";
import { Since, Waited } from "./time";
import type { Call, Ended, Step } from "./wire";

const stateIcon: Record<string, IconName> = {
  arrived: "dot",
  offering: "bell",
  queued: "clock",
  connected: "phone",
  prompt: "speak",
  voicemail: "tape",
  menu: "steps",
  directory: "search",
  extension: "keys",
  router: "away",
  person: "person",
  forwarding: "away",
  forwarded: "away",
  callback: "back",
  dialling: "phone",
  connecting: "phone",
};

export function Calls() {
  const all = calls.value;
  const most = tv.value ? SHOWN_ON_TV : SHOWN_CALLS;
  const shown = all.length > most ? all.slice(0, most) : all;
  return (
    <section aria-labelledby="calls-title">
      <div class="section-head">
        <h2 id="calls-title">Live calls</h2>
        <span class="soft num">
          {shown.length < all.length ? `${shown.length} of ${plural(all.length, "call", "calls")} shown`
            : plural(all.length, "call", "calls")}
        </span>
      </div>
      {loaded.value && all.length === 0 && (
        <p class="empty">{search.value === "" ? "No calls right now." : "No call matches the search."}</p>
      )}
      <ul class="calls">{shown.map((c) => <Row key={c.id} c={c} />)}</ul>
      {shown.length < all.length && !tv.value && (
        <p class="empty">{plural(all.length - shown.length, "more call is", "more calls are")} not drawn. Search, or
          choose a call center, to see fewer.</p>
      )}
    </section>
  );
}

function caller(c: { from?: string; to?: string; direction?: string }): string {
  if (tv.value) return "Caller";
  return farNumber(c) || "Number withheld";
}

function Recording({ c }: { c: Call }) {
  if (c.recording === undefined) return null;
  const on = c.recording === "on";
  return (
    <span class={`pill badge tone-${on ? "bad" : "warn"}`} data-recording={c.recording}>
      {on ? <i class="state-dot" aria-hidden="true" /> : <Icon name="pause" />}{on ? "recording" : "recording paused"}
    </span>
  );
}

function Row({ c }: { c: Call }) {
  const head = <Head c={c} last={tv.value ? undefined : newestLine(c)} />;
  return (
    <li class={`call call-${c.state}`} data-call={c.id}>
      {tv.value || c.path.length === 0 ? <div class="call-head">{head}</div> : (
        <details>
          <summary class="call-head" data-tile>{head}</summary>
          <Path c={c} />
        </details>
      )}
    </li>
  );
}

function Head({ c, last }: { c: Call; last: string | undefined }) {
  const { centers, operators } = model.value;
  const where = centers.get(c.center ?? "");
  const who = operators.get(c.operator ?? "")?.name;
  const waiting = isWaiting(c);
  return (
    <>
      <span class="call-state"><Icon name={stateIcon[c.state] ?? "dot"} />{callStateName(c.state)}</span>
      <span class="call-from">
        <span class="num">{caller(c)}</span>
        <span class="soft"> {where?.name ?? "no call center"}</span>
      </span>
      <span class="call-place">
        <Recording c={c} />
        {c.callback === true && c.state !== "callback" && <span class="pill tone-none">callback</span>}
        {c.position !== undefined && <span class="pill tone-none">number {c.position}</span>}
        {who !== undefined && <span class="call-operator">{waiting || c.state === "person" ? "ringing " : "with "}{who}</span>}
      </span>
      <span class="call-time">
        {waiting && c.entered !== undefined
          ? <Waited at={c.entered} tone={(ms) => (c.state === "callback" ? "none" : waitTone(ms, where))} />
          : <Since at={c.since ?? c.arrived} />}
      </span>
      {last !== undefined && <span class="call-last">{last}</span>}
    </>
  );
}

function Path({ c }: { c: { path: Step[] } }) {
  return (
    <ol class="path">
      {c.path.map((step, i) => (
        <li key={i}>
          <span class="num soft">{clockTime(step.at)}</span>
          <span>{step.text}</span>
          <code>{step.rule}</code>
        </li>
      ))}
    </ol>
  );
}

const toneIcon: Record<Tone, IconName> = { good: "check", warn: "tape", bad: "down", none: "dash" };

export function Recent() {
  const list = ended.value;
  if (list.length === 0 || tv.value) return null;
  return (
    <section aria-labelledby="ended-title">
      <div class="section-head">
        <h2 id="ended-title">Just ended</h2>
        <span class="soft">last {list.length}, newest first</span>
      </div>
      <ul class="calls ended">{list.map((e) => <Over key={e.id} e={e} />)}</ul>
    </section>
  );
}

function Over({ e }: { e: Ended }) {
  const { tone, word } = ending(e);
  const { centers } = model.value;
  return (
    <li class="call">
      <details>
        <summary class="call-head" data-tile>
          <span class={`call-state tone-${tone}`}><Icon name={toneIcon[tone]} />{word}</span>
          <span class="call-from">
            <span class="num">{caller(e)}</span>
            <span class="soft"> {centers.get(e.center ?? "")?.name ?? "no call center"}</span>
          </span>
          <span class="call-last">{newestLine(e)}</span>
          <span class="call-time num soft">{clockTime(e.at)}</span>
        </summary>
        <Path c={e} />
      </details>
    </li>
  );
}
