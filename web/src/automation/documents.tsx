// The API documents of the company: what is here, add, refresh with what changed, delete.
import { useState } from "preact/hooks";
import { dateTime } from "../format";
import { ask, at } from "./api";
import type { Progress, Stored } from "./directorytypes";
import { bytes, say, Trouble, useDoing, useLoaded } from "./widgets";

export function Documents() {
  const list = useLoaded<{ items: Stored[] }>("documents", () => ask("GET", "/api/v2/x/directory/documents"));
  const doing = useDoing();
  const act = (path: string, method: string, done: (answer: Progress & { document?: Stored }) => string) =>
    doing.run(async () => {
      const answer = await ask<Progress & { document?: Stored }>(method, path);
      if (answer.state === "failed") throw new Error(answer.message ?? "It did not work.");
      say(done(answer));
      list.reload();
    });
  return (
    <div class="documents">
      <Add done={list.reload} />
      <Trouble text={doing.wrong || list.wrong} />
      <ul class="lines">
        {(list.value?.items ?? []).map((one) => (
          <li key={one.id} data-document={one.id}>
            <div><b>{one.api}</b> {one.version} <span class="soft">{one.provider}</span>
              <p class="soft small">{one.operations} operations, {bytes(Number(one.bytes))}
                {one.checked !== undefined && `, checked ${dateTime(Date.parse(one.checked))}`}
                {one.license.name !== undefined && `, ${one.license.name}`}</p>
              <Changes of={one} /></div>
            {one.source !== "own" && (
              <div class="actions">
                {one.document_url.startsWith("http") && (
                  <button type="button" class="quiet" disabled={doing.busy}
                    onClick={() => act(at`/api/v2/x/directory/documents/${one.id}/refresh`, "POST", () => "The document is fresh.")}>
                    Refresh</button>
                )}
                <button type="button" class="quiet" disabled={doing.busy}
                  onClick={() => act(at`/api/v2/x/directory/documents/${one.id}`, "DELETE", () => "The document is deleted.")}>
                  Delete</button>
              </div>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Changes({ of }: { of: Stored }) {
  const c = of.changes;
  if (c === undefined || c.added.length + c.removed.length + c.changed.length === 0) return null;
  const list = (words: string, names: string[]) => names.length > 0 && (
    <li>{words}: {names.map((name) => <code key={name}>{name} </code>)}</li>
  );
  return (
    <details><summary class="small">What the last refresh changed</summary>
      <ul class="small">{list("Added", c.added)}{list("Removed", c.removed)}{list("Changed", c.changed)}</ul>
    </details>
  );
}

function Add({ done }: { done: () => void }) {
  const [url, setURL] = useState("");
  const [content, setContent] = useState("");
  const [name, setName] = useState("");
  const doing = useDoing();
  const add = () => doing.run(async () => {
    const body = url !== "" ? { url } : { content, name };
    const answer = await ask<Progress>("POST", "/api/v2/x/directory/documents", body);
    if (answer.state === "failed") throw new Error(answer.message ?? "It did not work.");
    say(answer.state === "ready" ? "The document is here." : "The document is on its way.");
    setURL("");
    setContent("");
    done();
  });
  const file = async (input: HTMLInputElement) => {
    const chosen = input.files?.[0];
    if (chosen === undefined) return;
    setName(chosen.name);
    setContent(await chosen.text());
  };
  return (
    <form class="add" onSubmit={(e) => { e.preventDefault(); add(); }}>
      <label>Address of an OpenAPI document
        <input class="field" type="url" placeholder="https://api.example.com/openapi.json" value={url}
          onInput={(e) => setURL(e.currentTarget.value)} /></label>
      <label>or a file <input type="file" accept=".json,.yaml,.yml" onChange={(e) => void file(e.currentTarget)} /></label>
      <label>or its text
        <textarea class="field" rows={3} value={content} spellcheck={false} onInput={(e) => setContent(e.currentTarget.value)} /></label>
      <div class="actions"><button type="submit" class="main" disabled={doing.busy || (url === "" && content === "")}>
        {doing.busy ? "Adding …" : "Add document"}</button></div>
      <Trouble text={doing.wrong} />
    </form>
  );
}
