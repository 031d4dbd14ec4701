// JSON whose numbers stay as they are written: an integer beyond what a double holds is kept as its text.

interface Exact {
  rawJSON?(text: string): unknown;
}

/** Reads JSON. Integers that a double would round become what JSON.rawJSON makes, where the browser knows it. */
export function read(text: string): unknown {
  const reviver = (_: string, value: unknown, context?: { source?: string }): unknown => {
    const source = context?.source;
    if (typeof value !== "number" || source === undefined || Number.isSafeInteger(value)) return value;
    return /^-?\d+$/.test(source) ? ((JSON as Exact).rawJSON?.(source) ?? value) : value;
  };
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

/** Writes JSON for people. */
export function write(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? "";
}

/** The value of a text that should be JSON; undefined: it is none. */
export function tryRead(text: string): unknown {
  try {
    return read(text);
  } catch {
    return undefined;
  }
}

export type Obj = Record<string, unknown>;

/** Whether a value is a JSON object. A number that is kept as text is none. */
export function isObject(value: unknown): value is Obj {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isNumber(value);
}

/** Whether a value is a number, in either form. */
export function isNumber(value: unknown): boolean {
  return typeof value === "number" ||
    (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === null && "rawJSON" in value);
}

/** A value on one line, as JSON; texts without quotes. */
export function brief(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
