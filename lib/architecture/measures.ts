/** Sizes of the picture, in pixels; text is measured by a mean width, as nothing here can render a font. */
export const FONT = {
  family: 'system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif',
  title: 15,
  line: 12.5,
  label: 11.5,
} as const;
/** Mean width of a character, as a share of the font's size, in the widest of those fonts; bold ones are wider. */
const CHARACTER = 0.59;
const BOLD_CHARACTER = 0.67;

export const BOX = { padding: 14, titleHeight: 20, lineHeight: 18, tag: 16, radius: 8 } as const;
/** Below the nodes of the network, for its label. */
export const NETWORK_FOOTING = 44;

interface Labelled {
  readonly title: string;
  readonly lines: readonly string[];
  readonly stack?: string;
}

/** How large the box of a node has to be. */
export function boxSize({ title, lines, stack }: Labelled): { width: number; height: number } {
  const widths = [
    title.length * FONT.title * BOLD_CHARACTER,
    ...lines.map((line) => line.length * FONT.line * CHARACTER),
  ];
  const tag = stack === undefined ? 0 : BOX.tag;
  return {
    width: Math.ceil(Math.max(...widths) + 2 * BOX.padding),
    height: Math.ceil(2 * BOX.padding + tag + BOX.titleHeight + lines.length * BOX.lineHeight - 4),
  };
}

/** How large the label of an arrow is. */
export function labelSize(text: string): { width: number; height: number } {
  return { width: Math.ceil(text.length * FONT.label * CHARACTER) + 8, height: 16 };
}
