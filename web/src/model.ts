// What the page knows, and how updates change it. Pure: no clock, no document.
import type { Call, Center, Ended, Notice, Operator, Step, Tapes, Update } from "./wire";

/** How many ended calls the page remembers. */
export const KEPT_ENDED = 20;
/** How many notices the page remembers. */
export const KEPT_NOTICES = 5;
/** How long a cleared alert stays on the page. */
export const CLEARED_MS = 120_000;
/** How often the chime comes again while an alert lasts. */
export const CHIME_AGAIN_MS = 60_000;

export interface Model {
  seq: number;
  centers: ReadonlyMap<string, Center>;
  operators: ReadonlyMap<string, Operator>;
  calls: ReadonlyMap<string, Call>;
  ended: readonly Ended[]; // newest first
  notices: readonly Notice[]; // newest first
}

export interface Message {
  reset: boolean;
  update: Update;
}

export const empty: Model = {
  seq: 0,
  centers: new Map(),
  operators: new Map(),
  calls: new Map(),
  ended: [],
  notices: [],
};

/** Applies messages in order. What did not change keeps its identity, so that its row is not drawn again. */
export function apply(model: Model, messages: readonly Message[]): Model {
  let next = model;
  for (const { reset, update } of messages) {
    if (reset) {
      next = replaced(update);
    } else if (update.seq > next.seq) {
      next = changed(next, update);
    }
  }
  return next;
}

function replaced(u: Update): Model {
  return {
    seq: u.seq,
    centers: byId(u.centers),
    operators: byId(u.operators),
    calls: byId(u.calls),
    ended: latest(u.ended ?? [], []),
    notices: newest(u.notices ?? [], []),
  };
}

function changed(model: Model, u: Update): Model {
  const over = u.ended ?? [];
  const alive = new Set((u.calls ?? []).map((c) => c.id)); // a caller may leave one call center for another
  return {
    seq: u.seq,
    centers: merged(model.centers, u.centers, u.deleted_centers),
    operators: merged(model.operators, u.operators, u.deleted_operators),
    calls: merged(
      model.calls,
      u.calls,
      over.map((e) => e.visit ?? e.id).filter((id) => !alive.has(id)),
    ),
    ended: latest(over, model.ended),
    notices: newest(u.notices ?? [], model.notices),
  };
}

function byId<T extends { id: string }>(list: readonly T[] = []): ReadonlyMap<string, T> {
  return new Map(list.map((item) => [item.id, item]));
}

function merged<T extends { id: string }>(
  old: ReadonlyMap<string, T>,
  put: readonly T[] = [],
  gone: readonly string[] = [],
): ReadonlyMap<string, T> {
  if (put.length === 0 && gone.length === 0) return old;
  const next = new Map(old);
  for (const item of put) next.set(item.id, item);
  for (const id of gone) next.delete(id);
  return next;
}

function latest(add: readonly Ended[], old: readonly Ended[]): readonly Ended[] {
  return add.length === 0 ? old : [...[...add].reverse(), ...old].slice(0, KEPT_ENDED);
}

function newest(add: readonly Notice[], old: readonly Notice[]): readonly Notice[] {
  return add.length === 0 ? old : [...[...add].reverse(), ...old].slice(0, KEPT_NOTICES);
}

export type Tone = "good" | "warn" | "bad" | "none";

/** Service level against the goal, as a colour, a word and a sentence. Within 5 points below counts as close. */
export function serviceLevel(c: Center): { tone: Tone; word: string; goal: string } {
  const goal = c.goal_percent > 0 ? `goal ${c.goal_percent} % in ${c.goal_seconds} s` : "no goal set";
  if (c.service_level === null) return { tone: "none", word: "no data", goal };
  if (c.goal_percent <= 0) return { tone: "none", word: "no goal", goal };
  if (c.service_level >= c.goal_percent) return { tone: "good", word: "on goal", goal };
  if (c.service_level >= c.goal_percent - 5) return { tone: "warn", word: "just below goal", goal };
  return { tone: "bad", word: "below goal", goal };
}

/** How urgent a wait is against the center's goal: warn from half of it, bad past it. */
export function waitTone(ms: number, center: Center | undefined): Tone {
  if (center === undefined || center.goal_percent <= 0 || center.goal_seconds <= 0) return "none";
  const goal = center.goal_seconds * 1000;
  return ms > goal ? "bad" : ms > goal / 2 ? "warn" : "none";
}

export function isOpen(c: Center): boolean {
  return c.availability === "open" || c.availability === "holiday_open";
}

/** Whether a call stands in a line: a caller, or the place that a callback keeps. */
export function isWaiting(c: Call): boolean {
  return c.state === "offering" || c.state === "queued" || c.state === "callback";
}

/** The number at the other end: who calls us, or whom we call. */
export function farNumber(c: { from?: string; to?: string; direction?: string }): string | undefined {
  return c.direction === "outbound" ? c.to : c.from;
}

/** Calls in the order of a supervisor's worry: those who wait, longest first; the rest; talking ones, newest first. */
export function inOrder(calls: Iterable<Call>): Call[] {
  const rank = (c: Call) => (isWaiting(c) ? 0 : c.state === "connected" ? 2 : 1);
  return [...calls].sort((a, b) => {
    const by = rank(a) - rank(b);
    if (by !== 0) return by;
    if (rank(a) === 2) return (b.since ?? 0) - (a.since ?? 0) || compare(a.id, b.id);
    return (a.entered ?? a.arrived ?? 0) - (b.entered ?? b.arrived ?? 0) || compare(a.id, b.id);
  });
}

export function byName<T extends { id: string; name: string }>(items: Iterable<T>): T[] {
  return [...items].sort((a, b) => a.name.localeCompare(b.name, "en") || compare(a.id, b.id));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** How a call ended, in a word and a tone. */
export function ending(e: Ended): { tone: Tone; word: string } {
  if (e.callback === true) {
    return e.outcome === "answered" ? { tone: "good", word: "Called back" } : { tone: "bad", word: "Not reached" };
  }
  switch (e.outcome) {
    case "answered":
      return { tone: "good", word: "Answered" };
    case "voicemail":
      return { tone: "warn", word: "Voicemail" };
    case "abandoned":
      return { tone: "bad", word: "Hung up" };
    case "short_abandoned":
      return { tone: "none", word: "Hung up soon" };
    case "message":
      return { tone: "none", word: "Told" };
    case "forwarded":
      return { tone: "none", word: "Forwarded" };
    case "callback_requested":
      return { tone: "none", word: "Callback" };
    case "rejected":
      return { tone: "bad", word: "Refused" };
    case "failed":
      return { tone: "bad", word: "Failed" };
  }
}

/** The newest line of a call's path; an answer is told together with why that operator rang. */
export function newestLine(c: { path: Step[] }): string | undefined {
  const [before, last] = [c.path[c.path.length - 2], c.path[c.path.length - 1]];
  return last?.rule === "answered" && before !== undefined ? `${before.text}. ${last.text}.` : last?.text;
}

/** Whether every word of a search is somewhere in the texts of a thing. */
export function matches(query: string, ...texts: (string | undefined)[]): boolean {
  const hay = texts.join(" ").toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
}

/** An alert that lasts. */
export interface Alarm {
  center: string;
  since: number;
  text: string;
}

/** The alerts that last, oldest first. */
export function alarmsOf(centers: Iterable<Center>): Alarm[] {
  const list: Alarm[] = [];
  for (const { id, alert } of centers) {
    if (alert !== undefined) list.push({ center: id, ...alert });
  }
  return list.sort((a, b) => a.since - b.since || compare(a.center, b.center));
}

/** What was chimed for, and when last. */
export interface Chimed {
  keys: ReadonlySet<string>;
  at: number;
}

/** Whether it is time for a chime: an alert is new, or lasts and the last chime is a while ago. */
export function chime(alarms: readonly Alarm[], before: Chimed, now: number): { due: boolean; chimed: Chimed } {
  const keys = new Set(alarms.map((a) => `${a.center} ${a.since}`));
  const fresh = [...keys].some((key) => !before.keys.has(key));
  const due = fresh || (keys.size > 0 && now - before.at >= CHIME_AGAIN_MS);
  return { due, chimed: { keys, at: due ? now : before.at } };
}

/** Notices without those that tell of alerts, which have a place of their own. */
export function plainNotices(list: readonly Notice[]): Notice[] {
  return list.filter((n) => n.alert === undefined);
}

/** The alerts that were cleared a moment ago, newest first. */
export function cleared(list: readonly Notice[], now: number): Notice[] {
  return list.filter((n) => n.alert === "cleared" && now - n.at < CLEARED_MS);
}

/** Puts the newest page in front of those that are known. With a gap between them the older ones are given up. */
export function mergePages(known: Tapes | undefined, fresh: Tapes): Tapes {
  const ids = new Set(fresh.items.map((t) => t.id));
  if (known === undefined || !known.items.some((t) => ids.has(t.id))) return fresh;
  const last = known.items.findLastIndex((t) => ids.has(t.id));
  const older = known.items.slice(last + 1);
  return older.length === 0 ? fresh : { you: fresh.you, items: [...fresh.items, ...older], next: known.next };
}
