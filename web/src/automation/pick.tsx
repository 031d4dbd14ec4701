// Which workflow a task goes into.
import { ask } from "./api";
import type { Obj } from "./exact";
import { go } from "./route";
import { Dialog, Trouble, useLoaded } from "./widgets";

interface Named extends Obj {
  name: string;
  version: number;
}

export function PickWorkflow({ close }: { close: () => void }) {
  const list = useLoaded<Named[]>("pick", () => ask("GET", "/api/metadata/workflow"));
  const latest = new Map<string, Named>();
  for (const one of list.value ?? []) {
    if ((latest.get(one.name)?.version ?? 0) < one.version) latest.set(one.name, one);
  }
  return (
    <Dialog title="Use in workflow" close={close}>
      <Trouble text={list.wrong} />
      <ul class="pick">
        <li><button type="button" class="main" id="use-new" onClick={() => go("/automation/workflows/new")}>A new workflow</button></li>
        {[...latest.values()].sort((a, b) => a.name.localeCompare(b.name)).map((one) => (
          <li key={one.name}><button type="button" class="quiet" onClick={() => go(`/automation/workflows/edit/${encodeURIComponent(one.name)}`)}>
            {one.name}</button></li>
        ))}
      </ul>
    </Dialog>
  );
}
