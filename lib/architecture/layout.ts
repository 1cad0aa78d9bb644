import elk, { type ElkNode } from 'elkjs/lib/elk.bundled.js';
import type { PictureGraph, PictureNode } from './graph.ts';
import { boxSize, labelSize, NETWORK_FOOTING } from './measures.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

/** Where everything of a picture is, in pixels from its upper left corner. */
export interface PictureLayout {
  readonly width: number;
  readonly height: number;
  readonly boxes: ReadonlyMap<string, Box>;
  readonly network: Box;
  readonly edges: readonly {
    readonly points: readonly Point[];
    readonly label: string;
    readonly labelBox: Box;
  }[];
}

const NETWORK = 'network';
/** https://eclipse.dev/elk/reference/options.html; top to bottom, as a request goes. */
const options = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.randomSeed': '1',
  'elk.spacing.nodeNode': '28',
  'elk.spacing.edgeNode': '18',
  'elk.spacing.edgeEdge': '14',
  'elk.spacing.edgeLabel': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '24',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.edgeLabels.inline': 'false',
  'elk.padding': '[top=12,left=12,bottom=12,right=12]',
};

const leaf = (node: PictureNode): ElkNode => ({ id: node.id, ...boxSize(node) });

/** Boxes of all nodes, with the place of what contains them added. */
function* placed(node: ElkNode, origin: Point): Generator<readonly [string, Box]> {
  const { id, x = 0, y = 0, width = 0, height = 0, children = [] } = node;
  const box = { x: origin.x + x, y: origin.y + y, width, height };
  yield [id, box];
  for (const child of children) yield* placed(child, box);
}

/** Places the boxes and the arrows of `graph`; the same graph is always placed in the same way. */
export async function layOut(graph: PictureGraph): Promise<PictureLayout> {
  const [inside, outside] = [true, false].map((wanted) =>
    graph.nodes.filter(({ isInVpc }) => isInVpc === wanted).map(leaf),
  );
  const unplaced: ElkNode = {
    id: 'root',
    layoutOptions: options,
    children: [
      ...(outside ?? []),
      {
        id: NETWORK,
        children: inside ?? [],
        layoutOptions: { 'elk.padding': `[top=20,left=20,bottom=${NETWORK_FOOTING},right=20]` },
      },
    ],
    edges: graph.edges.map(({ from, to, label }) => ({
      id: `${from} ${to}`,
      sources: [from],
      targets: [to],
      labels: [{ id: `${from} ${to} label`, text: label, ...labelSize(label) }],
    })),
  };
  const root = await new elk.default().layout(unplaced);
  const boxes = new Map(placed(root, { x: 0, y: 0 }));
  const network = boxes.get(NETWORK);
  if (network === undefined) throw new Error('The layout has lost the network.');
  return {
    width: root.width ?? 0,
    height: root.height ?? 0,
    boxes,
    network,
    edges: (root.edges ?? []).map((edge) => {
      // Edges are placed relative to what contains both of their ends.
      const origin = boxes.get(edge.container ?? 'root') ?? { x: 0, y: 0 };
      const at = ({ x, y }: Point): Point => ({ x: x + origin.x, y: y + origin.y });
      const [section] = edge.sections ?? [];
      const [label] = edge.labels ?? [];
      return {
        label: label?.text ?? '',
        labelBox: {
          ...at({ x: label?.x ?? 0, y: label?.y ?? 0 }),
          width: label?.width ?? 0,
          height: label?.height ?? 0,
        },
        points:
          section === undefined
            ? []
            : [section.startPoint, ...(section.bendPoints ?? []), section.endPoint].map(at),
      };
    }),
  };
}
