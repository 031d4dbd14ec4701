// Schedules and event handlers.
import { test } from "node:test";
import { assert, define, ended, events, refused, runs, schedules, until } from "./client.mjs";

const set = (ref, inputParameters) => ({ name: ref, taskReferenceName: ref, type: "SET_VARIABLE", inputParameters });
const startedOf = (name) => until(
  `a run of ${name}`,
  () => runs.search(0, 10, `workflowType='${name}'`, "*"),
  (found) => found.totalHits > 0,
);

test("a schedule starts runs, is paused, resumed and removed", async () => {
  await define("ticks", [set("s", { by: "${workflow.input._startedByScheduler}" })], {
    outputParameters: { by: "${workflow.variables.by}" },
  });
  await schedules.saveSchedule({
    name: "often", cronExpression: "* * * * * ?", zoneId: "Europe/Paris",
    startWorkflowRequest: { name: "ticks", version: 1, input: { a: 1 } },
  });
  const found = await startedOf("ticks");
  const run = await ended(found.results[0].workflowId);
  assert.equal(run.status, "COMPLETED");
  assert.equal(run.output.by, "often");
  assert.equal(run.input.a, 1);

  await schedules.pauseSchedule("often", "enough");
  const paused = await schedules.getSchedule("often");
  assert.equal(paused.paused, true);
  assert.equal(paused.pausedReason, "enough");
  await schedules.resumeSchedule("often");
  assert.equal((await schedules.getSchedule("often")).paused, false);
  assert.deepEqual((await schedules.getAllSchedules("ticks")).map((s) => s.name), ["often"]);
  await schedules.setSchedulerTags([{ key: "team", value: "night" }], "often");
  assert.equal((await schedules.getSchedulerTags("often"))[0].value, "night");
  const executions = await schedules.search(0, 10, "", "*", "scheduleName='often'");
  assert.equal(executions.results[0].scheduleName, "often");
  assert.ok(executions.results.some((e) => e.workflowId === run.workflowId && e.state === "EXECUTED"));
  await schedules.deleteSchedule("often");
  await refused(schedules.getSchedule("often"), /no schedule/);
});

test("the next times of a cron expression are told, a wrong one is refused", async () => {
  const times = await schedules.getNextFewSchedules("0 0 2 * * ?", Date.UTC(2026, 0, 1), undefined, 2);
  assert.equal(times.length, 2);
  assert.equal(times[1] - times[0], 24 * 3600 * 1000);
  await refused(
    schedules.saveSchedule({ name: "wrong", cronExpression: "61 * * * * ?", startWorkflowRequest: { name: "x" } }),
    /cronExpression/,
  );
});

test("an event handler starts a run for each event once", async () => {
  await define("leads", [set("s", { lead: "${workflow.input.lead}" })], {
    outputParameters: { lead: "${workflow.variables.lead}" },
  });
  const handler = {
    name: "on_lead", event: "conductor:lead", active: true,
    actions: [{ action: "start_workflow", start_workflow: { name: "leads", version: 1, input: { lead: "${who}" } } }],
  };
  await events.addEventHandler(handler);
  await refused(events.addEventHandler(handler), /already/);
  await events.handleIncomingEvent({ event: "conductor:lead", id: "lead-1", who: "Ada" });
  await events.handleIncomingEvent({ event: "conductor:lead", id: "lead-1", who: "Ada" });
  const found = await startedOf("leads");
  assert.equal((await ended(found.results[0].workflowId)).output.lead, "Ada");
  await events.updateEventHandler({ ...handler, active: false });
  assert.equal((await events.getEventHandlerByName("on_lead")).active, false);
  assert.deepEqual(await events.getEventHandlersForEvent("conductor:lead", true), []);
  assert.equal((await events.getAllEventHandlers()).length, 1);
  await events.putTagForEventHandler("on_lead", [{ key: "team", value: "day" }]);
  assert.equal((await events.getTagsForEventHandler("on_lead"))[0].value, "day");
  assert.equal((await runs.search(0, 10, "workflowType='leads'", "*")).totalHits, 1);
  await events.removeEventHandler("on_lead");
  assert.equal((await events.getAllEventHandlers()).length, 0);
});

test("an EVENT task is heard by a handler", async () => {
  await define("heard", [set("s", { n: "${workflow.input.n}" })]);
  await define("says", [{
    name: "say", taskReferenceName: "say", type: "EVENT", sink: "conductor:said", inputParameters: { n: 7 },
  }]);
  await events.addEventHandler({
    name: "on_said", event: "conductor:says:said", active: true,
    actions: [{ action: "start_workflow", start_workflow: { name: "heard", input: { n: "${n}" } } }],
  });
  assert.equal((await ended(await runs.startWorkflow({ name: "says", version: 1 }))).status, "COMPLETED");
  const found = await startedOf("heard");
  assert.equal((await ended(found.results[0].workflowId)).input.n, 7);
});
