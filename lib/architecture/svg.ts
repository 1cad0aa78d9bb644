import type { PictureGraph, PictureNode } from './graph.ts';
import { type Box, layOut, type PictureLayout, type Point } from './layout.ts';
import { BOX, FONT } from './measures.ts';

const MARGIN = 16;
const NOTE_HEIGHT = 20;
const HEADING_HEIGHT = 40;
/** Room between the end of an arrow and its box, for the head. */
const CORNER = 7;
/** Of a label's box, down to its letters. */
const LABEL_BASELINE = 12;

/** One colour a stack: readable on white and on the dark pages of code hosts, which show the picture on its own white ground. */
const stackColours: Readonly<Record<string, string>> = {
  edge: '#7c3aed',
  api: '#c2410c',
  data: '#1d4ed8',
  workers: '#be185d',
  migrations: '#0f766e',
};
const OTHER_COLOUR = '#475569';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const rounded = (value: number): string => String(Math.round(value * 10) / 10);

function text(
  content: string,
  { x, y }: Point,
  style: string,
  anchor: 'start' | 'end' = 'start',
): string {
  return `<text x="${rounded(x)}" y="${rounded(y)}" class="${style}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

function nodeShape(node: PictureNode, box: Box): string {
  const colour = stackColours[node.stack ?? ''] ?? OTHER_COLOUR;
  const left = box.x + BOX.padding;
  const tagHeight = node.stack === undefined ? 0 : BOX.tag;
  const titleY = box.y + BOX.padding + tagHeight + FONT.title - 1;
  return [
    `<g>`,
    `<rect x="${rounded(box.x)}" y="${rounded(box.y)}" width="${rounded(box.width)}" height="${rounded(box.height)}" rx="${BOX.radius}" fill="#ffffff" stroke="${colour}" stroke-width="1.5"/>`,
    ...(node.stack === undefined
      ? []
      : [
          `<text x="${rounded(left)}" y="${rounded(box.y + BOX.padding + 8)}" class="tag" style="fill:${colour}">${escaped(node.stack)}</text>`,
        ]),
    text(node.title, { x: left, y: titleY }, 'title'),
    ...node.lines.map((line, index) =>
      text(line, { x: left, y: titleY + (index + 1) * BOX.lineHeight + 1 }, 'line'),
    ),
    '</g>',
  ].join('\n');
}

/** A line through `points` with rounded corners. */
function path(points: readonly Point[]): string {
  return points
    .map((point, index) => {
      const [before, after] = [points[index - 1], points[index + 1]];
      if (before === undefined) return `M ${rounded(point.x)} ${rounded(point.y)}`;
      if (after === undefined) return `L ${rounded(point.x)} ${rounded(point.y)}`;
      const towards = (other: Point): Point => {
        const length = Math.hypot(other.x - point.x, other.y - point.y);
        const share = Math.min(CORNER, length / 2) / Math.max(length, 1);
        return {
          x: point.x + (other.x - point.x) * share,
          y: point.y + (other.y - point.y) * share,
        };
      };
      const [enter, leave] = [towards(before), towards(after)];
      return `L ${rounded(enter.x)} ${rounded(enter.y)} Q ${rounded(point.x)} ${rounded(point.y)} ${rounded(leave.x)} ${rounded(leave.y)}`;
    })
    .join(' ');
}

/** The label of an arrow, close to the line on whichever side the layout has left room. */
function labelText({ label, labelBox, points }: PictureLayout['edges'][number]): string {
  const centre = labelBox.x + labelBox.width / 2;
  const distances = points.map(({ x }) => x - centre);
  const nearest = distances.reduce((least, one) => (Math.abs(one) < Math.abs(least) ? one : least));
  const isLeft = nearest > 0;
  const x = isLeft ? labelBox.x + labelBox.width - 2 : labelBox.x + 2;
  return text(label, { x, y: labelBox.y + LABEL_BASELINE }, 'label', isLeft ? 'end' : 'start');
}

const style = `
text { font-family: ${FONT.family.replaceAll('"', "'")}; fill: #0f172a; }
.heading { font-size: 18px; font-weight: 600; }
.title { font-size: ${FONT.title}px; font-weight: 600; }
.line { font-size: ${FONT.line}px; fill: #334155; }
.tag { font-size: 10.5px; font-weight: 700; letter-spacing: 0.06em; text-transform: uppercase; }
.label { font-size: ${FONT.label}px; fill: #475569; }
.network { font-size: 13px; font-weight: 600; fill: #166534; }
.note { font-size: 12px; fill: #475569; }
`;

/**
 * The picture of a stage as SVG.
 *
 * @param title - for its heading and for screen readers.
 */
export async function pictureSvg(graph: PictureGraph, title: string): Promise<string> {
  const { boxes, edges, network, ...size } = await layOut(graph);
  const width = size.width + 2 * MARGIN;
  const notesTop = HEADING_HEIGHT + size.height + 2 * MARGIN;
  const height = notesTop + graph.notes.length * NOTE_HEIGHT + MARGIN / 2;
  const nodes = graph.nodes.flatMap((node) => {
    const box = boxes.get(node.id);
    return box === undefined ? [] : [nodeShape(node, box)];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${rounded(width)} ${rounded(height)}" width="${rounded(width)}" height="${rounded(height)}" role="img" aria-labelledby="title">`,
    `<title id="title">${escaped(title)}</title>`,
    '<!-- Generated by `npm run picture` from the synthesised templates; a test fails when the two differ. -->',
    `<style>${style}</style>`,
    '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M 0 1 L 10 5 L 0 9 z" fill="#475569"/></marker></defs>',
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    text(title, { x: MARGIN, y: MARGIN + 14 }, 'heading'),
    `<g transform="translate(${MARGIN} ${HEADING_HEIGHT + MARGIN / 2})">`,
    `<rect x="${rounded(network.x)}" y="${rounded(network.y)}" width="${rounded(network.width)}" height="${rounded(network.height)}" rx="12" fill="#f0fdf4" stroke="#16a34a" stroke-dasharray="6 4"/>`,
    text(graph.network, { x: network.x + 20, y: network.y + network.height - 18 }, 'network'),
    ...edges.map(
      ({ points }) =>
        `<path d="${path(points)}" fill="none" stroke="#475569" stroke-width="1.4" marker-end="url(#head)"/>`,
    ),
    ...edges.map(labelText),
    ...nodes,
    '</g>',
    ...graph.notes.map((note, index) =>
      text(note, { x: MARGIN, y: notesTop + index * NOTE_HEIGHT }, 'note'),
    ),
    '</svg>',
    '',
  ].join('\n');
}
