import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, initials, percent } from "./format";
import {
  alarmsOf, apply, byName, CHIME_AGAIN_MS, chime, cleared, CLEARED_MS, empty, ending, farNumber, inOrder, isOpen,
  KEPT_ENDED, KEPT_NOTICES, matches, mergePages, newestLine, plainNotices, serviceLevel, waitTone, type Chimed,
} from "./model";
import type { Call, Center, Ended, Operator, Tape, Tapes, Update } from "./wire";

const center = (over: Partial<Center> = {}): Center => ({
  id: "1", name: "Support", availability: "open", strategy: "longestidle", waiting: 0, on_duty: 1, capacity: 1,
  goal_percent: 80, goal_seconds: 20, service_level: null, outcomes: {}, max_hold_count: 50, longest_wait_ms: 0,
  answered_in_target: 0, ...over,
});
const operator = (id: string): Operator => ({ id, name: "Ada", state: "available", centers: ["1"] });
const call = (id: string, over: Partial<Call> = {}): Call => ({ id, state: "queued", path: [], ...over });
const over = (id: string): Ended => ({ id, at: 200, outcome: "answered", wait_ms: 0, path: [] });
const reset = (update: Update) => ({ reset: true, update });
const update = (update: Update) => ({ reset: false, update });

const first = apply(empty, [reset({
  seq: 5, at: 100, centers: [center()], operators: [operator("7")], calls: [call("a"), call("b")],
})]);

test("a reset replaces all that was known", () => {
  const ended = apply(first, [update({ seq: 6, at: 200, ended: [over("a")] })]);
  const again = apply(ended, [reset({ seq: 3, at: 300, calls: [call("c")], ended: [over("x"), over("y")] })]);
  assert.deepEqual([...again.calls.keys()], ["c"]);
  assert.equal(again.centers.size, 0);
  assert.equal(again.operators.size, 0);
  assert.equal(again.seq, 3);
  assert.deepEqual(again.ended.map((e) => e.id), ["y", "x"]);
});

test("an update changes what it names and keeps the identity of the rest", () => {
  const next = apply(first, [update({ seq: 6, at: 200, calls: [call("b", { state: "connected" })] })]);
  assert.equal(next.calls.get("b")?.state, "connected");
  assert.equal(next.calls.get("a"), first.calls.get("a"));
  assert.equal(next.centers, first.centers);
  assert.equal(next.operators, first.operators);
  assert.equal(first.calls.get("b")?.state, "queued");
});

test("an update that is already known is passed over", () => {
  assert.equal(apply(first, [update({ seq: 5, at: 200, ended: [over("a"), over("b")] })]), first);
});

test("a call that ends leaves the list and is remembered with its outcome, seen before or not", () => {
  const next = apply(first, [update({ seq: 6, at: 200, ended: [over("a"), over("x")] })]);
  assert.deepEqual([...next.calls.keys()], ["b"]);
  assert.deepEqual(next.ended, [over("x"), over("a")]);
});

test("a caller who leaves one call center for another stays in the list until the visit ends", () => {
  const leg = { ...over("leg1"), visit: "a" };
  const moved = apply(first, [update({ seq: 6, at: 200, calls: [call("a", { center: "2" })], ended: [leg] })]);
  assert.equal(moved.calls.get("a")?.center, "2");
  assert.deepEqual(moved.ended, [leg]);
  const gone = apply(moved, [update({ seq: 7, at: 300, ended: [{ ...over("leg2"), visit: "a" }] })]);
  assert.deepEqual([...gone.calls.keys()], ["b"]);
});

test("deleted centers and operators go", () => {
  const next = apply(first, [update({ seq: 6, at: 1, deleted_centers: ["1"], deleted_operators: ["7"] })]);
  assert.equal(next.centers.size + next.operators.size, 0);
});

test("ended calls and notices are bounded, newest first", () => {
  let model = first;
  for (let i = 0; i < KEPT_ENDED + 1; i++) {
    const id = `n${i}`;
    model = apply(model, [update({
      seq: 10 + i, at: i, calls: [call(id)], ended: [over(id)], notices: [{ at: i, level: "info", text: id }],
    })]);
  }
  assert.equal(model.ended.length, KEPT_ENDED);
  assert.equal(model.ended[0]?.id, `n${KEPT_ENDED}`);
  assert.equal(model.notices.length, KEPT_NOTICES);
  assert.equal(model.notices[0]?.text, `n${KEPT_ENDED}`);
});

test("service level is judged against the goal, in words", () => {
  const word = (over: Partial<Center>) => serviceLevel(center(over)).word;
  assert.equal(word({ service_level: null }), "no data");
  assert.equal(word({ service_level: 50, goal_percent: 0 }), "no goal");
  assert.equal(word({ service_level: 80 }), "on goal");
  assert.equal(word({ service_level: 79.9 }), "just below goal");
  assert.equal(word({ service_level: 75 }), "just below goal");
  assert.equal(word({ service_level: 74.9 }), "below goal");
  assert.equal(word({ service_level: 0 }), "below goal");
});

test("a wait turns warm at half of the goal and hot past it", () => {
  assert.equal(waitTone(10_000, center()), "none");
  assert.equal(waitTone(10_001, center()), "warn");
  assert.equal(waitTone(20_000, center()), "warn");
  assert.equal(waitTone(20_001, center()), "bad");
  assert.equal(waitTone(99_000, center({ goal_percent: 0 })), "none");
  assert.equal(waitTone(99_000, undefined), "none");
});

test("calls are listed waiting first by time of entry, talking last, newest first", () => {
  const order = inOrder([
    call("t1", { state: "connected", since: 1 }), call("q2", { entered: 20 }), call("v", { state: "voicemail" }),
    call("t2", { state: "connected", since: 2 }), call("q1", { entered: 10, state: "offering" }),
  ]);
  assert.deepEqual(order.map((c) => c.id), ["q1", "q2", "v", "t2", "t1"]);
});

test("an answered call says why that operator rang", () => {
  const rang = { at: 1, rule: "longestidle", text: "Rang Ada: idle longest (9s)" };
  const took = { at: 2, rule: "answered", text: "Ada answered" };
  assert.equal(newestLine(call("a")), undefined);
  assert.equal(newestLine(call("a", { path: [took] })), "Ada answered");
  assert.equal(newestLine(call("a", { path: [took, rang] })), rang.text);
  assert.equal(newestLine(call("a", { path: [rang, took] })), "Rang Ada: idle longest (9s). Ada answered.");
});

test("the place of a callback stands in the line; its number is the one to call", () => {
  const ghost = call("g", { state: "callback", entered: 5, direction: "outbound", from: "+1", to: "+2" });
  assert.deepEqual(inOrder([call("q", { entered: 9 }), ghost]).map((c) => c.id), ["g", "q"]);
  assert.equal(farNumber(ghost), "+2");
  assert.equal(farNumber(call("q", { from: "+3", to: "+4" })), "+3");
  assert.equal(ending({ ...over("g"), callback: true }).word, "Called back");
  assert.equal(ending({ ...over("g"), callback: true, outcome: "failed" }).word, "Not reached");
});

test("a chime comes when an alert is raised, and each minute while one lasts", () => {
  const alarms = alarmsOf([center({ id: "2", alert: { since: 9, text: "b" } }), center(),
    center({ id: "3", alert: { since: 8, text: "a" } })]);
  assert.deepEqual(alarms.map((a) => a.center), ["3", "2"]);
  let state: Chimed = { keys: new Set(), at: 0 };
  const at = (now: number, list: typeof alarms) => {
    const { due, chimed } = chime(list, state, now);
    state = chimed;
    return due;
  };
  assert.equal(at(1000, []), false);
  assert.equal(at(2000, alarms.slice(0, 1)), true);
  assert.equal(at(2001, alarms.slice(0, 1)), false);
  assert.equal(at(3000, alarms), true, "another alert");
  assert.equal(at(3000 + CHIME_AGAIN_MS - 1, alarms), false);
  assert.equal(at(3000 + CHIME_AGAIN_MS, alarms), true);
  assert.equal(at(3000 + 2 * CHIME_AGAIN_MS, []), false, "cleared");
});

test("a cleared alert is shown for a while, apart from the notices", () => {
  const list = [
    { at: 1000, level: "info", text: "over", alert: "cleared" as const },
    { at: 900, level: "warning", text: "slow", alert: "raised" as const }, { at: 800, level: "info", text: "plain" },
  ];
  assert.deepEqual(plainNotices(list).map((n) => n.text), ["plain"]);
  assert.deepEqual(cleared(list, 1000 + CLEARED_MS - 1).map((n) => n.text), ["over"]);
  assert.deepEqual(cleared(list, 1000 + CLEARED_MS), []);
});

test("the newest page of tapes goes in front of the known ones, unless there is a gap", () => {
  const tape = (id: string, heard: Tape["heard"] = []): Tape =>
    ({ id, at: 1, length_ms: 1, complete: true, heard });
  const page = (next: string | undefined, ...items: Tape[]): Tapes => ({ you: "me", items, next });
  const known = page("old", tape("3"), tape("2"), tape("1"));
  const heard = tape("3", [{ at: 1, by: "me" }]);
  const ids = (p: Tapes) => p.items.map((t) => t.id).join(" ");
  const merged = mergePages(known, page("n", tape("4"), heard));
  assert.equal(ids(merged), "4 3 2 1");
  assert.equal(merged.next, "old");
  assert.equal(merged.items[1], heard);
  assert.equal(ids(mergePages(known, page("n", tape("9"), tape("8")))), "9 8");
  assert.equal(mergePages(known, page("n", tape("3"), tape("2"), tape("1"))).next, "n");
  assert.equal(ids(mergePages(undefined, known)), "3 2 1");
});

test("small words", () => {
  assert.deepEqual(byName([{ id: "2", name: "b" }, { id: "1", name: "A" }]).map((x) => x.name), ["A", "b"]);
  assert.equal(isOpen(center({ availability: "holiday_open" })), true);
  assert.equal(isOpen(center({ availability: "holiday_closed" })), false);
  assert.equal(ending(over("a")).word, "Answered");
  assert.equal(ending({ ...over("a"), outcome: "abandoned" }).word, "Hung up");
  assert.equal(matches("ada 555", "Ada L", "+1555"), true);
  assert.equal(matches("ada 556", "Ada L", "+1555"), false);
  assert.equal(matches("", undefined), true);
});

test("durations, shares and initials", () => {
  assert.deepEqual([-5, 0, 59_999, 60_000, 3_599_999, 3_600_000].map(duration),
    ["0:00", "0:00", "0:59", "1:00", "59:59", "1:00:00"]);
  assert.deepEqual([80, 79.5].map(percent), ["80", "79.5"]);
  assert.deepEqual(["Ada Lovelace", "Ada", "  ", "a b c"].map(initials), ["AL", "A", "?", "AC"]);
});
