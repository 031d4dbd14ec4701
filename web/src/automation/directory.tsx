// The API directory: search as you type, read the reference, fill in the request, test it, take it into a workflow.
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icons";
import { ask, query, wordsOf } from "./api";
import { Documents } from "./documents";
import { type Draft, draftOf, taskOf } from "./draft";
import type { Item, Operation } from "./directorytypes";
import { isObject, type Obj } from "./exact";
import { ReferenceOf } from "./reference";
import { RequestPanel } from "./request";
import { go, search as address } from "./route";
import { bytes, Dialog, Method, Trouble } from "./widgets";
import { carry, remember } from "./carried";
import { PickWorkflow } from "./pick";

/** How many results a search shows. */
const RESULTS = 40;
/** A company has 20 requests a second: typing leaves room for others. */
const SEARCH_EVERY_MS = 80;
const RECENT = "automation-recent";
const RECENT_MOST = 8;

function recent(): Item[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
    return Array.isArray(list) ? list.filter(isObject).map((one) => one as unknown as Item) : [];
  } catch {
    return []; // a browser may keep nothing
  }
}

function keep(item: Item): void {
  const list = [item, ...recent().filter((one) => one.path !== item.path || one.method !== item.method)];
  try {
    localStorage.setItem(RECENT, JSON.stringify(list.slice(0, RECENT_MOST)));
  } catch {
    // then there are none to come back to
  }
}

const same = (a: Item | undefined, b: Item) =>
  a?.document_url === b.document_url && a.method === b.method && a.path === b.path;

/** The directory as a page of its own: what is chosen is in the address. */
export function DirectoryPage() {
  const chosen = fromAddress(address.value);
  return (
    <Directory chosen={chosen} choose={(item) => go("/automation/directory" + query({
      document_url: item.document_url, method: item.method, path: item.path,
    }), chosen !== undefined)} />
  );
}

function fromAddress(text: string): Item | undefined {
  const set = new URLSearchParams(text);
  const [document_url, method, path] = ["document_url", "method", "path"].map((name) => set.get(name) ?? "");
  if (!document_url || !method || !path) return undefined;
  return { provider: "", api: "", version: "", operation_id: "", summary: "", document_url, method, path };
}

/** The directory within another page: use hears which task was made. */
export function DirectoryDrawer({ use }: { use: (task: Obj) => void }) {
  const [chosen, choose] = useState<Item>();
  return <Directory chosen={chosen} choose={choose} use={use} />;
}

function Directory(p: { chosen: Item | undefined; choose: (item: Item) => void; use?: (task: Obj) => void }) {
  const [documents, setDocuments] = useState(false);
  return (
    <div class={`directory${p.chosen === undefined ? "" : " has-chosen"}`}>
      <div class="finder">
        <Finder chosen={p.chosen} choose={(item) => { keep(item); p.choose(item); }} />
        <button type="button" class="quiet" id="documents" onClick={() => setDocuments(true)}>Documents</button>
        {documents && <Dialog wide title="API documents" close={() => setDocuments(false)}><Documents /></Dialog>}
      </div>
      {p.chosen !== undefined && <OneOperation key={`${p.chosen.document_url} ${p.chosen.method} ${p.chosen.path}`}
        item={p.chosen} use={p.use} />}
    </div>
  );
}

function Finder({ chosen, choose }: { chosen: Item | undefined; choose: (item: Item) => void }) {
  const [words, setWords] = useState("");
  const [found, setFound] = useState<Item[]>(recent);
  const [active, setActive] = useState(-1);
  const [wrong, setWrong] = useState("");
  const [loading, setLoading] = useState(false);
  const turn = useRef(0);
  const list = useRef<HTMLUListElement>(null);

  const later = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const asked = useRef(0); // when the last question was put

  const type = (text: string) => {
    setWords(text);
    setActive(-1);
    clearTimeout(later.current);
    turn.current++; // an answer that comes after this is old
    if (text.trim() === "") {
      setFound(recent());
      return;
    }
    setLoading(true);
    later.current = setTimeout(() => void look(text), Math.max(0, asked.current + SEARCH_EVERY_MS - Date.now()));
  };
  const look = async (text: string) => {
    asked.current = Date.now();
    const own = turn.current;
    try {
      const { items } = await ask<{ items: Item[] }>("GET", "/api/v2/x/directory/search" + query({ q: text, limit: RESULTS }));
      if (own !== turn.current) return;
      setFound(items);
      setActive(items.length > 0 ? 0 : -1);
      setWrong("");
    } catch (error) {
      if (own === turn.current) setWrong(wordsOf(error));
    }
    if (own === turn.current) setLoading(false);
  };
  const key = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const item = found[active];
    if (step !== undefined) {
      event.preventDefault();
      setActive(Math.max(0, Math.min(found.length - 1, active + step)));
    } else if (event.key === "Enter" && item !== undefined) {
      event.preventDefault();
      choose(item);
    }
  };
  useEffect(() => list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }), [active]);
  return (
    <div class="find">
      <label class="search wide-search">
        <Icon name="search" /><span class="sr">Search operations of web APIs</span>
        <input type="text" inputMode="search" id="find" role="combobox" list={undefined} aria-expanded={found.length > 0} aria-controls="found" autocomplete="off"
          aria-activedescendant={active >= 0 ? `found-${active}` : undefined} aria-autocomplete="list"
          placeholder="Search an API, such as call center update" value={words}
          onInput={(e) => type(e.currentTarget.value)} onKeyDown={key} />
      </label>
      <Trouble text={wrong} />
      <p class="soft small" role="status">{words.trim() === "" ? (found.length > 0 ? "Opened before" : "")
        : found.length === 0 ? (loading ? "Searching …" : "Nothing is called that.") : `${found.length}${found.length === RESULTS ? " or more" : ""} found`}</p>
      <ul class="found" id="found" role="listbox" aria-label="Operations" ref={list}>
        {found.map((item, i) => (
          <li key={i} id={`found-${i}`} role="option" aria-selected={i === active} data-operation={`${item.method} ${item.path}`}
            class={same(chosen, item) ? "chosen" : ""} onClick={() => { setActive(i); choose(item); }}>
            <span class="found-head"><Method name={item.method} /><code>{item.path}</code></span>
            <span class="found-api">{item.summary !== "" && <b>{item.summary}</b>} {item.api} <span class="soft">{item.version}</span>
              {item.provider !== item.api && <span class="soft"> {item.provider}</span>}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Loads an operation; a document that is being fetched is asked for again until it is here. */
function useOperation(item: Item): { operation: Operation | undefined; wrong: string; again: () => void } {
  const [operation, setOperation] = useState<Operation>();
  const [wrong, setWrong] = useState("");
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let over = false;
    const once = async (): Promise<void> => {
      try {
        const { document_url, method, path } = item;
        const next = await ask<Operation>("GET", "/api/v2/x/directory/operation" + query({ document_url, method, path, wait: 1 }));
        if (over) return;
        setOperation(next);
        setWrong("");
        if (next.state === "loading") setTimeout(() => { if (!over) void once(); }, 250);
      } catch (error) {
        if (!over) setWrong(wordsOf(error));
      }
    };
    setOperation(undefined);
    void once();
    return () => { over = true; };
  }, [turn]);
  return { operation, wrong, again: () => setTurn(turn + 1) };
}

function OneOperation({ item, use }: { item: Item; use?: ((task: Obj) => void) | undefined }) {
  const { operation, wrong, again } = useOperation(item);
  const [draft, setDraft] = useState<Draft>();
  const [using, setUsing] = useState(false);
  const prepared = operation?.prepared;
  const reference = operation?.reference;
  useEffect(() => { if (prepared !== undefined) setDraft(draftOf(prepared)); }, [prepared]);

  if (wrong !== "" || operation?.state === "failed") {
    return (
      <div class="loading">
        <Trouble text={wrong || operation?.message || "The document could not be had."} />
        <button type="button" class="quiet" onClick={again}>Try again</button>
      </div>
    );
  }
  if (reference === undefined || draft === undefined) return <Loading operation={operation} />;
  const taken = () => {
    const made = taskOf(draft, true);
    remember(made.input);
    if (use !== undefined) use(made.task);
    else {
      carry(made.task);
      setUsing(true);
    }
  };
  return (
    <>
      <ReferenceOf reference={reference} />
      <RequestPanel draft={draft} change={setDraft} reference={reference} prepared={prepared} use={taken}
        operation={{ document_url: item.document_url, method: item.method, path: item.path }} />
      {using && <PickWorkflow close={() => setUsing(false)} />}
    </>
  );
}

function Loading({ operation }: { operation: Operation | undefined }) {
  const received = Number(operation?.received_bytes ?? 0);
  const total = Number(operation?.total_bytes ?? 0);
  return (
    <div class="loading" role="status">
      <p>Loading the reference{received > 0 && `: ${bytes(received)}${total > 0 ? ` of ${bytes(total)}` : ""}`} …</p>
      {total > 0 && <progress max={total} value={received} aria-label="Loaded" />}
    </div>
  );
}
