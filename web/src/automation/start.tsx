// Starting a run: a value for each name of the input that the workflow reads, as a form or as JSON.
import { useState } from "preact/hooks";
import { ask, type Trouble as Fault } from "./api";
import { remembered } from "./carried";
import { isObject, type Obj, read, tryRead, write } from "./exact";
import { inputsOf } from "./flowgraph";
import { JSONField } from "./jsonfield";
import { go } from "./route";
import { Dialog, Trouble, useDoing } from "./widgets";

export function RunDialog({ definition, close }: { definition: Obj & { name: string }; close: () => void }) {
  const names = inputsOf(definition);
  const [text, setText] = useState(() => {
    const template = isObject(definition["inputTemplate"]) ? definition["inputTemplate"] : {};
    return write(Object.fromEntries(names.map((name) => [name, remembered(name) ?? template[name] ?? ""])));
  });
  const [raw, setRaw] = useState(names.length === 0);
  const doing = useDoing();
  const input = tryRead(text);
  const start = () => doing.run(async () => {
    const value = read(text);
    if (!isObject(value)) throw new Error("The input must be a JSON object.");
    const id = await ask<string>("POST", "/api/workflow", { name: definition.name, input: value });
    go(`/automation/runs/${encodeURIComponent(id)}`);
  });
  const faults: Fault[] = [];
  return (
    <Dialog title={`Run ${definition.name}`} close={close}>
      <form class="ask-form" onSubmit={(e) => { e.preventDefault(); start(); }}>
        {names.length > 0 && (
          <div class="choice" role="group" aria-label="How to write the input">
            <button type="button" aria-pressed={!raw} onClick={() => setRaw(false)}>Form</button>
            <button type="button" aria-pressed={raw} onClick={() => setRaw(true)}>JSON</button>
          </div>
        )}
        {!raw && isObject(input) && names.map((name) => (
          <label key={name}><code>{name}</code>
            <input class="field" data-input={name} autocomplete="off" value={shown(input[name])}
              onInput={(e) => setText(write({ ...input, [name]: e.currentTarget.value }))} /></label>
        ))}
        {!raw && !isObject(input) && <p class="tone-bad">The JSON cannot be read.</p>}
        {raw && <JSONField label="Input as JSON" text={text} changed={setText} troubles={faults} />}
        <Trouble text={doing.wrong} />
        <div class="actions"><button type="submit" class="main" id="start-run" disabled={doing.busy}>Start</button>
          <button type="button" class="quiet" onClick={close}>Cancel</button></div>
      </form>
    </Dialog>
  );
}

function shown(value: unknown): string {
  return value === undefined ? "" : typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
