// What the pages ask the server. The browser's session vouches for them; no key is ever in a page.
import { read } from "./exact";

/** One thing that was wrong with a request: a dotted path or a JSON pointer, and words. */
export interface Trouble {
  path: string;
  message: string;
}

/** A request that failed, in words for people. */
export class Failure extends Error {
  constructor(readonly status: number, message: string, readonly troubles: Trouble[] = []) {
    super(message);
  }
}

interface Refusal {
  message?: string;
  error?: { message?: string; errors?: { location?: string; message: string }[] };
  validationErrors?: Trouble[];
}

/** Asks and reads the answer: JSON, or text where the server says so. Throws a Failure. */
export async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, cache: "no-store", headers: { Accept: "application/json" } };
  if (body !== undefined) {
    init.headers = { Accept: "application/json", "Content-Type": "application/json" };
    init.body = typeof body === "string" ? body : JSON.stringify(body);
  }
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new Failure(0, "The server cannot be reached.");
  }
  const text = await answer.text();
  if (answer.status === 401) {
    location.reload(); // the session is over: the server says how to sign in again
    throw new Failure(401, "You are signed out.");
  }
  if (!answer.ok) throw refusal(answer.status, text);
  const json = answer.headers.get("Content-Type")?.includes("json") === true;
  return (text === "" ? undefined : json ? read(text) : text) as T;
}

function refusal(status: number, text: string): Failure {
  let said: Refusal = {};
  try {
    said = JSON.parse(text) as Refusal;
  } catch {
    // no JSON: the status has to do
  }
  const own = said.error?.errors ?? [];
  const troubles = said.validationErrors ??
    own.flatMap(({ location: path, message }) => (path === undefined ? [] : [{ path, message }]));
  return new Failure(status, said.error?.message ?? said.message ?? `The server answered ${status}.`, troubles);
}

/** A path with its values escaped: at`/api/workflow/${id}`. */
export function at(parts: TemplateStringsArray, ...values: (string | number)[]): string {
  return parts.map((part, i) => part + (i < values.length ? encodeURIComponent(values[i] ?? "") : "")).join("");
}

/** A query of what is not empty. */
export function query(values: Record<string, string | number | undefined>): string {
  const set = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== "") set.set(name, String(value));
  }
  return set.size === 0 ? "" : "?" + set.toString();
}

/** The words of an error for people. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
