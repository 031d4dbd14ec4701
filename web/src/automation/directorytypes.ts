// What the API directory answers (docs/reference/directory.md).
import { brief } from "./exact";

export interface Item {
  provider: string;
  api: string;
  version: string;
  method: string;
  path: string;
  operation_id: string;
  summary: string;
  document_url: string;
}

export interface Schema {
  ref?: string;
  title?: string;
  description_html?: string;
  types?: string[];
  format?: string;
  nullable?: boolean;
  read_only?: boolean;
  write_only?: boolean;
  deprecated?: boolean;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  examples?: unknown[];
  limits?: Record<string, unknown>;
  properties?: { name: string; required?: boolean; schema: Schema }[];
  items?: Schema;
  additional?: Schema;
  no_more?: boolean;
  one_of?: Schema[];
  any_of?: Schema[];
  not?: Schema;
  discriminator?: { property: string; mapping?: Record<string, string> };
  cut?: boolean;
}

export interface Parameter {
  name: string;
  in?: string;
  required?: boolean;
  deprecated?: boolean;
  description_html?: string;
  schema: Schema;
  example?: unknown;
}

export interface Media {
  type: string;
  schema?: Schema;
  examples?: { name?: string; summary?: string; value: unknown }[];
}

export interface Scheme {
  name: string;
  type: string;
  scheme?: string;
  in?: string;
  parameter?: string;
  description_html?: string;
  scopes?: string[];
  flows?: { name: string; authorization_url?: string; token_url?: string }[];
  secret: string;
}

export interface Link {
  url: string;
  description_html?: string;
}

export interface Reference {
  method: string;
  path: string;
  operation_id?: string;
  summary?: string;
  description_html?: string;
  deprecated?: boolean;
  tags?: string[];
  external_docs?: Link;
  api: {
    title: string; version: string; openapi: string; description_html?: string; terms?: string; external_docs?: Link;
    license: { name?: string; identifier?: string; url?: string };
  };
  servers: { url: string; description_html?: string; relative?: boolean }[];
  parameters: Parameter[];
  body?: { required?: boolean; description_html?: string; content: Media[] };
  auth: Scheme[][];
  responses: {
    status: string; error?: boolean; description_html?: string; headers?: Parameter[]; content?: Media[];
  }[];
  rate_limit?: { requests?: number; seconds?: number; per?: string };
  schemas: Record<string, Schema>;
  problems: string[];
}

export interface Field {
  name: string;
  value: string;
  required: boolean;
  send: boolean;
}

export interface Prepared {
  method: string;
  url: string;
  needs_host: boolean;
  own: boolean;
  path_parameters: Field[];
  query_parameters: Field[];
  headers: Field[];
  auth: { in: string; name: string; value: string; secret: string; scheme: string }[];
  content_type?: string;
  body?: unknown;
  example?: unknown;
  form: boolean;
  unfilled: string[];
  notes: string[];
  task: unknown;
}

export interface Stored {
  id: string;
  source: string;
  provider: string;
  api: string;
  version: string;
  document_url: string;
  operations: string;
  bytes: string;
  added?: string;
  checked?: string;
  license: { name?: string; identifier?: string; url?: string };
  changes?: { added: string[]; removed: string[]; changed: string[]; more: string };
}

export interface Progress {
  state: "ready" | "loading" | "failed";
  received_bytes: string;
  total_bytes: string;
  message?: string;
}

export interface Operation extends Progress {
  document?: Stored;
  reference?: Reference;
  prepared?: Prepared;
}

/** The schema that a node means: itself, or the one that it names, with its own words where it has some. */
export function resolved(schema: Schema | undefined, ref: Reference | undefined): Schema {
  let node = schema ?? {};
  for (let depth = 0; node.ref !== undefined && depth < 20; depth++) {
    const { ref: name, ...own } = node;
    node = { ...ref?.schemas[name ?? ""], ...own };
    const further = ref?.schemas[name ?? ""]?.ref;
    if (further !== undefined) node.ref = further;
  }
  return node;
}

/** A schema's type in words. */
export function typeOf(schema: Schema, ref: Reference | undefined): string {
  const node = resolved(schema, ref);
  let words = (node.types ?? []).join(" or ");
  if (words === "" && node.properties !== undefined) words = "object";
  if (node.items !== undefined) words = `list of ${typeOf(node.items, ref)}`;
  if (words === "" && (node.one_of ?? node.any_of) !== undefined) words = "one of several";
  if (node.format !== undefined && node.items === undefined) words += ` (${node.format})`;
  if (node.nullable === true) words += words === "" ? "null" : " or null";
  return words === "" ? "any" : words;
}

/** The limits of a schema by name, without a bound that a stricter one on the same side makes needless. */
export function limitsOf({ limits = {} }: Schema): [string, unknown][] {
  const bound = (name: string) => limits[name] === undefined ? NaN : Number(brief(limits[name]));
  const needless = new Set([
    bound("exclusiveMinimum") >= bound("minimum") ? "minimum" : bound("exclusiveMinimum") < bound("minimum") ? "exclusiveMinimum" : "",
    bound("exclusiveMaximum") <= bound("maximum") ? "maximum" : bound("exclusiveMaximum") > bound("maximum") ? "exclusiveMaximum" : "",
  ]);
  return Object.entries(limits).filter(([name]) => !needless.has(name));
}

/** The values of a discriminator that mean the schema of a name. */
export function saysWhich(which: Schema["discriminator"], name: string | undefined): string[] {
  return Object.entries(which?.mapping ?? {}).filter(([, means]) => means === name).map(([value]) => value);
}
