// What goes from one view to another: a task on its way into a workflow, and values that tests were made with.
import type { Obj } from "./exact";

let carried: Obj | undefined;

/** Takes a task along to the editor that is opened next. */
export function carry(task: Obj): void {
  carried = task;
}

/** The task that was taken along; it is given once. */
export function takeCarried(): Obj | undefined {
  const task = carried;
  carried = undefined;
  return task;
}

const inputs = new Map<string, unknown>();

/** Remembers with what a request was tested, to offer it when the workflow is run. */
export function remember(values: Obj): void {
  for (const [name, value] of Object.entries(values)) {
    if (value !== "") inputs.set(name, value);
  }
}

export function remembered(name: string): unknown {
  return inputs.get(name);
}
