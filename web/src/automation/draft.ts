// A request that somebody is putting together: as a form, as what is sent, and as a task of a workflow.
import type { Prepared, Reference } from "./directorytypes";
import { isObject, type Obj, tryRead, write } from "./exact";

export interface Row {
  name: string;
  value: string;
  required: boolean;
  on: boolean;
}

export interface Draft {
  method: string;
  url: string; // with the path's parameters in braces, without a query of its own
  path: Row[];
  query: Row[];
  headers: Row[];
  body: string; // as text; "": none
  json: boolean; // body is JSON
  form: boolean; // its members are sent as fields of a form
  name: string; // of the task
  rest: Obj; // what else a task's http_request has: timeouts and the like
}

export function draftOf(prepared: Prepared): Draft {
  const rows = (fields: Prepared["headers"]): Row[] =>
    fields.map(({ name, value, required, send }) => ({ name, value, required, on: send }));
  const task = isObject(prepared.task) ? prepared.task : {};
  const text = prepared.body === undefined;
  const json = prepared.form || /json|^\*/.test(prepared.content_type ?? "json");
  return {
    method: prepared.method, url: prepared.url, path: rows(prepared.path_parameters),
    query: rows(prepared.query_parameters), headers: rows(prepared.headers), json, form: prepared.form,
    body: text ? "" : json ? write(prepared.body) : String(prepared.body),
    name: typeof task["taskReferenceName"] === "string" ? task["taskReferenceName"] : "request", rest: {},
  };
}

/** The request of a task, to be edited and tested. */
export function draftOfTask(task: Obj): Draft {
  const input = isObject(task["inputParameters"]) ? task["inputParameters"] : {};
  const request = isObject(input["http_request"]) ? input["http_request"] : input;
  const { uri, method, headers, accept, contentType, body, ...rest } = request;
  const [url = "", ...more] = String(uri ?? "").split("?");
  const list: Row[] = Object.entries(isObject(headers) ? headers : {})
    .map(([name, value]) => ({ name, value: String(value), required: false, on: true }));
  if (contentType !== undefined || body !== undefined) {
    list.push({ name: "Content-Type", value: String(contentType ?? "application/json"), required: false, on: true });
  }
  if (typeof accept === "string") list.push({ name: "Accept", value: accept, required: false, on: true });
  return {
    method: String(method ?? "GET"), url, path: [], query: queryRows(more.join("?")), headers: list,
    body: body === undefined ? "" : typeof body === "string" ? body : write(body),
    json: typeof body !== "string", form: false, name: String(task["taskReferenceName"] ?? "request"),
    rest: Array.isArray(accept) ? { accept, ...rest } : rest,
  };
}

function queryRows(text: string): Row[] {
  if (text === "") return [];
  return text.split("&").map((pair) => {
    const [name = "", ...value] = pair.split("=");
    return { name: plain(name), value: plain(value.join("=")), required: false, on: true };
  });
}

function plain(text: string): string {
  try {
    return text.includes("${") ? text : decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

/** Text for an address; expressions stay as they are. */
function escaped(text: string): string {
  return text.split(/(\$\{[^}]*\})/).map((part) => (part.startsWith("${") ? part : encodeURIComponent(part))).join("");
}

/** Where the request goes. value says what a parameter of the path becomes. */
export function uriOf(draft: Draft, value: (row: Row) => string = (row) => row.value): string {
  let uri = draft.url;
  for (const row of draft.path) uri = uri.replaceAll(`{${row.name}}`, escaped(value(row)));
  const pairs = draft.query.filter((row) => row.on && row.name !== "")
    .map((row) => `${escaped(row.name)}=${escaped(row.value)}`);
  return pairs.length === 0 ? uri : uri + (uri.includes("?") ? "&" : "?") + pairs.join("&");
}

/** The draft as an http_request. */
export function requestOf(draft: Draft, uri = uriOf(draft)): Obj {
  const request: Obj = { uri, method: draft.method };
  const headers: Obj = {};
  for (const { name, value, on } of draft.headers) {
    if (!on || name === "") continue;
    if (/^accept$/i.test(name)) request["accept"] = value;
    else if (/^content-type$/i.test(name)) {
      if (draft.body.trim() !== "") request["contentType"] = value;
    } else headers[name] = value;
  }
  if (Object.keys(headers).length > 0) request["headers"] = headers;
  if (draft.body.trim() !== "") request["body"] = bodyOf(draft);
  return { ...request, ...draft.rest };
}

function bodyOf(draft: Draft): unknown {
  if (!draft.json) return draft.body;
  const value = tryRead(draft.body);
  if (!draft.form) return value === undefined ? draft.body : value;
  const pairs: string[] = [];
  const add = (name: string, inner: unknown): void => {
    if (Array.isArray(inner)) inner.forEach((one, i) => add(`${name}[${i}]`, one));
    else if (isObject(inner)) Object.entries(inner).forEach(([key, one]) => add(`${name}[${key}]`, one));
    else pairs.push(`${escaped(name)}=${escaped(inner === null ? "" : typeof inner === "string" ? inner : JSON.stringify(inner))}`);
  };
  if (isObject(value)) Object.entries(value).forEach(([name, inner]) => add(name, inner));
  return pairs.join("&");
}

/** A name that expressions can have. */
export function identifier(text: string): string {
  return text.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^[_0-9]+|_+$/g, "") || "value";
}

/** The draft as a task: parameters of the path come from the workflow's input unless they stay as they are. */
export function taskOf(draft: Draft, fromInput: boolean): { task: Obj; input: Obj } {
  const input: Obj = {};
  const uri = uriOf(draft, (row) => {
    if (!fromInput || row.value.includes("${")) return row.value;
    input[identifier(row.name)] = row.value;
    return "${workflow.input." + identifier(row.name) + "}";
  });
  const name = identifier(draft.name);
  return {
    task: {
      name, taskReferenceName: name, type: "HTTP", inputParameters: { http_request: requestOf(draft, uri) },
    },
    input,
  };
}

/** The host of a draft, for people. */
export function hostOf(draft: Draft): string {
  try {
    return new URL(draft.url).host;
  } catch {
    return draft.url.replace(/^\w+:\/\//, "").split("/")[0] ?? draft.url;
  }
}

/** The expressions of a request that a test needs values for; those of secrets are filled in by the server. */
export function expressionsIn(request: unknown): string[] {
  const found = new Set<string>();
  for (const [all] of (JSON.stringify(request) ?? "").matchAll(/(?<!\$)\$\{[^{}]+\}/g)) {
    if (!all.startsWith("${workflow.secrets.") && !all.startsWith("${workflow.env.")) found.add(all);
  }
  return [...found];
}

/** The request with its expressions as inputs of the test. */
export function withInputs(request: Obj, values: Record<string, string>): { request: Obj; input: Obj } {
  const input: Obj = {};
  let text = JSON.stringify(request);
  expressionsIn(request).forEach((expression, i) => {
    const value = values[expression] ?? "";
    const read = tryRead(value);
    input[`v${i}`] = read === undefined ? value : read;
    text = text.replaceAll(expression, "${workflow.input.v" + i + "}");
  });
  return { request: JSON.parse(text) as Obj, input };
}

/** The schema of a draft's body, when the reference has one that is JSON. */
export function bodySchema(reference: Reference | undefined) {
  return reference?.body?.content[0]?.schema;
}
