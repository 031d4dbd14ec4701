// Secrets: written, used and deleted here, never shown.
import { useState } from "preact/hooks";
import { dateTime } from "../format";
import { ask, at, query } from "./api";
import { copy, Dialog, say, Trouble, useDoing, useLoaded } from "./widgets";

interface Secret {
  name: string;
  hosts: string[];
  createTime: number;
  updateTime: number;
  lastUsedTime: number;
}

export function Secrets() {
  const list = useLoaded<Secret[]>("secrets", () => ask("GET", "/api/secrets-v2"));
  const [writing, setWriting] = useState<Secret | boolean>(false);
  const doing = useDoing();
  const remove = (name: string) => {
    if (!confirm(`Delete the secret ${name}? Workflows that use it fail then.`)) return;
    doing.run(async () => {
      await ask("DELETE", at`/api/secrets/${name}`);
      say(`${name} is deleted.`);
      list.reload();
    });
  };
  return (
    <section>
      <div class="section-head"><h2>Secrets</h2>
        <button type="button" class="main end" id="add-secret" onClick={() => setWriting(true)}>Add secret</button></div>
      <p class="soft">A secret is put into a request when it is sent, only to the hosts it is bound to. Nothing gives it back: no page, no answer, no script.</p>
      <Trouble text={doing.wrong || list.wrong} />
      {list.value?.length === 0 && <p class="empty">No secrets yet.</p>}
      <ul class="lines" aria-label="Secrets">
        {(list.value ?? []).map((one) => (
          <li key={one.name} data-secret={one.name}>
            <div><b>{one.name}</b>{" "}
              <button type="button" class="leaf" onClick={() => void copy("${workflow.secrets." + one.name + "}")}>
                <code>{"${workflow.secrets." + one.name + "}"}</code></button>
              <p class="soft small">{one.hosts.length > 0 ? `Only to ${one.hosts.join(", ")}` : "To the host that the workflow writes down"}
                {one.lastUsedTime > 0 ? `, last used ${dateTime(one.lastUsedTime)}` : ", not used yet"}, changed {dateTime(one.updateTime)}</p></div>
            <div class="actions">
              <button type="button" class="quiet" onClick={() => setWriting(one)}>Replace<span class="sr"> {one.name}</span></button>
              <button type="button" class="quiet" onClick={() => remove(one.name)}>Delete<span class="sr"> {one.name}</span></button>
            </div>
          </li>
        ))}
      </ul>
      {writing !== false && <Write begin={writing === true ? undefined : writing} close={() => setWriting(false)}
        done={() => { setWriting(false); list.reload(); }} />}
    </section>
  );
}

function Write({ begin, close, done }: { begin: Secret | undefined; close: () => void; done: () => void }) {
  const [name, setName] = useState(begin?.name ?? "");
  const [value, setValue] = useState("");
  const [hosts, setHosts] = useState(begin?.hosts.join(", ") ?? "");
  const doing = useDoing();
  const save = () => doing.run(async () => {
    await ask("PUT", at`/api/secrets/${name}` + query({ hosts: hosts.split(/[\s,]+/).filter((one) => one !== "").join(",") }), JSON.stringify(value));
    say(`${name} is stored.`);
    done();
  });
  return (
    <Dialog title={begin === undefined ? "Add secret" : `Replace ${begin.name}`} close={close}>
      <form class="ask-form" onSubmit={(e) => { e.preventDefault(); save(); }}>
        <label>Name<input class="field" required pattern="[A-Za-z0-9_\-]+" value={name} readOnly={begin !== undefined} autocomplete="off"
          onInput={(e) => setName(e.currentTarget.value)} /></label>
        <label>Value<input class="field" required type="password" autocomplete="new-password" value={value}
          onInput={(e) => setValue(e.currentTarget.value)} /></label>
        <label>Hosts it may go to<input class="field" placeholder="api.example.com, *.example.com" value={hosts} autocomplete="off"
          onInput={(e) => setHosts(e.currentTarget.value)} /></label>
        <p class="soft small">Without hosts it goes to the host that a workflow’s definition writes down, never to one that comes from a value.</p>
        <Trouble text={doing.wrong} />
        <div class="actions"><button type="submit" class="main" disabled={doing.busy}>Store</button>
          <button type="button" class="quiet" onClick={close}>Cancel</button></div>
      </form>
    </Dialog>
  );
}
