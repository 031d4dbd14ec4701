// Outside workers: registered, started, polled, completed, with the client's own TaskManager.
import { test } from "node:test";
import { assert, define, ended, metadata, refused, runs, step, tasks, until, workers } from "./client.mjs";

test("50 workflows of 5 tasks are done by workers", async () => {
  const names = [1, 2, 3, 4, 5].map((n) => `crowd_${n}`);
  await metadata.registerTasks(
    names.map((name) => ({ name, retryCount: 0, timeoutSeconds: 0, responseTimeoutSeconds: 600 })),
  );
  await define("crowd", names.map((name, i) => step(name, {
    n: i === 0 ? "${workflow.input.n}" : `\${${names[i - 1]}.output.n}`,
  })));
  const stop = workers(Object.fromEntries(names.map((name) => [
    name,
    async (task) => ({ status: "COMPLETED", outputData: { n: task.inputData.n + 1 } }),
  ])));
  try {
    const ids = await Promise.all(
      Array.from({ length: 50 }, (_, n) => runs.startWorkflow({ name: "crowd", version: 1, input: { n } })),
    );
    assert.equal(new Set(ids).size, 50);
    for (const [n, id] of ids.entries()) {
      const run = await ended(id);
      assert.equal(run.status, "COMPLETED");
      assert.equal(run.output.n, n + 5);
      assert.deepEqual(run.tasks.map((t) => t.status), Array(5).fill("COMPLETED"));
      assert.equal(run.tasks[4].workerId, "worker");
    }
  } finally {
    await stop();
  }
});

test("a worker fails, is tried again, logs and gives up", async () => {
  await metadata.registerTask({
    name: "shaky", retryCount: 1, retryDelaySeconds: 0, timeoutSeconds: 0, responseTimeoutSeconds: 600,
  });
  await define("shaky_flow", [step("shaky")]);
  let tries = 0;
  const stop = workers({
    shaky: async () => {
      if (++tries === 1) throw new Error("not this time");
      return { status: "FAILED_WITH_TERMINAL_ERROR", reasonForIncompletion: "never", logs: [{ log: "gave up" }] };
    },
  });
  try {
    const run = await ended(await runs.startWorkflow({ name: "shaky_flow", version: 1 }));
    assert.equal(run.status, "FAILED");
    assert.equal(run.tasks.length, 2);
    assert.equal(run.tasks[0].reasonForIncompletion, "not this time");
    assert.equal(run.tasks[1].retriedTaskId, run.tasks[0].taskId);
    assert.equal(run.tasks[1].status, "FAILED_WITH_TERMINAL_ERROR");
    const logs = await tasks.getTaskLogs(run.tasks[1].taskId);
    assert.equal(logs.at(-1).log, "gave up");
    assert.equal((await tasks.getTask(run.tasks[1].taskId)).referenceTaskName, "shaky");
  } finally {
    await stop();
  }
});

test("a task that takes long is offered again when its worker said", async () => {
  await define("long_flow", [step("long")]);
  let polls = 0;
  const stop = workers({
    long: async () => (++polls < 3
      ? { status: "IN_PROGRESS", callbackAfterSeconds: 0, outputData: { ["p" + polls]: true } }
      : { status: "COMPLETED", outputData: { done: true } }),
  });
  try {
    const run = await ended(await runs.startWorkflow({ name: "long_flow", version: 1 }));
    assert.deepEqual(run.tasks[0].outputData, { p1: true, p2: true, done: true });
    assert.equal(run.tasks[0].pollCount, 3);
  } finally {
    await stop();
  }
});

test("tasks of a domain go to its workers only", async () => {
  await define("domain_flow", [step("domain_task")]);
  const id = await runs.startWorkflow({ name: "domain_flow", version: 1, taskToDomain: { domain_task: "eu" } });
  const elsewhere = workers({ domain_task: async () => ({ status: "COMPLETED", outputData: { from: "anywhere" } }) });
  const here = workers(
    { domain_task: async () => ({ status: "COMPLETED", outputData: { from: "eu" } }) },
    { domain: "eu" },
  );
  try {
    assert.equal((await ended(id)).output.from, "eu");
  } finally {
    await elsewhere();
    await here();
  }
});

test("tasks are updated by their id and by their name", async () => {
  await define("by_hand", [step("first"), step("second")]);
  const id = await runs.startWorkflow({ name: "by_hand", version: 1 });
  const [first] = (await runs.getExecution(id)).tasks;
  await runs.updateTask(first.taskId, id, "COMPLETED", { a: 1 });
  await until("the second task", () => runs.getExecution(id), (run) => run.tasks.length === 2);
  await runs.updateTaskByRefName("second", id, "COMPLETED", { b: 2 });
  assert.deepEqual((await ended(id)).output, { b: 2 });
  await refused(runs.updateTaskByRefName("second", id, "COMPLETED", {}), /no task second under way/);
  const found = await tasks.search(0, 10, "", "*", `workflowId='${id}' AND status IN (COMPLETED, FAILED)`);
  assert.equal(found.totalHits, 2);
});
