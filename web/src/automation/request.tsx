// The prepared request: fill it in, test it, use it.
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../icons";
import { ask, at, Failure, query, type Trouble as Fault, wordsOf } from "./api";
import { BodyForm } from "./bodyform";
import { type Draft, expressionsIn, hostOf, requestOf, type Row, withInputs } from "./draft";
import type { Prepared, Reference, Scheme } from "./directorytypes";
import { brief, write } from "./exact";
import { JSONField } from "./jsonfield";
import { type Past, ResponseOf, type Tested } from "./response";
import { Dialog, Method, Tabs, Trouble, useLoaded } from "./widgets";

export interface Operated {
  document_url: string;
  method: string;
  path: string;
}

interface Props {
  draft: Draft;
  change: (draft: Draft) => void;
  operation?: Operated | undefined;
  reference?: Reference | undefined;
  prepared?: Prepared | undefined;
  use?: (() => void) | undefined;
  free?: boolean; // the method can be chosen
}

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/** Hosts that somebody agreed to change data at, while this page lives. */
const agreed = new Set<string>();

type Tab = "params" | "headers" | "body" | "auth";

export function RequestPanel(props: Props) {
  const { draft, change, reference, prepared, operation } = props;
  const [tab, setTab] = useState<Tab>(draft.path.length > 0 || draft.query.length > 0 ? "params" : "body");
  const test = useTest(draft, operation);
  const request = requestOf(draft);
  const tabs: [Tab, string][] = [
    ["params", count("Params", [...draft.path, ...draft.query])], ["headers", count("Headers", draft.headers)],
    ["body", "Body"], ["auth", "Auth"],
  ];
  return (
    <section class="request" aria-label="Request">
      <div class="address">
        {props.free === true ? (
          <select class="field verb" aria-label="Method" value={draft.method} onChange={(e) => change({ ...draft, method: e.currentTarget.value })}>
            {[...new Set([...methods, draft.method])].map((one) => <option key={one}>{one}</option>)}
          </select>
        ) : <Method name={draft.method} />}
        <input class="field" aria-label="Address" value={draft.url} spellcheck={false}
          onInput={(e) => change({ ...draft, url: e.currentTarget.value })} />
      </div>
      <Preview uri={String(request["uri"])} />
      {(prepared?.notes ?? []).map((note) => <p class="tone-warn small" key={note}>{note}</p>)}
      <Tabs label="Parts of the request" chosen={tab} tabs={tabs} choose={setTab}>
        {tab === "params" && <Params {...props} />}
        {tab === "headers" && <Rows label="header" rows={draft.headers} reference={reference} place="header"
          change={(headers) => change({ ...draft, headers })} />}
        {tab === "body" && <BodyTab {...props} faults={test.faults} />}
        {tab === "auth" && <Auth {...props} />}
      </Tabs>
      <div class="actions">
        <button type="button" class="main" id="test-request" disabled={test.busy} onClick={() => test.start()}>
          <Icon name="play" />{test.busy ? "Sending …" : "Test request"}
        </button>
        {props.use !== undefined && (
          <button type="button" class="quiet" id="use-request" onClick={props.use}>Use in workflow</button>
        )}
        {prepared?.own === true && <span class="soft small">Runs with your own rights.</span>}
      </div>
      <Trouble text={test.wrong} />
      {test.faults.length > 0 && (
        <ul class="faults">{test.faults.map((f) => <li key={f.path + f.message}><code>{f.path}</code> {f.message}</li>)}</ul>
      )}
      {test.question !== undefined && <Question {...test.question} />}
      <ResponseOf result={test.result} task={draft.name} past={test.past} load={test.load} />
    </section>
  );
}

function count(words: string, rows: Row[]): string {
  const n = rows.filter((row) => row.on).length;
  return n === 0 ? words : `${words} ${n}`;
}

function Preview({ uri }: { uri: string }) {
  return <p class="preview soft small" title="Where it goes"><code>{uri}</code></p>;
}

interface Asked {
  host: string;
  changes: boolean;
  needed: string[];
  send: (values: Record<string, string>) => void;
  close: () => void;
}

/** Sends a draft and remembers what came of it. */
function useTest(draft: Draft, operation: Operated | undefined) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const [faults, setFaults] = useState<Fault[]>([]);
  const [result, setResult] = useState<Tested>();
  const [question, setQuestion] = useState<Asked>();
  const key = operation === undefined ? "" : query({ ...operation, limit: 12 });
  const history = useLoaded<{ items: Past[] }>(`tests${key}`, () => ask("GET", "/api/v2/x/test-requests" + (key || "?limit=8")));
  useEffect(() => setResult(undefined), [key]);

  const send = async (values: Record<string, string>) => {
    setQuestion(undefined);
    setBusy(true);
    setWrong("");
    setFaults([]);
    try {
      setResult(await ask<Tested>("POST", "/api/v2/x/test-requests", { ...withInputs(requestOf(draft), values), ...operation }));
      history.reload();
    } catch (error) {
      setWrong(wordsOf(error));
      if (error instanceof Failure) setFaults(error.troubles);
    }
    setBusy(false);
  };
  const start = () => {
    const host = hostOf(draft);
    const needed = expressionsIn(requestOf(draft));
    const changes = !["GET", "HEAD", "OPTIONS"].includes(draft.method) && !agreed.has(host);
    if (!changes && needed.length === 0) {
      void send({});
      return;
    }
    setQuestion({
      host, changes, needed, close: () => setQuestion(undefined),
      send: (values) => {
        if (changes) agreed.add(host);
        void send(values);
      },
    });
  };
  const load = (id: string) => {
    setWrong("");
    ask<Tested>("GET", at`/api/v2/x/test-requests/${id}`).then(setResult, (error: unknown) => setWrong(wordsOf(error)));
  };
  return { busy, wrong, faults, result, question, start, load, past: history.value?.items ?? [] };
}

function Question(p: Asked) {
  const [values, setValues] = useState<Record<string, string>>({});
  return (
    <Dialog title={p.changes ? "Send this request?" : "Values for the test"} close={p.close}>
      <form class="ask-form" onSubmit={(e) => { e.preventDefault(); p.send(values); }}>
        {p.changes && <p>This will change data at <b>{p.host}</b>.</p>}
        {p.needed.map((name) => (
          <label key={name}><code>{name}</code>
            <input class="field" required value={values[name] ?? ""}
              onInput={(e) => setValues({ ...values, [name]: e.currentTarget.value })} /></label>
        ))}
        <div class="actions">
          <button type="submit" class="main" id="send-it">Send it</button>
          <button type="button" class="quiet" onClick={p.close}>Cancel</button>
        </div>
      </form>
    </Dialog>
  );
}

function Params(p: Props) {
  const { draft, change, reference } = p;
  return (
    <>
      {draft.path.length > 0 && (
        <>
          <h4>Path</h4>
          {draft.path.map((row, i) => (
            <div class="form-row" key={row.name}>
              <label for={`path-${row.name}`}><code class="name">{row.name}</code> <span class="required">required</span>
                <Kind reference={reference} place="path" name={row.name} /></label>
              <input class="field" id={`path-${row.name}`} value={row.value} spellcheck={false} autocomplete="off"
                onInput={(e) => change({ ...draft, path: replaced(draft.path, i, { ...row, value: e.currentTarget.value }) })} />
            </div>
          ))}
          <h4>Query</h4>
        </>
      )}
      <Rows label="parameter" rows={draft.query} reference={reference} place="query"
        change={(rows) => change({ ...draft, query: rows })} />
    </>
  );
}

function Kind({ reference, place, name }: { reference: Reference | undefined; place: string; name: string }) {
  const known = reference?.parameters.find((one) => one.in === place && one.name === name);
  if (known === undefined) return null;
  const limits = Object.entries(known.schema.limits ?? {}).map(([what, value]) => `${what} ${brief(value)}`);
  return <span class="type" title={limits.join(", ")}> {(known.schema.types ?? []).join(" or ")} {limits.slice(0, 2).join(", ")}</span>;
}

function replaced<T>(list: readonly T[], i: number, next: T): T[] {
  return list.map((one, at) => (at === i ? next : one));
}

function Rows(p: {
  label: string; rows: Row[]; place: string; reference: Reference | undefined; change: (rows: Row[]) => void;
}) {
  const put = (i: number, next: Partial<Row>) => p.change(p.rows.map((row, at) => (at === i ? { ...row, ...next } : row)));
  return (
    <div class="rows">
      {p.rows.map((row, i) => (
        <div class="row" key={i}>
          <input type="checkbox" checked={row.on} aria-label={`Send ${row.name || p.label}`}
            onChange={(e) => put(i, { on: e.currentTarget.checked })} />
          <input class="field" aria-label={`Name of ${p.label} ${i + 1}`} value={row.name} spellcheck={false} autocomplete="off"
            readOnly={row.required} onInput={(e) => put(i, { name: e.currentTarget.value })} />
          <input class="field" aria-label={`Value of ${row.name || `${p.label} ${i + 1}`}`} value={row.value} spellcheck={false}
            autocomplete="off" onInput={(e) => put(i, { value: e.currentTarget.value, on: true })} />
          <button type="button" class="tool" title="Remove" onClick={() => p.change(p.rows.filter((_, at) => at !== i))}>
            <Icon name="close" /><span class="sr">Remove {row.name || p.label}</span>
          </button>
          <Kind reference={p.reference} place={p.place} name={row.name} />
        </div>
      ))}
      <button type="button" class="quiet" onClick={() => p.change([...p.rows, { name: "", value: "", required: false, on: true }])}>
        Add {p.label}
      </button>
    </div>
  );
}

function BodyTab({ draft, change, reference, prepared, faults }: Props & { faults: Fault[] }) {
  const schema = draft.json ? reference?.body?.content[0]?.schema : undefined;
  const [raw, setRaw] = useState(schema === undefined);
  const put = (body: string) => change({ ...draft, body });
  const troubles = faults.filter((f) => f.path.startsWith("request.body"))
    .map((f) => ({ ...f, path: "/" + f.path.split(".").slice(2).join("/") }));
  if (reference !== undefined && reference.body === undefined && draft.body === "") {
    return <p class="soft">This request has no body.</p>;
  }
  return (
    <>
      <div class="choice" role="group" aria-label="How to edit the body">
        {schema !== undefined && <button type="button" aria-pressed={!raw} onClick={() => setRaw(false)}>Form</button>}
        <button type="button" aria-pressed={raw} id="body-json" onClick={() => setRaw(true)}>{draft.json ? "JSON" : "Text"}</button>
        {prepared?.example !== undefined && (
          <button type="button" class="end" onClick={() => put(write(prepared.example))} title="A body with everything that can be set">
            Whole example</button>
        )}
      </div>
      {!raw && schema !== undefined && reference !== undefined
        ? <BodyForm schema={schema} reference={reference} text={draft.body} changed={put} />
        : draft.json ? <JSONField label="Body as JSON" text={draft.body} changed={put} troubles={troubles} />
          : <textarea class="field" rows={8} aria-label="Body as text" value={draft.body} onInput={(e) => put(e.currentTarget.value)} />}
    </>
  );
}

interface Secret {
  name: string;
  hosts: string[];
}

function Auth({ draft, change, reference, prepared }: Props) {
  const secrets = useLoaded<Secret[]>("secrets", () => ask("GET", "/api/secrets-v2"));
  const ways: Scheme[] = (reference?.auth ?? []).flat();
  if (prepared?.own === true) {
    return <p class="soft">This is Switchboard’s own API: the test runs with your rights, a workflow with those of whoever starts it.</p>;
  }
  const carriers = [...draft.headers, ...draft.query].filter((row) => row.value.includes("${workflow.secrets."));
  const bind = (row: Row, name: string) => {
    const value = row.value.replace(/\$\{workflow\.secrets\.[^}]*\}/, "${workflow.secrets." + name + "}");
    const put = (rows: Row[]) => rows.map((one) => (one === row ? { ...row, value } : one));
    change({ ...draft, headers: put(draft.headers), query: put(draft.query) });
  };
  return (
    <>
      {carriers.map((row) => {
        const chosen = /\$\{workflow\.secrets\.([^}.]*)/.exec(row.value)?.[1] ?? "";
        const known = secrets.value?.some((one) => one.name === chosen) === true;
        return (
          <div class="form-row" key={row.name}>
            <label for={`auth-${row.name}`}><code class="name">{row.name}</code> from the secret</label>
            <select class="field" id={`auth-${row.name}`} value={chosen} onChange={(e) => bind(row, e.currentTarget.value)}>
              {!known && <option value={chosen}>{chosen} (not stored yet)</option>}
              {(secrets.value ?? []).map((one) => <option key={one.name}>{one.name}</option>)}
            </select>
            {!known && <NewSecret name={chosen} host={hostOf(draft)} done={secrets.reload} />}
          </div>
        );
      })}
      {carriers.length === 0 && (
        <p class="soft">{ways.length === 0 ? "The document asks for no authentication." : "No secret is used."} To use one, write
          {" "}<code>{"${workflow.secrets.NAME}"}</code> into a header.</p>
      )}
      <p class="soft small">A secret is put in when the request is sent, only to the hosts it is bound to. It is never shown.</p>
    </>
  );
}

function NewSecret({ name, host, done }: { name: string; host: string; done: () => void }) {
  const [value, setValue] = useState("");
  const [wrong, setWrong] = useState("");
  const save = async () => {
    try {
      await ask("PUT", at`/api/secrets/${name}` + query({ hosts: host }), JSON.stringify(value));
      done();
    } catch (error) {
      setWrong(wordsOf(error));
    }
  };
  return (
    <div class="inline-form">
      <input class="field" type="password" autocomplete="off" aria-label={`Value of the secret ${name}`} value={value}
        placeholder="Paste its value" onInput={(e) => setValue(e.currentTarget.value)} />
      <button type="button" class="quiet" disabled={value === ""} onClick={() => void save()}>Store, for {host} only</button>
      <Trouble text={wrong} />
    </div>
  );
}
