// One run: the diagram in the colours of its states, its attempts with input and output, and what can be done to it.
import { useState } from "preact/hooks";
import { clockTime, dateTime } from "../format";
import { Icon } from "../icons";
import { ask, at, query } from "./api";
import { Diagram, type Shown } from "./diagram";
import { isObject, type Obj, write } from "./exact";
import { Tree } from "./response";
import { go, To } from "./route";
import { copy, say, StateOf, Tabs, took, toneOf, Trouble, useDoing, useLoaded } from "./widgets";

/** How often a run under way is looked at again, in milliseconds. */
const EVERY = 700;

interface Attempt {
  taskId: string;
  referenceTaskName: string;
  taskDefName: string;
  taskType: string;
  status: string;
  seq: number;
  retryCount: number;
  iteration: number;
  scheduledTime: number;
  startTime: number;
  endTime: number;
  updateTime: number;
  inputData: Obj;
  outputData: Obj;
  reasonForIncompletion?: string;
  subWorkflowId?: string;
  workerId?: string;
  retried: boolean;
}

interface Run {
  workflowId: string;
  workflowName: string;
  workflowVersion: number;
  status: string;
  startTime: number;
  endTime: number;
  input: Obj;
  output: Obj;
  variables: Obj;
  reasonForIncompletion?: string;
  correlationId?: string;
  parentWorkflowId?: string;
  event?: string;
  createdBy?: string;
  workflowDefinition?: Obj;
  tasks: Attempt[];
}

const final = (state: string) => !["RUNNING", "PAUSED"].includes(state);

/** Turns of loops have their number behind the name. */
const plainRef = (ref: string) => ref.replace(/__\d+$/, "");

export function RunPage({ id }: { id: string }) {
  const run = useLoaded<Run>(id, () => ask("GET", at`/api/workflow/${id}`), EVERY, (one) => !final(one.status));
  const [chosen, choose] = useState<string>();
  if (run.value === undefined) return run.wrong === "" ? <p class="loading" role="status">Loading …</p> : <Trouble text={run.wrong} />;
  const r = run.value;
  const states = new Map<string, Shown>();
  for (const one of r.tasks) {
    const ref = plainRef(one.referenceTaskName);
    states.set(ref, { state: one.status, times: (states.get(ref)?.times ?? 0) + 1 });
  }
  const attempts = r.tasks.filter((one) => chosen === undefined || plainRef(one.referenceTaskName) === chosen);
  return (
    <section class="run" data-run-state={r.status}>
      <div class="section-head">
        <To to="/automation/runs" class="tool"><Icon name="back" /><span class="sr">All runs</span></To>
        <h2>{r.workflowName} <span class="soft">version {r.workflowVersion}</span></h2>
        <span role="status"><StateOf name={r.status} /></span>
        <span class="soft num">{dateTime(r.startTime)}{r.endTime > 0 && `, ${took(r.endTime - r.startTime)}`}</span>
        <Orders run={r} changed={run.reload} />
      </div>
      <Trouble text={r.status !== "COMPLETED" ? r.reasonForIncompletion ?? "" : ""} />
      <Trouble text={run.wrong} />
      <p class="soft small">
        {r.event !== undefined && <>Started by {r.event}. </>}{r.createdBy !== undefined && <>By {r.createdBy === "page" ? "somebody on these pages" : r.createdBy}. </>}
        {r.parentWorkflowId !== undefined && <>Part of <To to={`/automation/runs/${r.parentWorkflowId}`}>another run</To>. </>}
        <button type="button" class="leaf" onClick={() => void copy(r.workflowId)}><code>{r.workflowId}</code></button>
      </p>
      <div class="bench two">
        <div class="left">
          <Diagram definition={r.workflowDefinition ?? {}} states={states} over={r.status} chosen={chosen}
            choose={(node) => choose(node.ref === chosen ? undefined : node.ref)} />
        </div>
        <div class="right">
          <InAndOut run={r} />
          <div class="section-head"><h2>{chosen === undefined ? "Attempts" : `Attempts of ${chosen}`}</h2>
            {chosen !== undefined && <button type="button" class="quiet" onClick={() => choose(undefined)}>All</button>}</div>
          <ol class="attempts">
            {attempts.map((one) => <AttemptOf key={one.taskId} attempt={one} run={r} begin={r.startTime} changed={run.reload}
              open={chosen !== undefined && attempts.length === 1} />)}
          </ol>
        </div>
      </div>
    </section>
  );
}

function InAndOut({ run }: { run: Run }) {
  const [tab, setTab] = useState<"output" | "input" | "variables">("output");
  const value = { output: run.output, input: run.input, variables: run.variables }[tab];
  return (
    <Tabs label="Values of the run" chosen={tab} choose={setTab}
      tabs={[["output", "Output"], ["input", "Input"], ["variables", "Variables"]]}>
      {Object.keys(value).length === 0 ? <p class="soft">None.</p> : <pre class="short" tabIndex={0}>{write(value)}</pre>}
    </Tabs>
  );
}

function AttemptOf({ attempt: a, run, begin, changed, open }: {
  attempt: Attempt; run: Run; begin: number; changed: () => void; open: boolean;
}) {
  const doing = useDoing();
  const [tab, setTab] = useState<"output" | "input" | "logs">("output");
  const rerun = () => doing.run(async () => {
    await ask("POST", at`/api/workflow/${run.workflowId}/rerun`, { reRunFromTaskId: a.taskId });
    say(`The run goes on from ${a.referenceTaskName}.`);
    changed();
  });
  const started = a.startTime || a.scheduledTime;
  const lasted = (a.endTime || a.updateTime || started) - started;
  return (
    <li data-attempt={a.referenceTaskName} data-status={a.status}>
      <details open={open}>
        <summary>
          <span class={`state-dot run-${toneOf(a.status)}`} aria-hidden="true" />
          <b>{a.referenceTaskName}</b>{a.retryCount > 0 && <span class="pill">retry {a.retryCount}</span>}
          <StateOf name={a.status} />
          {started - begin >= 1 && <span class="soft num" title="After the start">+{took(started - begin)}</span>}
          <span class="soft num">{took(Math.max(0, lasted))}</span>
        </summary>
        {a.reasonForIncompletion !== undefined && <p class="tone-bad">{a.reasonForIncompletion}</p>}
        <p class="soft small">{a.taskType}, scheduled {clockTime(a.scheduledTime)}{a.workerId !== undefined && `, by ${a.workerId}`}
          {a.subWorkflowId !== undefined && <> <To to={`/automation/runs/${a.subWorkflowId}`}>The run it started</To></>}</p>
        <Tabs label={`Values of ${a.referenceTaskName}`} chosen={tab} choose={setTab} tabs={[["output", "Output"], ["input", "Input"], ["logs", "Log"]]}>
          {tab === "output" && <Tree value={a.outputData} path={[]} root={"${" + plainRef(a.referenceTaskName) + ".output"} />}
          {tab === "input" && <Tree value={a.inputData} path={[]} root={"${" + plainRef(a.referenceTaskName) + ".input"} />}
          {tab === "logs" && <Logs id={a.taskId} />}
        </Tabs>
        <div class="actions">
          {final(run.status) && <button type="button" class="quiet" disabled={doing.busy} onClick={rerun}>Rerun from here</button>}
          {a.taskType === "HUMAN" && a.status === "IN_PROGRESS" && <Finish attempt={a} run={run} changed={changed} />}
        </div>
        <Trouble text={doing.wrong} />
      </details>
    </li>
  );
}

function Finish({ attempt, run, changed }: { attempt: Attempt; run: Run; changed: () => void }) {
  const doing = useDoing();
  const done = (status: string) => doing.run(async () => {
    await ask("POST", "/api/tasks", { workflowInstanceId: run.workflowId, taskId: attempt.taskId, status, outputData: {} });
    changed();
  });
  return (
    <>
      <button type="button" class="main" onClick={() => done("COMPLETED")}>Done</button>
      <button type="button" class="quiet" onClick={() => done("FAILED")}>It failed</button>
      <Trouble text={doing.wrong} />
    </>
  );
}

function Logs({ id }: { id: string }) {
  const logs = useLoaded<{ log: string; createdTime: number }[]>(`log ${id}`, () => ask("GET", at`/api/tasks/${id}/log`));
  if ((logs.value ?? []).length === 0) return <p class="soft">{logs.wrong === "" ? "Nothing was logged." : logs.wrong}</p>;
  return <ol class="logs">{logs.value?.map((one, i) => <li key={i}><span class="num soft">{clockTime(one.createdTime)}</span> {one.log}</li>)}</ol>;
}

/** What can be done to a run as it stands. */
function Orders({ run, changed }: { run: Run; changed: () => void }) {
  const doing = useDoing();
  const order = (method: string, path: string, words: string, body?: unknown) => doing.run(async () => {
    await ask(method, path, body);
    say(words);
    changed();
  });
  const base = at`/api/workflow/${run.workflowId}`;
  const button = (id: string, words: string, work: () => void, kind = "quiet") => (
    <button type="button" class={kind} id={id} disabled={doing.busy} onClick={work}>{words}</button>
  );
  return (
    <div class="actions end">
      {run.status === "RUNNING" && button("pause", "Pause", () => order("PUT", `${base}/pause`, "The run is paused."))}
      {run.status === "PAUSED" && button("resume", "Resume", () => order("PUT", `${base}/resume`, "The run goes on."), "main")}
      {!final(run.status) && button("terminate", "Terminate", () => {
        const reason = prompt("Why is it terminated?", "");
        if (reason !== null) order("DELETE", base + query({ reason }), "The run is terminated.");
      })}
      {["FAILED", "TIMED_OUT", "TERMINATED"].includes(run.status) &&
        button("retry", "Retry", () => order("POST", `${base}/retry`, "What failed is tried again."), "main")}
      {final(run.status) && button("restart", "Restart", () => order("POST", `${base}/restart`, "The run begins anew."))}
      {final(run.status) && button("remove", "Remove", () => {
        if (confirm("Remove this run and all that is known of it?")) {
          doing.run(async () => {
            await ask("DELETE", `${base}/remove`);
            go("/automation/runs");
          });
        }
      })}
      {isObject(run.workflowDefinition) && (
        <To to={`/automation/workflows/edit/${encodeURIComponent(run.workflowName)}`} class="quiet">Edit</To>
      )}
      <Trouble text={doing.wrong} />
    </div>
  );
}
