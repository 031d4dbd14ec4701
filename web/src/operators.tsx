// Everybody who takes calls: state, since when, and on what.
import { duration, initials } from "./format";
import { Icon, type IconName } from "./icons";
import { farNumber } from "./model";
import { clock, loaded, model, operators, search, tv } from "./state";
import { Since, Until } from "./time";
import type { Operator, OperatorState } from "./wire";

export const stateIcon: Record<OperatorState, IconName> = {
  available: "check",
  ringing: "bell",
  "on call": "phone",
  "wrap-up": "clock",
  "no device": "plug",
  "do not disturb": "bar",
  "off duty": "moon",
};

const order: readonly OperatorState[] = [
  "available", "ringing", "on call", "wrap-up", "no device", "do not disturb", "off duty",
];

export function Operators() {
  const list = operators.value;
  const on = list.filter((o) => o.state !== "off duty");
  const off = list.filter((o) => o.state === "off duty");
  return (
    <section aria-labelledby="operators-title">
      <div class="section-head">
        <h2 id="operators-title">Operators</h2>
        <ul class="counts">
          {order.map((state) => {
            const n = list.filter((o) => o.state === state).length;
            return n > 0 && (
              <li key={state} class={`state-${state.replaceAll(" ", "-")}`}>
                <i class="state-dot" /> <span class="num">{n}</span> {state}
              </li>
            );
          })}
        </ul>
      </div>
      {loaded.value && list.length === 0 && (
        <p class="empty">{search.value === "" ? "No operators here yet." : "No operator matches the search."}</p>
      )}
      <ul class="people">{on.map((o) => <Person key={o.id} o={o} />)}</ul>
      {off.length > 0 && <ul class="people off">{off.map((o) => <Person key={o.id} o={o} />)}</ul>}
    </section>
  );
}

function Person({ o }: { o: Operator }) {
  const missed = o.missed ?? 0;
  const pick = () => {
    search.value = search.value === o.name ? "" : o.name;
  };
  return (
    <li>
      <button type="button" class={`person state-${o.state.replaceAll(" ", "-")}`} data-tile data-operator={o.id}
        onClick={pick} disabled={tv.value}>
        <span class="avatar" aria-hidden="true">{initials(o.name)}</span>
        <span class="who">
          <span class="person-name">{o.name}</span>
          <span class="person-state"><Icon name={stateIcon[o.state] ?? "dot"} />{o.state}
            {missed > 0 && <span class="pill tone-warn">{missed} missed</span>}
          </span>
        </span>
        <span class="person-time">
          <Since at={o.since} />
          {o.state === "wrap-up" && o.until !== undefined && <small><Until at={o.until} /> left</small>}
        </span>
        <Detail o={o} />
        {o.state === "wrap-up" && <WrapUp o={o} />}
      </button>
    </li>
  );
}

function Detail({ o }: { o: Operator }) {
  const { calls, centers } = model.value;
  const call = calls.get(o.call ?? "");
  const parts: string[] = [];
  if (call !== undefined) {
    const where = centers.get(call.center ?? "")?.name ?? "";
    parts.push(tv.value ? where : [farNumber(call) || "Number withheld", where].filter(Boolean).join(" · "));
  }
  if (o.reason !== undefined && o.reason !== "") parts.push(o.reason);
  if (o.state === "wrap-up" && (o.extend_ms ?? 0) > 0) parts.push(`may add ${duration(o.extend_ms ?? 0)}`);
  if (o.off_after === true) parts.push("off duty after this");
  return parts.length === 0 ? null : <span class="person-detail">{parts.join(" · ")}</span>;
}

/** How much of the wrap-up is left, as a bar. */
function WrapUp({ o }: { o: Operator }) {
  const { since = 0, until = 0 } = o;
  if (until <= since) return null;
  const left = Math.min(1, Math.max(0, (until - clock.value) / (until - since)));
  return <span class="wrap-bar" aria-hidden="true"><i style={{ width: `${(left * 100).toFixed(1)}%` }} /></span>;
}
