import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, initials, percent } from "./format";
import {
  apply, byName, empty, ending, inOrder, isOpen, KEPT_ENDED, KEPT_NOTICES, matches, newestLine, serviceLevel,
  waitTone,
} from "./model";
import type { Call, Center, Ended, Operator, Update } from "./wire";

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
