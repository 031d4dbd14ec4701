// A workflow definition as people edit and see it: its tasks, what follows what, and where each stands in the JSON.
import { isObject, type Obj } from "./exact";
import type { Step } from "./pointer";

export interface Node {
  id: string; // the reference name, or start and end
  ref: string;
  type: string;
  name: string;
  path: Step[]; // of the task in the definition
}

export interface Edge {
  from: string;
  to: string;
  label?: string;
  back?: boolean; // of a loop to its beginning
}

export interface Graph {
  nodes: Node[];
  edges: Edge[];
}

interface Open {
  from: string;
  label?: string;
}

export const START = "__start";
export const END = "__end";

/** What follows what. Parts that are no tasks are left out: the check names them. */
export function graphOf(definition: unknown): Graph {
  const graph: Graph = { nodes: [], edges: [] };
  graph.nodes.push({ id: START, ref: "", type: "START", name: "Start", path: [] });
  const seen = new Set<string>();
  const tasks = isObject(definition) ? definition["tasks"] : undefined;
  const last = chain(graph, seen, tasks, ["tasks"], [{ from: START }]);
  graph.nodes.push({ id: END, ref: "", type: "END", name: "End", path: [] });
  join(graph, last, END);
  return graph;
}

function join(graph: Graph, open: readonly Open[], to: string): void {
  for (const { from, label } of open) {
    if (!graph.edges.some((e) => e.from === from && e.to === to && e.label === label)) {
      graph.edges.push(label === undefined ? { from, to } : { from, to, label });
    }
  }
}

/** Adds tasks one after the other and gives what stays open behind them. */
function chain(graph: Graph, seen: Set<string>, tasks: unknown, path: Step[], before: Open[]): Open[] {
  if (!Array.isArray(tasks)) return before;
  let open = before;
  tasks.forEach((task: unknown, i) => {
    if (isObject(task)) open = add(graph, seen, task, [...path, i], open);
  });
  return open;
}

function add(graph: Graph, seen: Set<string>, task: Obj, path: Step[], before: Open[]): Open[] {
  const ref = String(task["taskReferenceName"] ?? "");
  const type = String(task["type"] ?? "SIMPLE");
  let id = ref === "" ? `task at ${path.join("/")}` : ref;
  while (seen.has(id)) id += " again"; // two with one name: the check says so, both are shown
  seen.add(id);
  graph.nodes.push({ id, ref, type, name: String(task["name"] ?? ""), path });
  join(graph, before, id);
  switch (type) {
    case "SWITCH": case "DECISION":
      return cases(graph, seen, task, path, id);
    case "FORK_JOIN": {
      const branches = Array.isArray(task["forkTasks"]) ? task["forkTasks"] : [];
      const ends = branches.flatMap((branch, i) => chain(graph, seen, branch, [...path, "forkTasks", i], [{ from: id }]));
      return ends.length > 0 ? ends : [{ from: id }];
    }
    case "DO_WHILE": {
      const ends = chain(graph, seen, task["loopOver"], [...path, "loopOver"], [{ from: id, label: "each turn" }]);
      for (const { from } of ends) {
        if (from !== id) graph.edges.push({ from, to: id, back: true });
      }
      return [{ from: id, label: "then" }];
    }
    case "TERMINATE":
      return [];
    default:
      return [{ from: id }];
  }
}

function cases(graph: Graph, seen: Set<string>, task: Obj, path: Step[], id: string): Open[] {
  const ends: Open[] = [];
  const all = isObject(task["decisionCases"]) ? task["decisionCases"] : {};
  for (const [name, tasks] of Object.entries(all)) {
    ends.push(...chain(graph, seen, tasks, [...path, "decisionCases", name], [{ from: id, label: name }]));
  }
  ends.push(...chain(graph, seen, task["defaultCase"], [...path, "defaultCase"], [{ from: id, label: "else" }]));
  return ends;
}

/** The reference names of all tasks. */
export function refsOf(definition: unknown): string[] {
  return graphOf(definition).nodes.map((node) => node.ref).filter((ref) => ref !== "");
}

/** A reference name that no task has yet. */
export function freeName(definition: unknown, wanted: string): string {
  const taken = new Set(refsOf(definition));
  let name = wanted;
  for (let n = 2; taken.has(name); n++) name = `${wanted}_${n}`;
  return name;
}

/** The names of the workflow's input that its expressions read. */
export function inputsOf(definition: unknown): string[] {
  const names = new Set<string>();
  if (isObject(definition) && Array.isArray(definition["inputParameters"])) {
    for (const name of definition["inputParameters"]) if (typeof name === "string") names.add(name);
  }
  for (const [, name] of (JSON.stringify(definition) ?? "").matchAll(/(?<!\$)\$\{workflow\.input\.([A-Za-z_][A-Za-z0-9_]*)/g)) {
    if (name !== undefined) names.add(name);
  }
  return [...names];
}

/** What a new task of a type begins with. */
export function skeleton(type: string, ref: string): Obj {
  const base: Obj = { name: ref, taskReferenceName: ref, type };
  const noop = (name: string): Obj => ({ name, taskReferenceName: name, type: "NOOP" });
  switch (type) {
    case "HTTP":
      return { ...base, inputParameters: { http_request: { uri: "https://", method: "GET" } } };
    case "HTTP_POLL":
      return { ...base, inputParameters: { http_request: {
        uri: "https://", method: "GET", terminationCondition: "$.output.response.statusCode == 200", pollingInterval: 10,
      } } };
    case "SWITCH":
      return { ...base, evaluatorType: "value-param", expression: "which", inputParameters: { which: "${workflow.input.which}" },
        decisionCases: { yes: [noop(`${ref}_yes`)] }, defaultCase: [] };
    case "FORK_JOIN":
      return { ...base, forkTasks: [[noop(`${ref}_one`)], [noop(`${ref}_two`)]] };
    case "DO_WHILE":
      return { ...base, inputParameters: { turns: 3 }, loopCondition: `$.${ref}.iteration < $.turns`, loopOver: [noop(`${ref}_turn`)] };
    case "WAIT":
      return { ...base, inputParameters: { duration: "10 seconds" } };
    case "INLINE":
      return { ...base, inputParameters: { evaluatorType: "javascript", expression: "$.value", value: "${workflow.input.value}" } };
    case "JSON_JQ_TRANSFORM":
      return { ...base, inputParameters: { queryExpression: ".value", value: "${workflow.input.value}" } };
    case "SET_VARIABLE":
      return { ...base, inputParameters: { name: "value" } };
    case "TERMINATE":
      return { ...base, inputParameters: { terminationStatus: "COMPLETED" } };
    case "SUB_WORKFLOW":
      return { ...base, inputParameters: {}, subWorkflowParam: { name: "" } };
    case "EVENT":
      return { ...base, sink: "switchboard:event", inputParameters: {} };
    default:
      return { ...base, inputParameters: {} };
  }
}

/** The types that the editor offers, with what they do. */
export const types: readonly (readonly [string, string])[] = [
  ["HTTP", "Send a request"], ["SWITCH", "Choose a way"], ["WAIT", "Wait"], ["INLINE", "Compute with JavaScript"],
  ["JSON_JQ_TRANSFORM", "Transform with jq"], ["SET_VARIABLE", "Set a variable"], ["FORK_JOIN", "Go several ways at once"],
  ["DO_WHILE", "Repeat"], ["HUMAN", "Wait for a person"], ["EVENT", "Publish an event"], ["SUB_WORKFLOW", "Run another workflow"],
  ["HTTP_POLL", "Ask until it is done"], ["TERMINATE", "End the workflow"], ["SIMPLE", "Work for an outside worker"],
];
