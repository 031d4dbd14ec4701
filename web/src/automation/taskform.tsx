// The form of one task: what every task has, its request if it sends one, and the rest as JSON.
import { useRef, useState } from "preact/hooks";
import { Icon } from "../icons";
import { ask, type Trouble as Fault } from "./api";
import { type Draft, draftOfTask, requestOf } from "./draft";
import { isObject, type Obj, tryRead, write } from "./exact";
import { JSONField } from "./jsonfield";
import { RequestPanel } from "./request";
import { say, Tabs, Trouble, useDoing, useLoaded } from "./widgets";

interface Props {
  task: Obj;
  faults: Fault[];
  put: (task: Obj) => void;
  rename: (ref: string) => void;
  move: (by: number) => void;
  remove: () => void;
}

export function TaskForm(p: Props) {
  const { task } = p;
  const type = String(task["type"] ?? "SIMPLE");
  const sends = type === "HTTP" || type === "HTTP_POLL";
  const [tab, setTab] = useState<"request" | "task" | "json">(sends ? "request" : "task");
  const tabs = [["request", "Request"], ["task", "Task"], ["json", "JSON"]] as const;
  return (
    <section class="task-form" aria-label={`Task ${String(task["taskReferenceName"] ?? "")}`}>
      <div class="section-head">
        <h2>{String(task["taskReferenceName"] ?? "")}</h2><span class="soft small">{type}</span>
        <div class="actions end">
          <button type="button" class="tool" title="Earlier" onClick={() => p.move(-1)}><span aria-hidden="true">↑</span><span class="sr">Earlier</span></button>
          <button type="button" class="tool" title="Later" onClick={() => p.move(1)}><span aria-hidden="true">↓</span><span class="sr">Later</span></button>
          <button type="button" class="tool" title="Remove the task" onClick={p.remove}><Icon name="close" /><span class="sr">Remove the task</span></button>
        </div>
      </div>
      {p.faults.length > 0 && (
        <ul class="faults">{p.faults.map((f) => <li key={f.path + f.message}><code>{f.path}</code> {f.message}</li>)}</ul>
      )}
      <Tabs label="Parts of the task" chosen={tab} choose={setTab} tabs={sends ? tabs : tabs.slice(1)}>
        {tab === "request" && <RequestOf {...p} />}
        {tab === "task" && <Common {...p} sends={sends} />}
        {tab === "json" && <Whole {...p} />}
      </Tabs>
    </section>
  );
}

/** The request of the task. The draft is kept here, since its rows say more than the task does. */
function RequestOf({ task, put }: Props) {
  const [draft, setDraft] = useState<Draft>(() => draftOfTask(task));
  const written = useRef(write(task["inputParameters"]));
  let shown = draft;
  if (write(task["inputParameters"]) !== written.current) { // it was changed elsewhere
    shown = draftOfTask(task);
    written.current = write(task["inputParameters"]);
  }
  const change = (next: Draft) => {
    setDraft(next);
    const input = isObject(task["inputParameters"]) ? task["inputParameters"] : {};
    const inside = isObject(input["http_request"]) || !("uri" in input);
    const made = inside ? { ...input, http_request: requestOf(next) } : requestOf(next);
    written.current = write(made);
    put({ ...task, inputParameters: made });
  };
  return <RequestPanel free draft={{ ...shown, name: String(task["taskReferenceName"] ?? "") }} change={change} />;
}

function Common({ task, put, rename, sends }: Props & { sends: boolean }) {
  const [ref, setRef] = useState(String(task["taskReferenceName"] ?? ""));
  const set = (name: string, value: unknown) => {
    const next = { ...task };
    if (value === undefined) delete next[name];
    else next[name] = value;
    put(next);
  };
  const number = (text: string) => (text === "" ? undefined : Math.max(0, Math.trunc(Number(text)) || 0));
  return (
    <div class="fields">
      <label class="form-row"><span>Reference name, for expressions</span>
        <input class="field" value={ref} spellcheck={false} onInput={(e) => setRef(e.currentTarget.value)} onChange={() => rename(ref.trim())} /></label>
      <label class="form-row"><span>Name, of its task definition</span>
        <input class="field" value={String(task["name"] ?? "")} spellcheck={false} onInput={(e) => set("name", e.currentTarget.value)} /></label>
      <label class="form-row"><span>Description</span>
        <input class="field" value={String(task["description"] ?? "")} onInput={(e) => set("description", e.currentTarget.value || undefined)} /></label>
      <label class="check"><input type="checkbox" checked={task["optional"] === true} onChange={(e) => set("optional", e.currentTarget.checked)} />
        Optional: the workflow goes on when it fails</label>
      <label class="form-row"><span>Seconds to wait before it</span>
        <input class="field" type="number" min="0" value={String(task["startDelay"] ?? 0)} onInput={(e) => set("startDelay", number(e.currentTarget.value) ?? 0)} /></label>
      {sends && <Retries task={task} set={set} />}
      {!sends && (
        <div class="form-row"><span>Input</span>
          <JSONField label="Input of the task as JSON" text={write(task["inputParameters"] ?? {})}
            changed={(text) => { const value = tryRead(text); if (isObject(value)) set("inputParameters", value); }} /></div>
      )}
    </div>
  );
}

/** A request is tried again only if its name has a task definition: shown, and offered. */
function Retries({ task, set }: { task: Obj; set: (name: string, value: unknown) => void }) {
  const name = String(task["name"] ?? "");
  const known = useLoaded<Obj[]>("taskdefs", () => ask("GET", "/api/metadata/taskdefs"));
  const doing = useDoing();
  const definition = known.value?.find((one) => one["name"] === name);
  const save = () => doing.run(async () => {
    await ask("POST", "/api/metadata/taskdefs", [{ name, retryCount: 3, retryLogic: "EXPONENTIAL_BACKOFF", retryDelaySeconds: 5 }]);
    known.reload();
    say(`Tasks named ${name} are tried again, up to 3 times.`);
  });
  return (
    <div class="retries">
      {definition === undefined ? (
        <p class="soft">There is no task definition {name}: when the request fails it is not tried again.{" "}
          <button type="button" class="quiet" disabled={doing.busy || name === ""} onClick={save}>Save as task definition with 3 retries</button></p>
      ) : (
        <>
          <p class="soft">The task definition {name}: {String(definition["retryCount"])} retries, {String(definition["retryLogic"]).toLowerCase().replaceAll("_", " ")},
            {" "}{String(definition["retryDelaySeconds"])} s.</p>
          <label class="form-row"><span>Retries of this task</span>
            <input class="field" type="number" min="0" max="100" placeholder={String(definition["retryCount"])} value={String(task["retryCount"] ?? "")}
              onInput={(e) => set("retryCount", e.currentTarget.value === "" ? undefined : Number(e.currentTarget.value))} /></label>
        </>
      )}
      <p class="soft small">A request may be sent twice after a crash: it carries an Idempotency-Key, the id of the task.</p>
      <Trouble text={doing.wrong} />
    </div>
  );
}

function Whole({ task, put, faults }: Props) {
  const [text, setText] = useState(write(task));
  const own = useRef(write(task));
  let shown = text;
  if (write(task) !== own.current) {
    shown = write(task);
    own.current = shown;
  }
  return (
    <JSONField tall label="Task as JSON" text={shown} troubles={faults} changed={(next) => {
      setText(next);
      const value = tryRead(next);
      if (!isObject(value)) return;
      own.current = write(value);
      put(value);
    }} />
  );
}
