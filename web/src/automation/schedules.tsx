// Schedules: which workflow starts when, with the next times before anything is saved.
import { useState } from "preact/hooks";
import { ask, at, query, wordsOf } from "./api";
import { isObject, type Obj, read, write } from "./exact";
import { JSONField } from "./jsonfield";
import { Dialog, say, Trouble, useDoing, useLoaded } from "./widgets";
import { type Definition, newest } from "./workflows";

interface Schedule extends Obj {
  name: string;
  cronExpression?: string;
  zoneId?: string;
  cronSchedules?: { cronExpression: string; zoneId?: string }[];
  paused?: boolean;
  pausedReason?: string;
  startWorkflowRequest?: { name: string; version?: number; input?: Obj };
}

const zoneOf = (s: Schedule) => s.zoneId ?? "UTC";

export function Schedules() {
  const list = useLoaded<Schedule[]>("schedules", () => ask("GET", "/api/scheduler/schedules"), 5000);
  const [adding, setAdding] = useState<Schedule | boolean>(false);
  const doing = useDoing();
  const act = (method: string, path: string, words: string) => doing.run(async () => {
    await ask(method, path);
    say(words);
    list.reload();
  });
  return (
    <section>
      <div class="section-head"><h2>Schedules</h2>
        <button type="button" class="main end" id="add-schedule" onClick={() => setAdding(true)}>Add schedule</button></div>
      <Trouble text={doing.wrong || list.wrong} />
      {list.value?.length === 0 && <p class="empty">No schedules yet. One starts a workflow at certain times, in a time zone of yours.</p>}
      <ul class="lines" aria-label="Schedules">
        {(list.value ?? []).map((one) => {
          const crons = one.cronSchedules ?? [{ cronExpression: one.cronExpression ?? "", zoneId: zoneOf(one) }];
          return (
            <li key={one.name} data-schedule={one.name}>
              <div><b>{one.name}</b> starts {one.startWorkflowRequest?.name ?? "?"}
                {one.paused === true && <>{" "}<span class="pill run-wait">paused</span></>}
                {crons.map((c) => (
                  <div key={c.cronExpression}><code>{c.cronExpression}</code> <span class="soft">{c.zoneId ?? "UTC"}</span>
                    {one.paused !== true && <Next cron={c.cronExpression} zone={c.zoneId ?? "UTC"} count={3} />}</div>
                ))}</div>
              <div class="actions">
                {one.paused === true
                  ? <button type="button" class="quiet" onClick={() => act("PUT", at`/api/scheduler/schedules/${one.name}/resume`, "The schedule goes on.")}>Resume<span class="sr"> {one.name}</span></button>
                  : <button type="button" class="quiet" onClick={() => act("PUT", at`/api/scheduler/schedules/${one.name}/pause`, "The schedule is paused.")}>Pause<span class="sr"> {one.name}</span></button>}
                <button type="button" class="quiet" onClick={() => setAdding(one)}>Edit<span class="sr"> {one.name}</span></button>
                <button type="button" class="quiet" onClick={() => { if (confirm(`Delete the schedule ${one.name}?`)) act("DELETE", at`/api/scheduler/schedules/${one.name}`, "The schedule is deleted."); }}>
                  Delete<span class="sr"> {one.name}</span></button>
              </div>
            </li>
          );
        })}
      </ul>
      <Handlers />
      {adding !== false && <Add begin={adding === true ? undefined : adding} close={() => setAdding(false)}
        done={() => { setAdding(false); list.reload(); }} />}
    </section>
  );
}

interface Handler extends Obj {
  name: string;
  event: string;
  condition?: string;
  active?: boolean;
  actions?: { action: string; start_workflow?: { name?: string } }[];
}

/** What happens when something else does: event handlers, on or off. */
function Handlers() {
  const list = useLoaded<Handler[]>("handlers", () => ask("GET", "/api/event"));
  const doing = useDoing();
  const turn = (one: Handler) => doing.run(async () => {
    await ask("PUT", "/api/event", { ...one, active: one.active !== true });
    say(`${one.name} is ${one.active === true ? "off" : "on"}.`);
    list.reload();
  });
  const remove = (one: Handler) => {
    if (!confirm(`Delete the event handler ${one.name}?`)) return;
    doing.run(async () => {
      await ask("DELETE", at`/api/event/${one.name}`);
      list.reload();
    });
  };
  if (list.value === undefined || list.value.length === 0) return null;
  return (
    <>
      <div class="section-head later"><h2>Event handlers</h2></div>
      <Trouble text={doing.wrong || list.wrong} />
      <ul class="lines" aria-label="Event handlers">
        {list.value.map((one) => (
          <li key={one.name} data-handler={one.name}>
            <div><b>{one.name}</b> on <code>{one.event}</code>{" "}
              <span class={`pill ${one.active === true ? "run-good" : "run-off"}`}>{one.active === true ? "on" : "off"}</span>
              <p class="soft small">{(one.actions ?? []).map((a) =>
                `${a.action.replaceAll("_", " ")} ${a.start_workflow?.name ?? ""}`.trim()).join(", ")}
                {one.condition !== undefined && <> if <code>{one.condition}</code></>}</p></div>
            <div class="actions">
              <button type="button" class="quiet" disabled={doing.busy} onClick={() => turn(one)}>
                {one.active === true ? "Turn off" : "Turn on"}<span class="sr"> {one.name}</span></button>
              <button type="button" class="quiet" disabled={doing.busy} onClick={() => remove(one)}>Delete<span class="sr"> {one.name}</span></button>
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}

/** The next times of an expression, or what is wrong with it. */
function Next({ cron, zone, count }: { cron: string; zone: string; count: number }) {
  const key = query({ cronExpression: cron, zoneId: zone, limit: count });
  const times = useLoaded<number[] | string>(`next${key}`, async () => {
    try {
      return await ask<number[]>("GET", "/api/scheduler/nextFewSchedules" + key);
    } catch (error) {
      return wordsOf(error);
    }
  });
  if (times.value === undefined) return null;
  if (typeof times.value === "string") return <p class="tone-bad small" role="status">{times.value}</p>;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", timeZone: zone });
  } catch {
    return <p class="tone-bad small">This browser does not know the time zone {zone}.</p>;
  }
  return <p class="soft small" role="status">Next: {times.value.map((ms) => format.format(Number(ms))).join("; ")}</p>;
}

function Add({ begin, close, done }: { begin: Schedule | undefined; close: () => void; done: () => void }) {
  const first = begin?.cronSchedules?.[0];
  const [name, setName] = useState(begin?.name ?? "");
  const [cron, setCron] = useState(first?.cronExpression ?? begin?.cronExpression ?? "0 0 9 ? * MON-FRI");
  const [zone, setZone] = useState(first?.zoneId ?? begin?.zoneId ?? Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC");
  const [workflow, setWorkflow] = useState(begin?.startWorkflowRequest?.name ?? "");
  const [input, setInput] = useState(write(begin?.startWorkflowRequest?.input ?? {}));
  const list = useLoaded<Definition[]>("for schedules", () => ask("GET", "/api/metadata/workflow"));
  const doing = useDoing();
  const save = () => doing.run(async () => {
    const value = read(input);
    if (!isObject(value)) throw new Error("The input must be a JSON object.");
    const { cronSchedules: _, ...rest } = begin ?? { name };
    await ask("POST", "/api/scheduler/schedules", {
      ...rest, name, cronExpression: cron, zoneId: zone,
      startWorkflowRequest: { ...(begin?.startWorkflowRequest ?? {}), name: workflow, input: value },
    });
    say(`The schedule ${name} is saved.`);
    done();
  });
  return (
    <Dialog title={begin === undefined ? "Add schedule" : `Edit ${begin.name}`} close={close}>
      <form class="ask-form" onSubmit={(e) => { e.preventDefault(); save(); }}>
        <label>Name<input class="field" required value={name} readOnly={begin !== undefined} onInput={(e) => setName(e.currentTarget.value)} /></label>
        <label>Workflow
          <select class="field" required value={workflow} onChange={(e) => setWorkflow(e.currentTarget.value)}>
            <option value="">Choose</option>
            {newest(list.value ?? []).map((one) => <option key={one.name}>{one.name}</option>)}
          </select></label>
        <label>When: second minute hour day month weekday
          <input class="field" required value={cron} spellcheck={false} onInput={(e) => setCron(e.currentTarget.value)} /></label>
        <label>Time zone<input class="field" required value={zone} spellcheck={false} onInput={(e) => setZone(e.currentTarget.value)} /></label>
        <Next cron={cron} zone={zone} count={5} />
        <div class="form-row"><span>Input</span><JSONField label="Input as JSON" text={input} changed={setInput} /></div>
        <Trouble text={doing.wrong} />
        <div class="actions"><button type="submit" class="main" disabled={doing.busy}>Save</button>
          <button type="button" class="quiet" onClick={close}>Cancel</button></div>
      </form>
    </Dialog>
  );
}
