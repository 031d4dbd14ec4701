// The reference of an operation: what its document says of it, nothing left out.
import { type ComponentChildren, Fragment } from "preact";
import { useState } from "preact/hooks";
import { brief, isObject, write } from "./exact";
import { limitsOf, type Media, type Parameter, type Reference, resolved, saysWhich, type Scheme, type Schema, typeOf } from "./directorytypes";
import { Method } from "./widgets";

/** HTML that the server made of Markdown, without anything that could run. */
function Words({ html }: { html: string | undefined }) {
  return html === undefined ? null : <div class="words" dangerouslySetInnerHTML={{ __html: html }} />;
}

export function ReferenceOf({ reference: r }: { reference: Reference }) {
  const limit = r.rate_limit;
  const license = r.api.license;
  return (
    <article class="reference" aria-label="Reference">
      <header>
        <p class="soft">{r.api.title} {r.api.version}{(r.tags ?? []).map((tag) => <Fragment key={tag}>{" "}<span class="pill">{tag}</span></Fragment>)}</p>
        <h2><Method name={r.method} /> <code class="operation-path">{r.path}</code></h2>
        {r.summary !== undefined && <p class="lead">{r.summary}</p>}
        {r.deprecated === true && <p class="pill tone-warn">Deprecated</p>}
      </header>
      <Words html={r.description_html} />
      {r.external_docs !== undefined && <Out url={r.external_docs.url} text="More documentation" />}
      {r.problems.map((text) => <p class="tone-warn" key={text}>Left out: {text}</p>)}
      {["path", "query", "header", "cookie"].map((place) => (
        <Parameters key={place} place={place} reference={r} list={r.parameters.filter((p) => p.in === place)} />
      ))}
      {r.body !== undefined && (
        <section>
          <h3>Body {r.body.required === true && <Required />}</h3>
          <Words html={r.body.description_html} />
          {r.body.content.map((media) => <MediaOf key={media.type} media={media} reference={r} />)}
        </section>
      )}
      <section>
        <h3>Authentication</h3>
        {r.auth.length === 0 && <p class="soft">The document asks for none.</p>}
        <ul class="ways">{r.auth.map((way, i) => <li key={i}><Way way={way} /></li>)}</ul>
      </section>
      <section>
        <h3>Answers</h3>
        {r.responses.map((one) => (
          <details key={one.status} class="answer">
            <summary><span class={`status ${one.error === true ? "tone-bad" : "tone-good"}`}>{one.status}</span>
              <Words html={one.description_html} /></summary>
            {(one.headers ?? []).length > 0 && <Parameters place="header" reference={r} list={one.headers ?? []} />}
            {(one.content ?? []).map((media) => <MediaOf key={media.type} media={media} reference={r} />)}
          </details>
        ))}
      </section>
      <section class="soft small">
        {limit?.requests !== undefined && <p>Limit: {brief(limit.requests)} requests in {brief(limit.seconds)} s per {limit.per}.</p>}
        {r.servers.map((s) => s.url).filter((url) => url !== "").length > 0 && (
          <p>Servers: {r.servers.map((s) => <code key={s.url}>{s.url} </code>)}</p>
        )}
        <p>Licence of the document: {license.url !== undefined ? <Out url={license.url} text={license.name ?? license.url} />
          : license.name ?? license.identifier ?? "none stated"}. OpenAPI {r.api.openapi}.
          {r.api.terms !== undefined && <> <Out url={r.api.terms} text="Terms" /></>}</p>
      </section>
    </article>
  );
}

function Out({ url, text }: { url: string; text: string }) {
  return /^https?:/.test(url) ? <a href={url} target="_blank" rel="noopener noreferrer">{text}</a> : <>{text}</>;
}

function Required() {
  return <span class="required">required</span>;
}

function Way({ way }: { way: Scheme[] }) {
  if (way.length === 0) return <>Works without</>;
  return (
    <>{way.map((s, i) => (
      <div key={s.name}>
        {i > 0 && "and "}<b>{s.name}</b>: {s.type}{s.scheme !== undefined && ` ${s.scheme}`}
        {s.parameter !== undefined && <> in {s.in} <code>{s.parameter}</code></>}
        {(s.scopes ?? []).length > 0 && <span class="soft"> scopes {s.scopes?.join(", ")}</span>}
        {(s.flows ?? []).map((f) => <span class="soft" key={f.name}> {f.name} {f.token_url}</span>)}
        <Words html={s.description_html} />
      </div>
    ))}</>
  );
}

function Parameters({ place, list, reference }: { place: string; list: Parameter[]; reference: Reference }) {
  if (list.length === 0) return null;
  const title = { path: "Path", query: "Query", header: "Headers", cookie: "Cookies" }[place] ?? place;
  return (
    <section>
      <h3>{title}</h3>
      <ul class="tree">
        {list.map((p) => (
          <li key={p.name}>
            <Line name={p.name} schema={p.schema} reference={reference} required={p.required === true}
              deprecated={p.deprecated === true} />
            <Words html={p.description_html} />
            {p.example !== undefined && <p class="soft small">Example <code>{brief(p.example)}</code></p>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function MediaOf({ media, reference }: { media: Media; reference: Reference }) {
  return (
    <div class="media">
      <p class="soft"><code>{media.type}</code>{media.schema !== undefined && <> {typeOf(media.schema, reference)}</>}</p>
      {media.schema !== undefined && <Inside schema={media.schema} reference={reference} within={[]} />}
      {(media.examples ?? []).map((e, i) => (
        <details key={i}><summary>Example {e.name ?? ""} {e.summary ?? ""}</summary>
          <pre tabIndex={0}>{typeof e.value === "string" ? e.value : write(e.value)}</pre></details>
      ))}
    </div>
  );
}

/** One value: its name, type and what holds for it. */
function Line(props: { name: string; schema: Schema; reference: Reference; required: boolean; deprecated?: boolean }) {
  const node = resolved(props.schema, props.reference);
  return (
    <p class="line">
      <code class="name">{props.name}</code> <span class="type">{typeOf(props.schema, props.reference)}</span>
      {props.required && <Required />}
      {node.read_only === true && <>{" "}<span class="pill">read only</span></>}
      {node.write_only === true && <>{" "}<span class="pill">write only</span></>}
      {(props.deprecated === true || node.deprecated === true) && <>{" "}<span class="pill tone-warn">deprecated</span></>}
      <Facts node={node} />
    </p>
  );
}

const limitWords: Record<string, string> = {
  minimum: "≥", exclusiveMinimum: ">", maximum: "≤", exclusiveMaximum: "<", multipleOf: "multiple of",
  minLength: "min. characters", maxLength: "max. characters", pattern: "matches", minItems: "min. items",
  maxItems: "max. items", uniqueItems: "no two the same", minProperties: "min. members", maxProperties: "max. members",
};

function Facts({ node }: { node: Schema }) {
  const facts: [string, string][] = [];
  if (node.default !== undefined) facts.push(["default", brief(node.default)]);
  if (node.const !== undefined) facts.push(["always", brief(node.const)]);
  if (node.enum !== undefined) facts.push(["one of", node.enum.map(brief).join(", ")]);
  const place = Object.keys(limitWords);
  const limits = limitsOf(node).sort(([a], [b]) => place.indexOf(a) - place.indexOf(b));
  for (const [name, value] of limits) facts.push([limitWords[name] ?? name, brief(value)]);
  for (const example of (node.examples ?? []).slice(0, 2)) {
    if (!isObject(example)) facts.push(["example", brief(example)]);
  }
  return <>{facts.map(([what, value]) => <Fragment key={what + value}>{" "}<span class="fact">{what} <code>{value}</code></span></Fragment>)}</>;
}

/** What a schema has inside. A schema that is inside itself is named, not opened again. */
function Inside({ schema, reference, within }: { schema: Schema; reference: Reference; within: readonly string[] }) {
  const name = schema.ref;
  if (name !== undefined && within.includes(name)) return <p class="soft small">{name} again, as above</p>;
  const node = resolved(schema, reference);
  const inner = name === undefined ? within : [...within, name];
  if (node.items !== undefined) {
    return <Inside schema={node.items} reference={reference} within={inner} />;
  }
  return (
    <>
      <Several words="One of these" list={node.one_of} which={node.discriminator} {...{ reference, inner }} />
      <Several words="Any of these" list={node.any_of} which={node.discriminator} {...{ reference, inner }} />
      <Elsewhere node={node} />
      {node.not !== undefined && <p class="soft small">But not {typeOf(node.not, reference)}</p>}
      {node.properties !== undefined && (
        <ul class="tree">
          {node.properties.map((p) => (
            <Member key={p.name} name={p.name} schema={p.schema} required={p.required === true} reference={reference}
              within={inner} />
          ))}
        </ul>
      )}
      {node.additional !== undefined && (
        <ul class="tree"><Member name="any other name" schema={node.additional} required={false} reference={reference}
          within={inner} /></ul>
      )}
      {node.cut === true && <p class="soft small">There is more, deeper than is shown here.</p>}
    </>
  );
}

function Several(props: {
  words: string; list: Schema[] | undefined; which: Schema["discriminator"]; reference: Reference;
  inner: readonly string[];
}) {
  if (props.list === undefined) return null;
  return (
    <div class="several">
      <p class="soft small">{props.words}{props.which !== undefined && <>; <code>{props.which.property}</code> says which</>}</p>
      {props.list.map((one, i) => (
        <Fold key={i} title={<>{one.title ?? one.ref ?? `Form ${i + 1}`} <span class="type">{typeOf(one, props.reference)}</span>
          <Says which={props.which} values={saysWhich(props.which, one.ref)} /></>}>
          <Facts node={resolved(one, props.reference)} />
          <Inside schema={one} reference={props.reference} within={props.inner} />
        </Fold>
      ))}
    </div>
  );
}

/** The values of the discriminator that mean one alternative. */
function Says({ which, values }: { which: Schema["discriminator"]; values: string[] }) {
  if (which === undefined || values.length === 0) return null;
  return <>{" "}<span class="fact">{which.property} {values.map((value, i) => <Fragment key={value}>{i > 0 && " or "}<code>{value}</code></Fragment>)}</span></>;
}

/** The values of the discriminator whose schema is not among the alternatives: those that build on this one. */
function Elsewhere({ node }: { node: Schema }) {
  const which = node.discriminator;
  const listed = new Set([...(node.one_of ?? []), ...(node.any_of ?? [])].map((one) => one.ref));
  const names = [...new Set(Object.values(which?.mapping ?? {}))].filter((name) => !listed.has(name));
  return <>{names.map((name) => (
    <p class="soft small" key={name}>{name}<Says which={which} values={saysWhich(which, name)} /></p>
  ))}</>;
}

function Member(props: {
  name: string; schema: Schema; required: boolean; reference: Reference; within: readonly string[];
}) {
  const node = resolved(props.schema, props.reference);
  const deep = opens(node) || (node.items !== undefined && opens(resolved(node.items, props.reference)));
  const line = <Line name={props.name} schema={props.schema} reference={props.reference} required={props.required} />;
  return (
    <li>
      {deep ? (
        <Fold title={line}>
          <Words html={node.description_html} />
          <Inside schema={props.schema} reference={props.reference} within={props.within} />
        </Fold>
      ) : <>{line}<Words html={node.description_html} /></>}
    </li>
  );
}

function opens(node: Schema): boolean {
  return (node.properties ?? node.one_of ?? node.any_of ?? node.additional ?? node.items) !== undefined;
}

/** Details whose inside is only made once it is opened: schemas may be without end. */
function Fold({ title, children }: { title: ComponentChildren; children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{title}</summary>
      {open && children}
    </details>
  );
}
