// What all the tests of this folder share: the client of Conductor, signed in at the server that the environment names.
import assert from "node:assert/strict";
import {
  EventClient,
  MetadataClient,
  SchedulerClient,
  SecretClient,
  TaskClient,
  TaskManager,
  WorkflowExecutor,
  orkesConductorClient,
} from "@io-orkes/conductor-javascript";

export { TaskManager, assert };

// The parts of a key: sb_<id>_<secret>.
const [, keyId, keySecret] = /^sb_([^_]+)_(.+)$/.exec(process.env.SWITCHBOARD_KEY);

const quiet = { info() {}, debug() {}, warn() {}, error() {} };

export const client = await orkesConductorClient({
  serverUrl: process.env.SWITCHBOARD_URL,
  keyId,
  keySecret,
  refreshTokenInterval: 0,
  logger: quiet,
});
export const runs = new WorkflowExecutor(client);
export const metadata = new MetadataClient(client);
export const tasks = new TaskClient(client);
export const schedules = new SchedulerClient(client);
export const events = new EventClient(client);
export const secrets = new SecretClient(client);

// until waits for a condition on what look answers.
export async function until(what, look, holds) {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (Date.now() > deadline) {
      throw new Error(`waited 20 s for ${what}; last seen: ${JSON.stringify(seen)?.slice(0, 2000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const ended = (id) =>
  until(`the end of ${id}`, () => runs.getExecution(id), (run) => !["RUNNING", "PAUSED"].includes(run.status));

// step is a task for outside workers.
export const step = (ref, inputParameters = {}, name = ref) => ({
  name,
  taskReferenceName: ref,
  type: "SIMPLE",
  inputParameters,
});

// define registers a workflow of these tasks.
export const define = (name, list, more = {}) =>
  metadata.registerWorkflowDef({ name, version: 1, schemaVersion: 2, timeoutSeconds: 0, tasks: list, ...more }, true);

// workers do tasks by their names until stop is called.
export function workers(does, options = {}) {
  const manager = new TaskManager(
    client,
    Object.entries(does).map(([taskDefName, execute]) => ({ taskDefName, execute })),
    { logger: quiet, options: { pollInterval: 5, concurrency: 20, workerID: "worker", ...options } },
  );
  manager.startPolling();
  return () => manager.stopPolling();
}

// refused says that a promise is rejected with a message.
export const refused = (promise, message) => assert.rejects(promise, (error) => message.test(error.message));
