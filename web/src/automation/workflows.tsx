// The workflows of the company, and ready-made ones to begin with.
import { dateTime } from "../format";
import { ask, at } from "./api";
import type { Obj } from "./exact";
import { go, To } from "./route";
import { RunDialog } from "./start";
import { say, Trouble, useDoing, useLoaded } from "./widgets";
import { useState } from "preact/hooks";

export interface Definition extends Obj {
  name: string;
  version: number;
  description?: string;
  tasks: unknown[];
  updateTime?: number;
  createTime?: number;
  engine?: string;
}

/** The newest version of each, by name. */
export function newest(list: readonly Definition[]): Definition[] {
  const latest = new Map<string, Definition>();
  for (const one of list) {
    if ((latest.get(one.name)?.version ?? 0) < one.version) latest.set(one.name, one);
  }
  return [...latest.values()].sort((a, b) => a.name.localeCompare(b.name));
}

export function Workflows() {
  const list = useLoaded<Definition[]>("workflows", () => ask("GET", "/api/metadata/workflow"));
  const [starting, start] = useState<Definition>();
  const doing = useDoing();
  const remove = (one: Definition) => {
    if (!confirm(`Delete version ${one.version} of ${one.name}? Runs of it go on.`)) return;
    doing.run(async () => {
      await ask("DELETE", at`/api/metadata/workflow/${one.name}/${one.version}`);
      say(`${one.name} is deleted.`);
      list.reload();
    });
  };
  const shown = newest(list.value ?? []);
  return (
    <section>
      <div class="section-head">
        <h2>Workflows</h2>
        <button type="button" class="main end" id="add-workflow" onClick={() => go("/automation/workflows/new")}>Add workflow</button>
      </div>
      <Trouble text={doing.wrong || list.wrong} />
      {list.value !== undefined && shown.length === 0 && (
        <p class="empty">No workflows yet. Add one, or begin with a request: <To to="/automation/directory">find an API</To>.</p>
      )}
      <ul class="lines" aria-label="Workflows">
        {shown.map((one) => (
          <li key={one.name} data-workflow={one.name}>
            <div>
              <To to={`/automation/workflows/edit/${encodeURIComponent(one.name)}`} class="strong">{one.name}</To>
              {" "}<span class="soft">version {one.version}, {one.tasks.length} {one.tasks.length === 1 ? "task" : "tasks"}</span>
              {one.engine === "conductor" && <>{" "}<span class="pill">runs on a cluster</span></>}
              {one.description !== undefined && <p class="soft">{one.description}</p>}
              {(one.updateTime ?? one.createTime ?? 0) > 0 && (
                <p class="soft small">Changed {dateTime(one.updateTime ?? one.createTime ?? 0)}</p>
              )}
            </div>
            <div class="actions">
              <button type="button" class="quiet" onClick={() => start(one)}>Run<span class="sr"> {one.name}</span></button>
              <To to={`/automation/runs?name=${encodeURIComponent(one.name)}`} class="quiet">Runs<span class="sr"> of {one.name}</span></To>
              <button type="button" class="quiet" onClick={() => remove(one)}>Delete<span class="sr"> {one.name}</span></button>
            </div>
          </li>
        ))}
      </ul>
      {starting !== undefined && <RunDialog definition={starting} close={() => start(undefined)} />}
      <Templates done={list.reload} />
    </section>
  );
}

interface Template {
  name: string;
  title: string;
  description: string;
  environment?: string[];
  handlers?: unknown[];
  schedules?: unknown[];
}

/** Ready-made workflows. What starts them is off until somebody turns it on. */
function Templates({ done }: { done: () => void }) {
  const list = useLoaded<Template[]>("templates", () => ask("GET", "/api/templates"));
  const doing = useDoing();
  const use = (one: Template) => doing.run(async () => {
    await ask("POST", at`/api/templates/${one.name}`);
    const later = (one.handlers ?? []).length + (one.schedules ?? []).length > 0;
    say(`${one.title} is here.${later ? " What starts it is off: turn it on under Schedules." : ""}`);
    done();
  });
  if (list.value === undefined || list.value.length === 0) return null;
  return (
    <>
      <div class="section-head later"><h2>Ready-made</h2></div>
      <Trouble text={doing.wrong} />
      <ul class="lines" aria-label="Ready-made workflows">
        {list.value.map((one) => (
          <li key={one.name} data-template={one.name}>
            <div><b>{one.title}</b><p class="soft">{one.description}</p>
              {(one.environment ?? []).length > 0 && <p class="soft small">Set first: {one.environment?.join(", ")}</p>}</div>
            <div class="actions"><button type="button" class="quiet" disabled={doing.busy} onClick={() => use(one)}>
              Use<span class="sr"> {one.title}</span></button></div>
          </li>
        ))}
      </ul>
    </>
  );
}
