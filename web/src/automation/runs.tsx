// The runs of workflows: newest first, as they are this second; searched by name, state and text.
import { useState } from "preact/hooks";
import { dateTime } from "../format";
import { ask, query } from "./api";
import { go, search as address, To } from "./route";
import { StateOf, took, Trouble, useLoaded, wordsOfState } from "./widgets";

/** How often the list is looked at again, in milliseconds. */
const EVERY = 2000;
const PAGE = 50;

interface Summary {
  workflowType: string;
  version: number;
  workflowId: string;
  startTime: string;
  endTime?: string;
  status: string;
  executionTime: number;
  reasonForIncompletion?: string;
  event?: string;
  createdBy?: string;
}

const states = ["RUNNING", "PAUSED", "COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED"];

export function Runs() {
  const set = new URLSearchParams(address.value);
  const [name, state, text] = [set.get("name") ?? "", set.get("state") ?? "", set.get("text") ?? ""];
  const start = Number(set.get("start") ?? 0) || 0;
  const [words, setWords] = useState(text);
  const filter = (next: Record<string, string | number>) =>
    go("/automation/runs" + query({ name, state, text, ...next }), true);
  const conditions = [
    name === "" ? "" : `workflowType='${name.replaceAll("'", "''")}'`, state === "" ? "" : `status='${state}'`,
  ].filter((one) => one !== "").join(" AND ");
  const ask_ = "/api/workflow/search" + query({
    query: conditions, freeText: text || "*", sort: "startTime:DESC", start, size: PAGE,
  });
  const list = useLoaded<{ totalHits: number; results: Summary[] }>(ask_, () => ask("GET", ask_), EVERY);
  const found = list.value?.results ?? [];
  const total = list.value?.totalHits ?? 0;
  return (
    <section>
      <div class="section-head"><h2>Runs</h2>
        <form class="filters end" onSubmit={(e) => { e.preventDefault(); filter({ text: words, start: "" }); }}>
          {name !== "" && <button type="button" class="quiet" onClick={() => filter({ name: "", start: "" })}>Of {name} ×<span class="sr">, show all</span></button>}
          <select class="field" aria-label="State" value={state} onChange={(e) => filter({ state: e.currentTarget.value, start: "" })}>
            <option value="">Any state</option>
            {states.map((one) => <option key={one} value={one}>{wordsOfState(one)}</option>)}
          </select>
          <input class="field" type="search" aria-label="Text in id, name, input or output" placeholder="Text" value={words}
            onInput={(e) => setWords(e.currentTarget.value)} />
          <button type="submit" class="quiet">Search</button>
        </form>
      </div>
      <Trouble text={list.wrong} />
      {list.value !== undefined && found.length === 0 && <p class="empty">No runs {conditions !== "" || text !== "" ? "like that" : "yet"}.</p>}
      <ul class="lines runs" aria-label="Runs">
        {found.map((one) => (
          <li key={one.workflowId} data-run={one.workflowId}>
            <StateOf name={one.status} />
            <div>
              <To to={`/automation/runs/${encodeURIComponent(one.workflowId)}`} class="strong">{one.workflowType}</To>
              {" "}<span class="soft">version {one.version}</span>
              {one.event !== undefined && <>{" "}<span class="pill">by {one.event}</span></>}
              {one.reasonForIncompletion !== undefined && <p class="soft small clip">{one.reasonForIncompletion}</p>}
            </div>
            <span class="soft num">{dateTime(Date.parse(one.startTime))}</span>
            <span class="soft num">{one.endTime === undefined ? "" : took(one.executionTime)}</span>
          </li>
        ))}
      </ul>
      {total > PAGE && (
        <div class="actions pager">
          <button type="button" class="quiet" disabled={start === 0} onClick={() => filter({ start: Math.max(0, start - PAGE) || "" })}>Newer</button>
          <span class="soft num">{start + 1} to {start + found.length} of {total}</span>
          <button type="button" class="quiet" disabled={start + PAGE >= total} onClick={() => filter({ start: start + PAGE })}>Older</button>
        </div>
      )}
    </section>
  );
}
