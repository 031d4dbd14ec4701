// The diagram of a workflow: laid out by dagre, drawn by us. Tasks are buttons, so that keys reach them.
import { graphlib, layout } from "@dagrejs/dagre";
import { useMemo } from "preact/hooks";
import { type Edge, END, type Graph, graphOf, type Node, START } from "./flowgraph";
import { toneOf, wordsOfState } from "./widgets";

const WIDTH = 210;
const HEIGHT = 54;
const ROUND = 34; // start and end
const MARGIN = 12;

interface Placed {
  node: Node;
  x: number;
  y: number;
  width: number;
  height: number;
}

interface Plan {
  width: number;
  height: number;
  nodes: Placed[];
  edges: { edge: Edge; points: { x: number; y: number }[]; label: { x: number; y: number } | undefined }[];
}

function plan(graph: Graph): Plan {
  const g = new graphlib.Graph({ multigraph: true });
  g.setGraph({ rankdir: "TB", nodesep: 28, ranksep: 34, marginx: MARGIN, marginy: MARGIN });
  g.setDefaultEdgeLabel(() => ({}));
  for (const node of graph.nodes) {
    const small = node.id === START || node.id === END;
    g.setNode(node.id, { width: small ? ROUND * 2 : WIDTH, height: small ? ROUND : HEIGHT });
  }
  graph.edges.forEach((edge, i) => {
    const [from, to] = edge.back === true ? [edge.to, edge.from] : [edge.from, edge.to]; // loops go down, too
    g.setEdge(from, to, edge.label === undefined ? {} : { width: Math.min(140, edge.label.length * 7 + 8), height: 18, labelpos: "c" }, String(i));
  });
  layout(g);
  const all = g.graph() as { width?: number; height?: number };
  return {
    width: all.width ?? 0, height: all.height ?? 0,
    nodes: graph.nodes.map((node) => {
      const at = g.node(node.id) as { x: number; y: number; width: number; height: number };
      return { node, x: at.x - at.width / 2, y: at.y - at.height / 2, width: at.width, height: at.height };
    }),
    edges: graph.edges.map((edge, i) => {
      const [from, to] = edge.back === true ? [edge.to, edge.from] : [edge.from, edge.to];
      const laid = g.edge(from, to, String(i)) as { points: { x: number; y: number }[]; x?: number; y?: number };
      const points = edge.back === true ? [...laid.points].reverse() : laid.points;
      return { edge, points, label: laid.x === undefined ? undefined : { x: laid.x, y: laid.y ?? 0 } };
    }),
  };
}

/** A soft line through points. */
function lineOf(points: readonly { x: number; y: number }[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  let path = `M${first.x},${first.y}`;
  rest.forEach((at, i) => {
    const next = rest[i + 1];
    path += next === undefined ? ` L${at.x},${at.y}` : ` Q${at.x},${at.y} ${(at.x + next.x) / 2},${(at.y + next.y) / 2}`;
  });
  return path;
}

export interface Shown {
  state: string;
  times?: number; // attempts or turns
}

interface Props {
  definition: unknown;
  chosen?: string | undefined; // a reference name
  choose?: (node: Node) => void;
  states?: ReadonlyMap<string, Shown>; // of a run, by reference name
  over?: string | undefined; // the state of the run
  faulty?: ReadonlySet<string>; // reference names with problems
}

export function Diagram({ definition, chosen, choose, states, over, faulty }: Props) {
  const key = JSON.stringify(definition) ?? "";
  const laid = useMemo(() => plan(graphOf(definition)), [key]);
  const passed = (edge: Edge) => (id: string) => id === START ? states !== undefined
    : id === END ? over === "COMPLETED" : states?.has(id) === true && edge !== undefined;
  return (
    <div class="diagram" role="group" aria-label="Diagram" tabIndex={0}>
      <div class="canvas" style={{ width: `${laid.width}px`, height: `${laid.height}px` }}>
        <svg width={laid.width} height={laid.height} aria-hidden="true" focusable="false">
          <defs>
            <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
              <path d="M0 0.5L7.5 4L0 7.5z" />
            </marker>
          </defs>
          {laid.edges.map(({ edge, points }, i) => (
            <path key={i} d={lineOf(points)} marker-end="url(#arrow)"
              class={`edge${edge.back === true ? " back" : ""}${passed(edge)(edge.from) && passed(edge)(edge.to) ? " passed" : ""}`} />
          ))}
        </svg>
        {laid.edges.map(({ edge, label }, i) => edge.label !== undefined && label !== undefined && (
          <span key={i} class="edge-label" style={{ left: `${label.x}px`, top: `${label.y}px` }}>{edge.label}</span>
        ))}
        {laid.nodes.map((placed) => (
          <Box key={placed.node.id} {...placed} chosen={placed.node.ref !== "" && placed.node.ref === chosen} choose={choose}
            shown={states?.get(placed.node.ref)} over={over} faulty={faulty?.has(placed.node.ref) === true} />
        ))}
      </div>
    </div>
  );
}

function Box(p: Placed & {
  chosen: boolean; choose: ((node: Node) => void) | undefined; shown: Shown | undefined; over: string | undefined; faulty: boolean;
}) {
  const { node } = p;
  const style = { left: `${p.x}px`, top: `${p.y}px`, width: `${p.width}px`, height: `${p.height}px` };
  if (node.id === START || node.id === END) {
    const tone = p.over === undefined ? "" : ` run-${node.id === START ? "good" : toneOf(p.over)}`;
    return <span class={`terminal${tone}`} style={style}>{node.name}</span>;
  }
  const state = p.shown?.state;
  const classes = ["task", state === undefined ? "" : `run-${toneOf(state)}`, p.chosen ? "chosen" : "", p.faulty ? "faulty" : ""];
  return (
    <button type="button" class={classes.filter((one) => one !== "").join(" ")} style={style} data-task={node.ref}
      data-state={state} aria-pressed={p.chosen} onClick={() => p.choose?.(node)} title={`${node.ref}, ${node.type}`}>
      <b>{node.ref || "without a name"}</b>
      <span class="kind">{node.type.replaceAll("_", " ").toLowerCase()}{(p.shown?.times ?? 0) > 1 && `, ${p.shown?.times} times`}</span>
      {state !== undefined && <span class="state-words">{wordsOfState(state)}</span>}
      {p.faulty && <span class="sr">has a problem</span>}
    </button>
  );
}
