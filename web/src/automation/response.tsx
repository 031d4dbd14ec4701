// What an API answered: status, times, body, and whether it fits what the document promises.
import { useState } from "preact/hooks";
import { clockTime, dateTime } from "../format";
import { brief, isObject, type Obj, read, tryRead, write } from "./exact";
import { compareLines } from "./compare";
import type { Step } from "./pointer";
import { ask, at } from "./api";
import { bytes, copy, Dialog, Method, Tabs, took } from "./widgets";

export interface Verdict {
  findings: { in: string; at: string; message: string }[];
  unchecked?: string;
}

interface Sent {
  method: string;
  url: string;
  headers: Record<string, string[]>;
  body: string;
  size: number;
  statusCode: number;
  location?: string;
  droppedHeaders?: string[];
  address: string;
  times: { dnsMs: number; connectMs: number; tlsMs: number; firstByteMs: number; totalMs: number };
}

interface Answer {
  statusCode: number;
  reasonPhrase: string;
  protocol: string;
  headers: Record<string, string[]>;
  body: string;
  pretty: string;
  size: number;
  truncated: boolean;
  bodyEncoding?: string;
  tls?: Record<string, string>;
}

export interface Tested {
  id: string;
  date: string;
  state: string;
  reason?: string;
  request?: Obj;
  output?: Obj;
  exchange?: { requests: Sent[]; response?: Answer; durationMs: number; curl: string; own: boolean; error?: string };
  request_verdict?: Verdict;
  response_verdict?: Verdict;
}

/** A test in the history. */
export interface Past {
  id: string;
  date: string;
  state: string;
  method: string;
  url: string;
  status_code: string;
  duration_ms: string;
  reason?: string;
}

type Tab = "tree" | "pretty" | "raw" | "headers" | "request";

export function ResponseOf(p: { result: Tested | undefined; task: string; past: Past[]; load: (id: string) => void }) {
  return (
    <section class="response" aria-label="Response">
      {p.result !== undefined && <Result key={p.result.id} result={p.result} task={p.task} />}
      {p.past.length > 0 && <History past={p.past} shown={p.result?.id} load={p.load} />}
    </section>
  );
}

function Result({ result, task }: { result: Tested; task: string }) {
  const [tab, setTab] = useState<Tab>("tree");
  const x = result.exchange;
  const answer = x?.response;
  const good = answer !== undefined && answer.statusCode < 400;
  return (
    <div data-result={answer?.statusCode ?? "none"} aria-live="polite">
      <div class="verdict">
        {answer === undefined ? <span class="status tone-bad">No answer</span>
          : <span class={`status ${good ? "tone-good" : "tone-bad"}`}>{answer.statusCode} {answer.reasonPhrase}</span>}
        {x !== undefined && <span>{took(x.durationMs)}</span>}
        {answer !== undefined && <span>{bytes(answer.size)}{answer.truncated && ", cut"}</span>}
        {x?.own === true && <span class="soft">answered inside</span>}
        <Fits what="Request" verdict={result.request_verdict} />
        <Fits what="Response" verdict={result.response_verdict} />
        {x !== undefined && <button type="button" class="quiet end" onClick={() => void copy(x.curl)}>Copy as curl</button>}
      </div>
      {answer === undefined && <p class="tone-bad">{result.reason ?? x?.error ?? `The run is ${result.state}.`}</p>}
      <Findings what="request" verdict={result.request_verdict} />
      <Findings what="response" verdict={result.response_verdict} />
      {x !== undefined && x.requests.length > 1 && <Redirects hops={x.requests} />}
      {answer !== undefined && x !== undefined && (
        <Tabs label="Parts of the response" chosen={tab} choose={setTab} tabs={[
          ["tree", "Tree"], ["pretty", "Pretty"], ["raw", "Raw"],
          ["headers", `Headers ${Object.keys(answer.headers).length}`], ["request", "Request"],
        ]}>
          {tab === "tree" && <Body answer={answer} task={task} />}
          {tab === "pretty" && <pre tabIndex={0}>{answer.pretty || answer.body}</pre>}
          {tab === "raw" && <pre tabIndex={0}>{answer.body}</pre>}
          {tab === "headers" && <Headers of={answer.headers} />}
          {tab === "request" && x.requests.map((sent, i) => <SentOf key={i} sent={sent} />)}
        </Tabs>
      )}
    </div>
  );
}

function Fits({ what, verdict }: { what: string; verdict: Verdict | undefined }) {
  if (verdict === undefined) return null;
  if (verdict.unchecked !== undefined) return <span class="soft" title={verdict.unchecked}>{what} not compared</span>;
  const n = verdict.findings.length;
  return n === 0 ? <span class="pill tone-good">{what} fits the document</span>
    : <span class="pill tone-warn">{what}: {n} {n === 1 ? "finding" : "findings"}</span>;
}

function Findings({ what, verdict }: { what: string; verdict: Verdict | undefined }) {
  if (verdict === undefined || verdict.findings.length === 0) return null;
  return (
    <ul class="faults">
      {verdict.findings.map((f, i) => <li key={i}>{what} {f.in} <code>{f.at}</code> {f.message}</li>)}
    </ul>
  );
}

function Redirects({ hops }: { hops: Sent[] }) {
  return (
    <ol class="hops">
      {hops.map((hop, i) => (
        <li key={i}><Method name={hop.method} /> <code>{hop.url}</code> {hop.statusCode}
          {(hop.droppedHeaders ?? []).length > 0 && <span class="soft"> without {hop.droppedHeaders?.join(", ")}</span>}</li>
      ))}
    </ol>
  );
}

function Headers({ of }: { of: Record<string, string[]> }) {
  return (
    <dl class="headers">
      {Object.entries(of).map(([name, values]) => <div key={name}><dt>{name}</dt><dd>{values.join(", ")}</dd></div>)}
    </dl>
  );
}

function SentOf({ sent }: { sent: Sent }) {
  const { dnsMs, connectMs, tlsMs, firstByteMs, totalMs } = sent.times;
  return (
    <div>
      <p><Method name={sent.method} /> <code>{sent.url}</code></p>
      <p class="soft small">{sent.address !== "" && <>to {sent.address}, </>}
        {dnsMs > 0 && `name ${took(dnsMs)}, `}{connectMs > 0 && `connecting ${took(connectMs)}, `}
        {tlsMs > 0 && `TLS ${took(tlsMs)}, `}{firstByteMs > 0 && `first byte after ${took(firstByteMs)}, `}all {took(totalMs)}</p>
      <Headers of={sent.headers} />
      {sent.body !== "" && <pre tabIndex={0}>{sent.body}</pre>}
    </div>
  );
}

function Body({ answer, task }: { answer: Answer; task: string }) {
  if (answer.body === "") return <p class="soft">The body is empty.</p>;
  const value = answer.truncated || answer.bodyEncoding !== undefined ? undefined : tryRead(answer.body);
  if (value === undefined) return <pre tabIndex={0}>{answer.body}</pre>;
  return (
    <>
      <p class="soft small">Choose a value to copy its expression for later tasks.</p>
      <Tree value={value} path={[]} root={"${" + task + ".output.response.body"} />
    </>
  );
}

/** How an expression goes on to a member. */
function step(at: Step): string {
  if (typeof at === "number") return `[${at}]`;
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(at) ? `.${at}` : `['${at.replaceAll("'", "\\'")}']`;
}

const SHOWN = 200; // members of one object or list

/** A JSON value to walk through; each value copies its expression. */
export function Tree({ value, path, root }: { value: unknown; path: readonly Step[]; root: string }) {
  const entries: [Step, unknown][] = Array.isArray(value) ? value.map((v, i): [Step, unknown] => [i, v])
    : isObject(value) ? Object.entries(value) : [];
  if (!Array.isArray(value) && !isObject(value)) return <Leaf name="value" value={value} root={root} path={path} />;
  return (
    <ul class="json-tree">
      {entries.slice(0, SHOWN).map(([name, inner]) => {
        const deep = Array.isArray(inner) || isObject(inner);
        const here = [...path, name];
        return (
          <li key={name}>
            {deep ? (
              <details open={path.length < 1 && entries.length < 30}>
                <summary><code class="name">{name}</code> <span class="type">
                  {Array.isArray(inner) ? `${inner.length} items` : `${Object.keys(inner as object).length} members`}</span></summary>
                <Tree value={inner} path={here} root={root} />
              </details>
            ) : <Leaf name={String(name)} value={inner} root={root} path={here} />}
          </li>
        );
      })}
      {entries.length > SHOWN && <li class="soft">and {entries.length - SHOWN} more</li>}
      {entries.length === 0 && <li class="soft">empty</li>}
    </ul>
  );
}

function Leaf({ name, value, root, path }: { name: string; value: unknown; root: string; path: readonly Step[] }) {
  const expression = root + path.map(step).join("") + "}";
  return (
    <button type="button" class="leaf" data-expression={expression} title={`Copy ${expression}`} onClick={() => void copy(expression)}>
      <code class="name">{name}</code> <span class={`value kind-${value === null ? "null" : typeof value}`}>{shown(value)}</span>
    </button>
  );
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : brief(value);
}

function History({ past, shown: now, load }: { past: Past[]; shown: string | undefined; load: (id: string) => void }) {
  const [picked, setPicked] = useState<string[]>([]);
  const [both, setBoth] = useState<[Tested, Tested]>();
  const pick = (id: string, on: boolean) => setPicked(on ? [...picked, id].slice(-2) : picked.filter((one) => one !== id));
  const compare = async () => {
    const [a, b] = await Promise.all(past.filter((one) => picked.includes(one.id)).reverse()
      .map((one) => ask<Tested>("GET", at`/api/v2/x/test-requests/${one.id}`)));
    if (a !== undefined && b !== undefined) setBoth([a, b]);
  };
  return (
    <details class="history">
      <summary>Tests before ({past.length})</summary>
      <ul>
        {past.map((one) => (
          <li key={one.id} aria-current={one.id === now ? "true" : undefined}>
            <input type="checkbox" checked={picked.includes(one.id)} aria-label={`Compare the test of ${clockTime(Number(one.date))}`}
              onChange={(e) => pick(one.id, e.currentTarget.checked)} />
            <button type="button" class="leaf" onClick={() => load(one.id)}>
              <span class={`status ${one.state === "COMPLETED" ? "tone-good" : "tone-bad"}`}>
                {one.status_code === "0" ? "No answer" : one.status_code}</span>
              <span class="num">{dateTime(Number(one.date))}</span> <span>{took(Number(one.duration_ms))}</span>
              <code>{one.url}</code>
            </button>
          </li>
        ))}
      </ul>
      <button type="button" class="quiet" disabled={picked.length !== 2} onClick={() => void compare()}>Compare two</button>
      {both !== undefined && (
        <Dialog wide title="Two answers" close={() => setBoth(undefined)}><Compared older={both[0]} newer={both[1]} /></Dialog>
      )}
    </details>
  );
}

function Compared({ older, newer }: { older: Tested; newer: Tested }) {
  const lines = compareLines(textOf(older), textOf(newer));
  const changed = lines.filter(([mark]) => mark !== " ").length;
  return (
    <>
      <p class="soft">{dateTime(Number(older.date))} and {dateTime(Number(newer.date))}: {changed === 0 ? "the same" : `${changed} lines differ`}.</p>
      <pre class="diff" tabIndex={0}>
        {lines.map(([mark, text], i) => <div key={i} class={mark === "+" ? "plus" : mark === "-" ? "minus" : ""}>{mark} {text}</div>)}
      </pre>
    </>
  );
}

function textOf(t: Tested): string {
  const answer = t.exchange?.response;
  if (answer === undefined) return t.reason ?? "no answer";
  let body = answer.body;
  if (answer.pretty !== "") body = write(read(answer.body));
  return `${answer.statusCode} ${answer.reasonPhrase}\n${body}`;
}
