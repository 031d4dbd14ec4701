// JSON pointers (RFC 6901): values by them, and where in a text they lead.
import { isObject } from "./exact";

export type Step = string | number;

export function steps(pointer: string): string[] {
  return pointer.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The value at a path; undefined: there is none. */
export function valueAt(value: unknown, path: readonly Step[]): unknown {
  for (const step of path) {
    if (Array.isArray(value)) value = value[Number(step)];
    else if (isObject(value)) value = value[step];
    else return undefined;
  }
  return value;
}

/** A copy with another value at a path; undefined removes it. What is missing on the way is made. */
export function withValue(value: unknown, path: readonly Step[], next: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return next;
  if (Array.isArray(value) || (value === undefined && typeof step === "number")) {
    const list = Array.isArray(value) ? [...value] : [];
    const inner = withValue(list[Number(step)], rest, next);
    if (inner === undefined) list.splice(Number(step), 1);
    else list[Number(step)] = inner;
    return list;
  }
  const copy = isObject(value) ? { ...value } : {};
  const inner = withValue(copy[step], rest, next);
  if (inner === undefined) delete copy[step];
  else copy[step] = inner;
  return copy;
}

/** From where to where a value stands in a text of sound JSON; the whole first line where it is not found. */
export function placeOf(text: string, pointer: string): [number, number] {
  let at = skip(text, 0);
  for (const step of steps(pointer)) {
    const next = member(text, at, step);
    if (next === undefined) break;
    at = next;
  }
  if (pointer === "" || at >= text.length) return [0, Math.max(0, text.indexOf("\n"))];
  const line = text.indexOf("\n", at);
  return [at, Math.min(end(text, at), line < 0 ? text.length : line)];
}

function skip(text: string, at: number): number {
  while (at < text.length && /[\s,:]/.test(text[at] ?? "")) at++;
  return at;
}

/** Where the value at a position ends. */
function end(text: string, at: number): number {
  const first = text[at];
  if (first === '"') {
    for (at++; at < text.length && text[at] !== '"'; at++) {
      if (text[at] === "\\") at++;
    }
    return at + 1;
  }
  if (first !== "{" && first !== "[") {
    while (at < text.length && !/[\s,\]}]/.test(text[at] ?? "")) at++;
    return at;
  }
  for (at = skip(text, at + 1); at < text.length && text[at] !== "}" && text[at] !== "]"; at = skip(text, at)) {
    at = end(text, at);
  }
  return at + 1;
}

function member(text: string, at: number, step: string): number | undefined {
  const list = text[at] === "[";
  if (!list && text[at] !== "{") return undefined;
  let place = 0;
  for (at = skip(text, at + 1); at < text.length && text[at] !== "}" && text[at] !== "]"; at = skip(text, at)) {
    let name = String(place++);
    if (!list) {
      const close = end(text, at);
      name = JSON.parse(text.slice(at, close)) as string;
      at = skip(text, close);
    }
    if (name === step) return at;
    at = end(text, at);
  }
  return undefined;
}
