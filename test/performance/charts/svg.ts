/** Text that can stand in an element or an attribute. */
export const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element; `content` is markup. */
export function element(name: string, attributes: Attributes, content = ''): string {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined
      ? []
      : [`${key}="${typeof value === 'number' ? Number(value.toFixed(2)) : escaped(value)}"`],
  );
  const start = [name, ...written].join(' ');
  return content === '' ? `<${start}/>` : `<${start}>${content}</${name}>`;
}

/** A line of text, at its baseline. */
export const label = (text: string, attributes: Attributes): string =>
  element('text', attributes, escaped(text));

/** About how wide a text of 12 pixels is in the fonts of {@link FONT}. */
export const textWidth = (text: string): number => text.length * 6.6;

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/** Colours of a picture. */
export interface Colours {
  readonly text: string;
  readonly faint: string;
  readonly grid: string;
  /** @default transparent */
  readonly background?: string;
}

/** On white, which the picture brings along for dark pages. */
export const ON_WHITE: Colours = {
  text: '#1b1f24',
  faint: '#5b6470',
  grid: '#e6e9ed',
  background: '#ffffff',
};

/** A whole picture. */
export function picture(width: number, height: number, colours: Colours, content: string): string {
  const { background } = colours;
  const page = background === undefined ? '' : element('rect', { width, height, fill: background });
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      ...(background === undefined ? {} : { width, height }),
      'font-family': FONT,
      'font-size': 12,
      fill: colours.text,
    },
    page + content,
  );
}
