import assert from "node:assert/strict";
import { test } from "node:test";
import { compareLines } from "./automation/compare";
import { draftOfTask, expressionsIn, requestOf, taskOf, uriOf, withInputs, type Draft } from "./automation/draft";
import { limitsOf, saysWhich } from "./automation/directorytypes";
import { isObject, tryRead } from "./automation/exact";
import { freeName, graphOf, inputsOf, skeleton, types } from "./automation/flowgraph";
import { placeOf, valueAt, withValue } from "./automation/pointer";

const row = (name: string, value: string) => ({ name, value, required: false, on: true });
const draft: Draft = {
  method: "PATCH", url: "https://x.example/a/{id}", path: [row("id", "1 2")], query: [row("q", "a&b"), { ...row("off", "x"), on: false }],
  headers: [row("Content-Type", "application/json"), row("Accept", "application/json"), row("X-One", "1")],
  body: '{"n": 3}', json: true, form: false, name: "op", rest: { readTimeOut: 5 },
};

test("a draft becomes a request, escaped where it must be", () => {
  assert.equal(uriOf(draft), "https://x.example/a/1%202?q=a%26b");
  assert.deepEqual(requestOf(draft), {
    uri: "https://x.example/a/1%202?q=a%26b", method: "PATCH", contentType: "application/json", accept: "application/json",
    headers: { "X-One": "1" }, body: { n: 3 }, readTimeOut: 5,
  });
  assert.equal(requestOf({ ...draft, form: true, body: '{"a":{"b":[1,"x y"]}}' })["body"], "a%5Bb%5D%5B0%5D=1&a%5Bb%5D%5B1%5D=x%20y");
});

test("a draft becomes a task whose path comes from the input, and a task a draft again", () => {
  const { task, input } = taskOf(draft, true);
  assert.deepEqual(input, { id: "1 2" });
  const back = draftOfTask(task);
  assert.equal(back.url, "https://x.example/a/${workflow.input.id}");
  assert.deepEqual(requestOf(back), (task["inputParameters"] as Record<string, unknown>)["http_request"]);
});

test("a test is asked for values of expressions, but not for secrets", () => {
  const request = { uri: "https://x/${a.output.b}", headers: { h: "${workflow.secrets.K} $${no}" }, body: { n: "${a.output.b}" } };
  assert.deepEqual(expressionsIn(request), ["${a.output.b}"]);
  const made = withInputs(request, { "${a.output.b}": "7" });
  assert.deepEqual(made.input, { v0: 7 });
  assert.equal(made.request["uri"], "https://x/${workflow.input.v0}");
});

test("values are found and changed by their path", () => {
  const value = { a: [{ b: 1 }, 2] };
  assert.equal(valueAt(value, ["a", 0, "b"]), 1);
  assert.deepEqual(withValue(value, ["a", 0, "b"], undefined), { a: [{}, 2] });
  assert.deepEqual(withValue({}, ["x", "y"], 1), { x: { y: 1 } });
  const text = '{\n  "a": [\n    {"b/c": "x"}, "y"\n  ]\n}';
  const [from, to] = placeOf(text, "/a/0/b~1c");
  assert.equal(text.slice(from, to), '"x"');
  assert.equal(text.slice(...placeOf(text, "/a/1")), '"y"');
});

test("a diagram has every branch, and both ends of a loop", () => {
  const tasks = ["SWITCH", "FORK_JOIN", "DO_WHILE"].map((type) => skeleton(type, type.toLowerCase()));
  const { nodes, edges } = graphOf({ tasks });
  assert.equal(nodes.length, 2 + 3 + 1 + 2 + 1);
  assert.ok(edges.some((e) => e.back === true && e.from === "do_while_turn" && e.to === "do_while"));
  assert.ok(edges.some((e) => e.from === "switch" && e.to === "fork_join" && e.label === "else"));
  assert.deepEqual(graphOf({ tasks: "none" }).edges.length, 1);
  assert.equal(freeName({ tasks }, "switch"), "switch_2");
  for (const [type] of types) assert.equal(skeleton(type, "x")["type"], type);
});

test("the input of a workflow is what its expressions read", () => {
  assert.deepEqual(inputsOf({ inputParameters: ["a"], tasks: [{ x: "${workflow.input.b.c} $${workflow.input.no}" }] }), ["a", "b"]);
});

test("two answers are compared line by line", () => {
  assert.deepEqual(compareLines("a\nb\nc", "a\nx\nc"), [[" ", "a"], ["-", "b"], ["+", "x"], [" ", "c"]]);
});

test("JSON is read as it is", () => {
  assert.equal(tryRead("{"), undefined);
  assert.ok(isObject(tryRead('{"a":1}')) && !isObject(tryRead("[1]")));
});

test("limits are told once, the stricter of two on one side", () => {
  const names = (limits: Record<string, unknown>) => limitsOf({ limits }).map(([name]) => name).join(" ");
  assert.equal(names({ exclusiveMinimum: 2, maximum: 9, minimum: 2 }), "exclusiveMinimum maximum");
  assert.equal(names({ exclusiveMinimum: 1, minimum: 2 }), "minimum");
  assert.equal(names({ exclusiveMaximum: 9, maximum: 9, minLength: 1 }), "exclusiveMaximum minLength");
  assert.equal(names({ exclusiveMaximum: 10, maximum: 9 }), "maximum");
  assert.equal(names({ minimum: 2, maximum: 2 }), "minimum maximum");
  assert.deepEqual(limitsOf({}), []);
});

test("the values of a discriminator are found by the alternative they mean", () => {
  const which = { property: "kind", mapping: { cat: "Cat", kitten: "Cat", dog: "Dog" } };
  assert.deepEqual(saysWhich(which, "Cat"), ["cat", "kitten"]);
  assert.deepEqual(saysWhich(which, "Bird"), []);
  assert.deepEqual(saysWhich({ property: "kind" }, "Cat"), []);
  assert.deepEqual(saysWhich(undefined, undefined), []);
});
