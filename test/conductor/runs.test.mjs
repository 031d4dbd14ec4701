// Runs: definitions, orders, searches, execute and signal.
import { test } from "node:test";
import { assert, define, ended, metadata, refused, runs, step } from "./client.mjs";

const wait = (ref) => ({ name: ref, taskReferenceName: ref, type: "WAIT", inputParameters: {} });
const set = (ref, inputParameters) => ({ name: ref, taskReferenceName: ref, type: "SET_VARIABLE", inputParameters });

test("definitions are registered, read, changed, refused and removed", async () => {
  await define("defs", [wait("w")], { description: "one" });
  await refused(
    metadata.registerWorkflowDef({ name: "defs", version: 1, schemaVersion: 2, tasks: [wait("w")] }, false),
    /exists already/,
  );
  await define("defs", [wait("w")], { description: "two" });
  await define("defs", [wait("w")], { version: 2, description: "three" });
  assert.equal((await metadata.getWorkflowDef("defs")).description, "three");
  assert.equal((await metadata.getWorkflowDef("defs", 1)).description, "two");
  assert.equal((await metadata.getAllWorkflowDefs()).filter((d) => d.name === "defs").length, 2);
  await refused(define("bad", [{ name: "x", taskReferenceName: "x", type: "KAFKA_PUBLISH" }]), /KAFKA_PUBLISH/);
  await metadata.unregisterWorkflow("defs", 2);
  assert.equal((await metadata.getWorkflowDef("defs")).version, 1);
  await metadata.unregisterWorkflow("defs", 1);
  await refused(metadata.getWorkflowDef("defs"), /no workflow defs/);
});

test("task definitions are registered, read, changed and removed", async () => {
  await metadata.registerTask({ name: "td", retryCount: 2, timeoutSeconds: 10, responseTimeoutSeconds: 5 });
  assert.equal((await metadata.getTask("td")).retryCount, 2);
  await metadata.updateTask({ name: "td", retryCount: 4, timeoutSeconds: 10, responseTimeoutSeconds: 5 });
  assert.equal((await metadata.getTask("td")).retryCount, 4);
  await metadata.unregisterTask("td");
  await refused(metadata.getTask("td"), /no task definition td/);
});

test("tags are put on definitions", async () => {
  await define("tagged", [wait("w")]);
  await metadata.setWorkflowTags([{ key: "team", value: "night" }], "tagged");
  await metadata.addWorkflowTag({ key: "team", value: "day" }, "tagged");
  await metadata.deleteWorkflowTag({ key: "team", value: "night" }, "tagged");
  assert.deepEqual((await metadata.getWorkflowTags("tagged")).map((t) => [t.key, t.value]), [["team", "day"]]);
});

test("a run is paused, resumed and terminated", async () => {
  await define("orders", [step("o1"), step("o2")]);
  const id = await runs.startWorkflow({ name: "orders", version: 1, correlationId: "c-1" });
  await runs.pause(id);
  assert.equal((await runs.getWorkflowStatus(id, true, true)).status, "PAUSED");
  await refused(runs.resume("00000000-0000-0000-0000-000000000000"), /no workflow run/);
  await runs.resume(id);
  assert.equal((await runs.getWorkflow(id, false)).status, "RUNNING");
  await runs.terminate(id, "enough");
  const run = await runs.getExecution(id);
  assert.equal(run.status, "TERMINATED");
  assert.equal(run.reasonForIncompletion, "enough");
  assert.equal(run.workflowName, "orders");
  assert.equal(run.correlationId, "c-1");
  assert.ok(run.startTime > 0 && run.endTime >= run.startTime);
  await refused(runs.terminate(id, "again"), /has ended already/);
});

test("a run is retried, restarted and rerun", async () => {
  await define("again", [step("a1"), step("a2", { given: "${a1.output.x}" })]);
  const id = await runs.startWorkflow({ name: "again", version: 1 });
  await runs.updateTaskByRefName("a1", id, "COMPLETED", { x: 1 });
  await runs.updateTaskByRefName("a2", id, "FAILED", {});
  assert.equal((await ended(id)).status, "FAILED");
  await runs.retry(id, false);
  await runs.updateTaskByRefName("a2", id, "COMPLETED", {});
  assert.equal((await ended(id)).status, "COMPLETED");

  await runs.restart(id, true);
  await runs.updateTaskByRefName("a1", id, "COMPLETED", { x: 2 });
  await runs.updateTaskByRefName("a2", id, "COMPLETED", {});
  const before = await ended(id);
  assert.equal(before.tasks[1].inputData.given, 2);

  assert.equal(await runs.reRun(id, { reRunFromTaskId: before.tasks[1].taskId, taskInput: { given: 3 } }), id);
  const during = await runs.getExecution(id);
  assert.equal(during.status, "RUNNING");
  assert.equal(during.tasks[1].inputData.given, 3);
  await runs.updateTaskByRefName("a2", id, "COMPLETED", { y: 4 });
  assert.deepEqual((await ended(id)).output, { y: 4 });
});

test("a task is skipped before it is begun", async () => {
  await define("skips", [step("s1"), step("s2"), step("s3")]);
  const id = await runs.startWorkflow({ name: "skips", version: 1 });
  await runs.skipTasksFromWorkflow(id, "s2", { taskOutput: { skipped: true } });
  await runs.updateTaskByRefName("s1", id, "COMPLETED", {});
  await runs.updateTaskByRefName("s3", id, "COMPLETED", {});
  const run = await ended(id);
  assert.equal(run.tasks.find((t) => t.referenceTaskName === "s2").status, "SKIPPED");
});

test("runs are found", async () => {
  await define("sought", [step("never_polled")]);
  const ids = [];
  for (const n of [1, 2, 3]) {
    ids.push(await runs.startWorkflow({ name: "sought", version: 1, correlationId: `sought-${n}`, input: { n } }));
  }
  await runs.terminate(ids[0], "one less");
  const query = "workflowType='sought' AND status IN (RUNNING, PAUSED)";
  const found = await runs.search(0, 10, query, "*", "startTime:ASC");
  assert.equal(found.totalHits, 2);
  assert.deepEqual(found.results.map((r) => r.workflowId), ids.slice(1));
  assert.equal((await runs.search(0, 1, "workflowType = sought", "*")).results.length, 1);
  assert.equal((await runs.search(0, 10, "workflowType='sought'", "sought-3")).totalHits, 1);
  await refused(runs.search(0, 10, "color='red'", "*"), /color is none of/);
  const by = await runs.getByCorrelationIds(
    { workflowNames: ["sought"], correlationIds: ["sought-1", "sought-2"] }, true, false,
  );
  assert.deepEqual([by["sought-1"].length, by["sought-2"].length], [1, 1]);
  await runs.deleteWorkflow(ids[0]);
  await refused(runs.getExecution(ids[0]), /no workflow run/);
});

test("execute waits for a task or for the end, signal goes on", async () => {
  await define("talks", [set("begin", { step: 1 }), wait("answer"), set("mid", { step: 2 }), wait("more")], {
    outputParameters: { first: "${answer.output.taskOutput.word}", step: "${workflow.variables.step}" },
  });
  const run = await runs.executeWorkflow({ name: "talks", version: 1 }, "talks", 1, "request-1", "answer");
  assert.equal(run.status, "RUNNING");
  assert.ok(run.isTargetWorkflow());
  assert.equal(run.getWorkflow().variables.step, 1);
  const id = run.workflowId;
  const next = await runs.signal(id, "COMPLETED", { word: "yes" }, "BLOCKING_TASK");
  assert.ok(next.isBlockingTask());
  assert.equal(next.getBlockingTask().referenceTaskName, "more");
  await runs.signalAsync(id, "COMPLETED", {});
  assert.deepEqual((await ended(id)).output, { first: "yes", step: 2 });
  await refused(runs.signal(id, "COMPLETED", {}), /waits for nobody/);
});

test("execute blocks at a child's task", async () => {
  await define("child", [wait("inner")]);
  await define("parent", [{
    name: "sub", taskReferenceName: "sub", type: "SUB_WORKFLOW", subWorkflowParam: { name: "child", version: 1 },
  }]);
  const at = await runs.executeWorkflow(
    { name: "parent", version: 1 }, "parent", 1, "request-2", "", 5, undefined, "BLOCKING_WORKFLOW",
  );
  const target = at.targetWorkflowId;
  assert.ok(at.isBlockingWorkflow());
  assert.notEqual(at.workflowId, target);
  assert.equal(at.getWorkflow().tasks[0].referenceTaskName, "inner");
  const done = await runs.signal(target, "COMPLETED", {});
  assert.equal(done.targetWorkflowId, target);
  assert.equal((await ended(target)).status, "COMPLETED");
});

test("variables and state are changed from outside", async () => {
  await define("state", [wait("gate")], { outputParameters: { color: "${workflow.variables.color}" } });
  const id = await runs.startWorkflow({ name: "state", version: 1 });
  assert.equal((await runs.updateVariables(id, { color: "red" })).variables.color, "red");
  const run = await runs.updateState(
    id, { variables: { color: "blue" }, taskReferenceName: "gate", taskResult: { status: "COMPLETED" } }, "r", "", 5,
  );
  assert.equal(run.status, "COMPLETED");
  assert.equal(run.output.color, "blue");
});

test("the same idempotency key starts one run", async () => {
  await define("once", [wait("w")]);
  const start = { name: "once", version: 1, idempotencyKey: "k", idempotencyStrategy: "RETURN_EXISTING" };
  assert.equal(await runs.startWorkflow(start), await runs.startWorkflow(start));
  await refused(runs.startWorkflow({ ...start, idempotencyStrategy: "FAIL" }), /idempotency key k/);
});

test("a dry run takes made-up answers", async () => {
  const run = await runs.testWorkflow({
    name: "dry", workflowDef: {
      name: "dry", version: 1, schemaVersion: 2,
      tasks: [step("d1"), {
        name: "pick", taskReferenceName: "pick", type: "SWITCH", evaluatorType: "value-param", expression: "way",
        inputParameters: { way: "${d1.output.way}" }, decisionCases: { left: [wait("d2")] }, defaultCase: [step("d3")],
      }],
    },
    taskRefToMockOutput: { d1: [{ status: "COMPLETED", output: { way: "left" } }], d2: [{ output: { at: 1 } }] },
  });
  assert.equal(run.status, "COMPLETED");
  assert.deepEqual(run.tasks.map((t) => t.referenceTaskName), ["d1", "pick", "d2"]);
});
