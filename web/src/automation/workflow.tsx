// The editor of a workflow: diagram, form of a task and JSON, kept in step. The text of the JSON is the truth.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Icon } from "../icons";
import { ask, at, Failure, type Trouble as Fault, wordsOf } from "./api";
import { takeCarried } from "./carried";
import { Diagram } from "./diagram";
import { DirectoryDrawer } from "./directory";
import { isObject, type Obj, read, tryRead, write } from "./exact";
import { freeName, graphOf, inputsOf, type Node, skeleton, types } from "./flowgraph";
import { JSONField } from "./jsonfield";
import { type Step, valueAt, withValue } from "./pointer";
import { beforeLeaving, To } from "./route";
import { RunDialog } from "./start";
import { TaskForm } from "./taskform";
import { Dialog, say, Trouble, useDoing, useLoaded } from "./widgets";
import type { Definition } from "./workflows";

/** How long somebody must pause before what was typed is checked. */
const CHECK_MS = 300;

const empty: Obj = { name: "", version: 1, schemaVersion: 2, inputParameters: [], tasks: [] };

export function EditorPage({ name }: { name?: string }) {
  const load = async (): Promise<Obj> => {
    if (name !== undefined) return ask<Obj>("GET", at`/api/metadata/workflow/${name}`);
    return empty;
  };
  const loaded = useLoaded<Obj>(`edit ${name ?? ""}`, load);
  if (loaded.value === undefined) return loaded.wrong === "" ? <p class="loading" role="status">Loading …</p> : <Trouble text={loaded.wrong} />;
  return <Editor begin={loaded.value} fresh={name === undefined} />;
}

/** Members that the server writes and people need not see. */
const stamps = ["createTime", "updateTime", "createdBy", "updatedBy"];

function forPeople(definition: Obj): Obj {
  const copy = { ...definition };
  for (const stamp of stamps) delete copy[stamp];
  return copy;
}

function Editor({ begin, fresh }: { begin: Obj; fresh: boolean }) {
  const e = useEditor(begin, fresh);
  const { definition } = e;
  const [drawer, setDrawer] = useState(false);
  const [adding, setAdding] = useState(false);
  const [running, setRunning] = useState(false);
  const [json, setJSON] = useState(false);
  const task = isObject(definition) && e.place !== undefined ? valueAt(definition, e.place) : undefined;
  const add = (made: Obj) => {
    setDrawer(false);
    setAdding(false);
    e.insert(made);
  };
  return (
    <section class="editor">
      <div class="section-head">
        <To to="/automation/workflows" class="tool"><Icon name="back" /><span class="sr">All workflows</span></To>
        <input class="field title" id="workflow-name" aria-label="Name of the workflow" placeholder="Name of the workflow" spellcheck={false}
          value={isObject(definition) ? String(definition["name"] ?? "") : ""} readOnly={!fresh && !e.changed}
          onInput={(event) => e.put(["name"], event.currentTarget.value)} />
        <Checked faults={e.faults} checking={e.checking} />
        <div class="actions end">
          <button type="button" class="quiet" aria-pressed={json} id="show-json" onClick={() => setJSON(!json)}>JSON</button>
          <button type="button" class="quiet" id="run-workflow" disabled={e.saved === undefined || e.changed} onClick={() => setRunning(true)}
            title={e.changed ? "Save it first" : ""}>Run</button>
          <button type="button" class="main" id="save-workflow" disabled={e.doing.busy || !e.changed} onClick={e.save}>Save</button>
        </div>
      </div>
      <Trouble text={e.doing.wrong} />
      <div class={`bench${task === undefined && !json ? "" : " two"}`}>
        <div class="left">
          <div class="actions">
            <button type="button" class="main" id="add-http" onClick={() => setDrawer(true)}><Icon name="search" />Add HTTP Task</button>
            <button type="button" class="quiet" id="add-task" aria-expanded={adding} onClick={() => setAdding(!adding)}>Add another task</button>
          </div>
          {adding && <Types add={(type) => add(skeleton(type, freeName(definition, type.toLowerCase())))} />}
          <Diagram definition={definition ?? {}} chosen={e.chosen} choose={e.choose} faulty={e.faulty} />
          {isObject(definition) && Array.isArray(definition["tasks"]) && definition["tasks"].length === 0 && (
            <p class="soft">A workflow needs a task. Add HTTP Task finds an API and prepares the request.</p>
          )}
          <Problems faults={e.faults} definition={definition} choose={e.choose} />
        </div>
        {json ? (
          <div class="right"><JSONField tall label="Definition as JSON" text={e.text} changed={e.type} troubles={e.faults} /></div>
        ) : isObject(task) && e.place !== undefined ? (
          <div class="right"><TaskForm key={e.place.join("/")} task={task} faults={within(e.faults, e.place)}
            put={(next) => e.put(e.place ?? [], next)} rename={e.rename} move={e.move} remove={e.remove} /></div>
        ) : null}
      </div>
      {drawer && <Dialog wide title="Add HTTP Task" close={() => setDrawer(false)}><DirectoryDrawer use={add} /></Dialog>}
      {running && isObject(e.saved) && <RunDialog definition={e.saved as Definition} close={() => setRunning(false)} />}
    </section>
  );
}

/** The problems below a place, with what is left of their paths. */
function within(faults: readonly Fault[], place: readonly Step[]): Fault[] {
  const prefix = pointerOf(place);
  return faults.filter((f) => f.path === prefix || f.path.startsWith(prefix + "/"))
    .map((f) => ({ ...f, path: f.path.slice(prefix.length) }));
}

function pointerOf(place: readonly Step[]): string {
  return place.map((step) => "/" + String(step).replaceAll("~", "~0").replaceAll("/", "~1")).join("");
}

/** What is being edited, and what can be done to it. */
function useEditor(begin: Obj, fresh: boolean) {
  const first = useMemo(() => {
    const task = takeCarried();
    const definition = forPeople(begin);
    return { text: write(task === undefined ? definition : appended(definition, task)), task, kept: write(definition) };
  }, []);
  const [text, setText] = useState(first.text);
  const [kept, setKept] = useState(fresh ? "" : first.kept); // the text as it was saved
  const [saved, setSaved] = useState<unknown>(fresh ? undefined : begin);
  const [chosen, setChosen] = useState<string | undefined>(first.task === undefined ? undefined : lastRef(tryRead(first.text)));
  const { faults, checking } = useCheck(text);
  const doing = useDoing();
  const definition = tryRead(text);
  const changed = text !== kept;
  const place = graphOf(definition).nodes.find((node) => node.ref !== "" && node.ref === chosen)?.path;
  const state = useRef({ changed });
  state.current = { changed };
  useEffect(() => {
    beforeLeaving(() => !state.current.changed || tasksOf(tryRead(text)).length === 0);
    return () => beforeLeaving(undefined);
  }, [text]);

  const put = (path: readonly Step[], next: unknown) => setText(write(withValue(definition ?? {}, path, next)));
  const insert = (task: Obj) => {
    const list = place === undefined ? ["tasks"] : place.slice(0, -1);
    const ref = freeName(definition, String(task["taskReferenceName"] ?? "task"));
    const tasks = Array.isArray(valueAt(definition, list)) ? [...(valueAt(definition, list) as unknown[])] : [];
    let where = place === undefined ? tasks.length : Number(place.at(-1)) + 1;
    const next = tasks[where];
    if (isObject(next) && /^(JOIN|EXCLUSIVE_JOIN)$/.test(String(next["type"]))) where++; // nothing comes between a fork and its join
    const made: unknown[] = [{ ...task, taskReferenceName: ref }];
    if (task["type"] === "FORK_JOIN") made.push({ name: "join", taskReferenceName: freeName(definition, "join"), type: "JOIN" });
    tasks.splice(where, 0, ...made);
    setText(write(declared(withValue(definition ?? {}, list, tasks))));
    setChosen(ref);
  };
  const inList = (work: (list: unknown[], i: number) => void) => {
    if (place === undefined) return;
    const list = place.slice(0, -1);
    const tasks = [...(valueAt(definition, list) as unknown[])];
    work(tasks, Number(place.at(-1)));
    setText(write(withValue(definition, list, tasks)));
  };
  return {
    text, definition, faults, checking, doing, changed, saved, chosen, place, put, insert,
    faulty: faultyRefs(definition, faults), type: setText,
    choose: (node: Node) => setChosen(node.ref === chosen ? undefined : node.ref),
    rename: (ref: string) => {
      if (place === undefined || ref === "") return;
      setText(renamed(definition, place, chosen ?? "", ref));
      setChosen(ref);
    },
    move: (by: number) => inList((tasks, i) => {
      const [one] = tasks.splice(i, 1);
      tasks.splice(Math.max(0, i + by), 0, one);
    }),
    remove: () => {
      inList((tasks, i) => { tasks.splice(i, 1); });
      setChosen(undefined);
    },
    save: () => doing.run(async () => {
      const value = read(text);
      if (!isObject(value) || value["name"] === "") throw new Error("Give the workflow a name first.");
      try {
        await ask("PUT", "/api/metadata/workflow", [value]);
      } catch (error) {
        throw error instanceof Failure && error.troubles.length > 0 ? new Error("The workflow has problems: they are listed below.") : error;
      }
      setKept(text);
      setSaved(value);
      say(`${String(value["name"])} is saved.`);
      beforeLeaving(undefined);
      if (fresh) history.replaceState(null, "", `/automation/workflows/edit/${encodeURIComponent(String(value["name"]))}`);
    }),
  };
}

function tasksOf(definition: unknown): unknown[] {
  return isObject(definition) && Array.isArray(definition["tasks"]) ? definition["tasks"] : [];
}

function appended(definition: Obj, task: Obj): Obj {
  const ref = freeName(definition, String(task["taskReferenceName"] ?? "task"));
  return declared({ ...definition, tasks: [...tasksOf(definition), { ...task, taskReferenceName: ref }] }) as Obj;
}

function lastRef(definition: unknown): string | undefined {
  const last = tasksOf(definition).at(-1);
  return isObject(last) ? String(last["taskReferenceName"]) : undefined;
}

/** The definition with the names of its input listed, as far as its expressions show them. */
function declared(definition: unknown): unknown {
  return isObject(definition) ? { ...definition, inputParameters: inputsOf(definition) } : definition;
}

/** Another reference name, in the expressions that read the task as well. */
function renamed(definition: unknown, place: readonly Step[], from: string, to: string): string {
  const text = write(withValue(definition, [...place, "taskReferenceName"], to));
  const escaped = from.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return text.replace(new RegExp(`(?<!\\$)\\$\\{${escaped}(?=[.\\[}])`, "g"), "${" + to);
}

function faultyRefs(definition: unknown, faults: readonly Fault[]): Set<string> {
  const nodes = graphOf(definition).nodes.filter((node) => node.ref !== "");
  return new Set(faults.map((f) => owner(nodes, f)?.ref ?? "").filter((ref) => ref !== ""));
}

/** The innermost task that a problem is in. */
function owner(nodes: readonly Node[], fault: Fault): Node | undefined {
  return nodes.filter((one) => (fault.path + "/").startsWith(pointerOf(one.path) + "/"))
    .sort((a, b) => b.path.length - a.path.length)[0];
}

/** Has the server check what is typed. */
function useCheck(text: string): { faults: Fault[]; checking: boolean } {
  const [found, setFound] = useState<{ text: string; faults: Fault[] }>({ text: "", faults: [] });
  useEffect(() => {
    const wait = setTimeout(() => void check(text).then((faults) => setFound({ text, faults })), CHECK_MS);
    return () => clearTimeout(wait);
  }, [text]);
  return { faults: found.faults, checking: found.text !== text };
}

async function check(text: string): Promise<Fault[]> {
  const value = tryRead(text);
  if (value === undefined) return [{ path: "", message: "is not JSON" }];
  if (tasksOf(value).length === 0) return []; // somebody has only begun
  try {
    await ask("POST", "/api/metadata/workflow/validate", isObject(value) && value["name"] === "" ? { ...value, name: "unnamed" } : value);
    return [];
  } catch (error) {
    if (error instanceof Failure && error.status !== 0) {
      return error.troubles.length > 0 ? error.troubles : [{ path: "", message: error.message }];
    }
    return [{ path: "", message: wordsOf(error) }];
  }
}

function Checked({ faults, checking }: { faults: readonly Fault[]; checking: boolean }) {
  const words = checking ? "Checking …" : faults.length === 0 ? "No problems" : `${faults.length} ${faults.length === 1 ? "problem" : "problems"}`;
  return <span role="status" id="checked" class={`pill ${checking ? "" : faults.length === 0 ? "tone-good" : "tone-bad"}`}>{words}</span>;
}

function Problems({ faults, definition, choose }: { faults: readonly Fault[]; definition: unknown; choose: (node: Node) => void }) {
  if (faults.length === 0) return null;
  const nodes = graphOf(definition).nodes.filter((node) => node.ref !== "");
  return (
    <ul class="faults" aria-label="Problems">
      {faults.map((f) => {
        const node = owner(nodes, f);
        return (
          <li key={f.path + f.message}>
            {node === undefined ? <code>{f.path || "The definition"}</code>
              : <button type="button" class="leaf" onClick={() => choose(node)}><b>{node.ref}</b> <code>{f.path.slice(pointerOf(node.path).length)}</code></button>}
            {" "}{f.message}
          </li>
        );
      })}
    </ul>
  );
}

function Types({ add }: { add: (type: string) => void }) {
  return (
    <ul class="types" aria-label="Kinds of tasks">
      {types.map(([type, words]) => (
        <li key={type}><button type="button" class="quiet" data-type={type} onClick={() => add(type)}><b>{words}</b> <span class="soft small">{type}</span></button></li>
      ))}
    </ul>
  );
}
