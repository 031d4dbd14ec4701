// A body as a form made of its schema. The text of the JSON is the truth: each field writes into it.
import { useRef, useState } from "preact/hooks";
import { type Reference, resolved, type Schema, typeOf } from "./directorytypes";
import { brief, isNumber, isObject, tryRead, write } from "./exact";
import { type Step, valueAt, withValue } from "./pointer";

interface Props {
  schema: Schema;
  reference: Reference;
  text: string;
  changed: (text: string) => void;
}

export function BodyForm(props: Props) {
  const value = tryRead(props.text === "" ? "{}" : props.text);
  const [filter, setFilter] = useState("");
  if (value === undefined) {
    return <p class="tone-bad">The JSON cannot be read: mend it in the JSON tab, then the form is back.</p>;
  }
  const put = (path: readonly Step[], next: unknown) => props.changed(write(withValue(value, path, next) ?? {}));
  const node = resolved(props.schema, props.reference);
  if (node.properties === undefined) {
    return <p class="soft">This body has no fields to fill in: write it in the JSON tab.</p>;
  }
  return (
    <div class="body-form">
      {node.properties.length > 12 && (
        <input type="search" class="field" aria-label="Find a field" placeholder={`Find one of ${node.properties.length} fields`}
          value={filter} onInput={(e) => setFilter(e.currentTarget.value)} />
      )}
      <Fields schema={node} reference={props.reference} root={value} path={[]} put={put} filter={filter.trim().toLowerCase()} />
    </div>
  );
}

interface Inner {
  schema: Schema;
  reference: Reference;
  root: unknown;
  path: readonly Step[];
  put: (path: readonly Step[], next: unknown) => void;
}

function Fields({ filter = "", ...p }: Inner & { filter?: string }) {
  const shown = (p.schema.properties ?? []).filter((one) =>
    resolved(one.schema, p.reference).read_only !== true && (filter === "" || one.name.toLowerCase().includes(filter)));
  const isSet = (name: string) => valueAt(p.root, [...p.path, name]) !== undefined;
  const begun = useRef<Set<string> | undefined>(undefined); // fields keep their places while somebody types
  begun.current ??= new Set((p.schema.properties ?? []).map((one) => one.name).filter(isSet));
  const first = shown.filter((one) => one.required === true || begun.current?.has(one.name) === true);
  const later = shown.filter((one) => !first.includes(one));
  return (
    <div class="fields">
      {[...first, ...later].map((one) => (
        <OneField key={one.name} {...p} schema={one.schema} name={one.name} required={one.required === true}
          path={[...p.path, one.name]} />
      ))}
      {shown.length === 0 && <p class="soft">No field is called that.</p>}
    </div>
  );
}

function OneField(p: Inner & { name: string; required: boolean }) {
  const node = resolved(p.schema, p.reference);
  const value = valueAt(p.root, p.path);
  const types = node.types ?? [];
  if (node.properties !== undefined && (types.length === 0 || types.includes("object")) && p.path.length < 6) {
    return (
      <details class="group" open={value !== undefined}>
        <summary><Name {...p} /></summary>
        <Fields {...p} schema={node} />
      </details>
    );
  }
  return <Plain {...p} node={node} value={value} />;
}

function Name(p: { name: string; schema: Schema; reference: Reference; required: boolean }) {
  return (
    <><code class="name">{p.name}</code> <span class="type">{typeOf(p.schema, p.reference)}</span>
      {p.required && <span class="required">required</span>}</>
  );
}

function Plain(p: Inner & { name: string; required: boolean; node: Schema; value: unknown }) {
  const { node, value } = p;
  const id = `body-${p.path.join("-")}`;
  const put = (text: string) => p.put(p.path, text === "" ? undefined : parsed(text, node));
  const hint = hintOf(node);
  const common = { id, "data-field": p.path.join("."), class: "field" };
  const choices = choicesOf(node);
  return (
    <div class="form-row">
      <label for={id}><Name {...p} /></label>
      {choices !== undefined ? (
        <select {...common} value={value === undefined ? "" : brief(value)} onChange={(e) => put(e.currentTarget.value)}>
          <option value="">{p.required ? "Choose" : "Not sent"}</option>
          {value !== undefined && !choices.includes(brief(value)) && <option>{brief(value)}</option>}
          {choices.map((one) => <option key={one}>{one}</option>)}
        </select>
      ) : (
        <input {...common} value={value === undefined ? "" : brief(value)} placeholder={hint} autocomplete="off"
          spellcheck={false} onInput={(e) => put(e.currentTarget.value)} />
      )}
    </div>
  );
}

function choicesOf(node: Schema): string[] | undefined {
  const words = (node.enum ?? []).filter((one) => one !== null).map(brief);
  if (words.length > 0) return words;
  return node.types?.length === 1 && node.types[0] === "boolean" ? ["true", "false"] : undefined;
}

function hintOf(node: Schema): string {
  const { minimum, maximum } = node.limits ?? {};
  const parts: string[] = [];
  if (minimum !== undefined && maximum !== undefined) parts.push(`${brief(minimum)} to ${brief(maximum)}`);
  if (node.default !== undefined) parts.push(`default ${brief(node.default)}`);
  else if (node.examples?.[0] !== undefined) parts.push(`such as ${brief(node.examples[0])}`);
  return parts.join(", ");
}

/** What somebody typed, as the kind that the schema asks for; an expression stays text. */
function parsed(text: string, node: Schema): unknown {
  const types = node.types ?? [];
  const value = tryRead(text);
  if (text.includes("${") || value === undefined) return text;
  const fits = (isNumber(value) && (types.includes("integer") || types.includes("number"))) ||
    (typeof value === "boolean" && types.includes("boolean")) ||
    ((Array.isArray(value) || isObject(value)) && !(types.length === 1 && types[0] === "string")) ||
    types.length === 0 || (value === null && node.nullable === true && !types.includes("string"));
  return fits ? value : text;
}
