// The page's state as signals: the model that the stream feeds, and what the person at the page chose.
import { batch, computed, signal } from "@preact/signals";
import {
  alarmsOf, apply, byName, cleared, empty, farNumber, inOrder, matches, plainNotices, type Message,
} from "./model";
import type { Call, Notice, Operator } from "./wire";

/** How many calls are drawn at most; the list says how many there are. */
export const SHOWN_CALLS = 200;
/** The same across the room, where nobody scrolls. */
export const SHOWN_ON_TV = 10;
/** Waiting callers are sampled every 5 s for the last 10 minutes. */
export const TREND_EVERY_MS = 5000;
export const TREND_SAMPLES = 120;

export const model = signal(empty);
export const loaded = signal(false);
export const link = signal<"connecting" | "live" | "down">("connecting");
/** Age of the data while the stream is down, in whole seconds. */
export const age = signal(0);
/** The server's clock, ticking each second; it stands still while the stream is down, since the data do. */
export const clock = signal(Date.now());
export const trend = signal<ReadonlyMap<string, readonly number[]>>(new Map());

export const search = signal("");
export const center = signal(""); // only this call center; "": all
export const tv = signal(location.hash === "#tv");
export const local = signal<readonly Notice[]>([]); // what the page itself has to say
export const dismissed = signal(0); // notices up to this time were put away

export const centers = computed(() => byName(model.value.centers.values()));

/** The chosen center, as long as it exists. */
export const chosen = computed(() => model.value.centers.get(center.value));

export const operators = computed(() => {
  const { value: only } = chosen;
  const shown = [...model.value.operators.values()].filter(
    (o) => (only === undefined || o.centers.includes(only.id)) && matches(search.value, o.name, o.state, o.reason),
  );
  return byName(shown);
});

export const calls = computed(() => {
  const { value: only } = chosen;
  const shown = [...model.value.calls.values()].filter((c) => {
    if (only !== undefined && c.center !== only.id) return false;
    return search.value === "" || matches(search.value, tv.value ? "" : farNumber(c), ...namesOf(c));
  });
  return inOrder(shown);
});

export const ended = computed(() =>
  model.value.ended.filter((e) => chosen.value === undefined || e.center === chosen.value.id),
);

export const totals = computed(() => {
  const { calls, operators, centers } = model.value;
  let talking = 0;
  for (const call of calls.values()) {
    if (call.state === "connected") talking++;
  }
  let waiting = 0; // in the lines, as the cards count: who rings at once on arrival is in none
  let callbacks = 0; // of those
  let oldest = 0;
  for (const { oldest_entry: entry = 0, waiting: inLine, callbacks: places = 0 } of centers.values()) {
    waiting += inLine;
    callbacks += places;
    if (entry > 0 && (oldest === 0 || entry < oldest)) oldest = entry;
  }
  const count = (state: Operator["state"]) => [...operators.values()].filter((o) => o.state === state).length;
  const onDuty = operators.size - count("off duty");
  return { waiting, callbacks, talking, oldest, onDuty, available: count("available") };
});

export const notices = computed(() =>
  plainNotices([...local.value, ...model.value.notices])
    .filter((n) => n.at > dismissed.value)
    .sort((a, b) => b.at - a.at),
);

/** The service level alerts that last. */
export const alarms = computed(() => alarmsOf(model.value.centers.values()));

/** Alerts that were cleared a moment ago. */
export const over = computed(() => cleared(model.value.notices, clock.value));

function namesOf(c: Call): (string | undefined)[] {
  const { centers, operators } = model.peek();
  return [centers.get(c.center ?? "")?.name, operators.get(c.operator ?? "")?.name, c.state];
}

/** Takes what the stream brought since the last frame. */
export function take(messages: readonly Message[]): void {
  batch(() => {
    model.value = apply(model.value, messages);
    loaded.value = true;
  });
}

const MUTED = "muted"; // the key in the browser's memory

/** Whether alerts come without a sound, in this browser. */
export const muted = signal(remembered());

function remembered(): boolean {
  try {
    return localStorage.getItem(MUTED) === "yes";
  } catch {
    return false; // a browser may keep nothing
  }
}

export function setMuted(on: boolean): void {
  muted.value = on;
  try {
    localStorage.setItem(MUTED, on ? "yes" : "no");
  } catch {
    // it holds for as long as the page is open
  }
}

/** Puts away the notices that are shown. */
export function dismiss(): void {
  dismissed.value = Math.max(0, ...notices.value.map((n) => n.at));
}

export function choose(id: string): void {
  center.value = center.value === id ? "" : id;
}

export function setTV(on: boolean): void {
  tv.value = on;
  if (on) search.value = "";
  history.replaceState(null, "", on ? "#tv" : location.pathname);
}

export function sampleTrend(): void {
  if (link.value !== "live" || !loaded.value) return;
  const next = new Map<string, readonly number[]>();
  for (const { id, waiting } of model.value.centers.values()) {
    next.set(id, [...(trend.value.get(id) ?? []), waiting].slice(-TREND_SAMPLES));
  }
  trend.value = next;
}
