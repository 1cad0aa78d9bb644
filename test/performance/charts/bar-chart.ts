import { scaleLinear } from 'd3-scale';
import { element, label, ON_WHITE, picture, textWidth } from './svg.ts';

/** One bar, with how far the rounds lie apart. */
export interface Bar {
  readonly label: string;
  readonly spread: { readonly median: number; readonly minimum: number; readonly maximum: number };
  readonly colour: string;
  /** Written beside it. */
  readonly text: string;
}

export interface BarChart {
  readonly title: string;
  readonly subtitle: string;
  readonly bars: readonly Bar[];
  readonly axis: (value: number) => string;
  /** A line to compare with. @default none */
  readonly mark?: number;
  /** Where the axis ends; what is longer is cut there, so that it does not dwarf the others. @default the longest */
  readonly end?: number;
}

const WIDTH = 860;
const ROW_HEIGHT = 30;
const BAR_HEIGHT = 19;
const TOP = 68;
const BOTTOM = 42;
const LABEL_WIDTH = 310;
const RIGHT_WIDTH = 120;
const WHISKER_HALF_HEIGHT = 5;
const LABEL_CHARACTERS = Math.floor((LABEL_WIDTH - 24) / textWidth('x'));

const shortened = (text: string) =>
  text.length <= LABEL_CHARACTERS ? text : `${text.slice(0, LABEL_CHARACTERS - 1)}…`;

/** Horizontal bars of medians; a line over each goes from the least to the most, with a stroke at each end. */
export function barChart({ title, subtitle, bars, axis, mark, end }: BarChart): string {
  const colours = ON_WHITE;
  const longest = Math.max(...bars.map(({ spread }) => spread.maximum), mark ?? 0);
  const largest = Math.min(longest, end ?? longest) * 1.02;
  const x = scaleLinear([0, largest], [LABEL_WIDTH, WIDTH - RIGHT_WIDTH]).clamp(true);
  const bottom = TOP + bars.length * ROW_HEIGHT;
  const line = (x1: number, y1: number, x2: number, y2: number, stroke: string, dashes?: string) =>
    element('line', { x1, y1, x2, y2, stroke, 'stroke-width': 1.2, 'stroke-dasharray': dashes });
  const grid = x.ticks(6).map(
    (value) =>
      line(x(value), TOP, x(value), bottom, colours.grid) +
      label(axis(value), {
        x: x(value),
        y: bottom + 18,
        fill: colours.faint,
        'text-anchor': 'middle',
      }),
  );
  const rows = bars.map(({ colour, label: name, spread, text }, index) => {
    const middle = TOP + (index + 0.5) * ROW_HEIGHT;
    const [least, median, most] = [spread.minimum, spread.median, spread.maximum].map(x);
    const ends = [least ?? 0, most ?? 0];
    const strokes = ends.map((at) =>
      line(at, middle - WHISKER_HALF_HEIGHT, at, middle + WHISKER_HALF_HEIGHT, colours.text),
    );
    return [
      label(shortened(name), { x: LABEL_WIDTH - 12, y: middle + 4, 'text-anchor': 'end' }),
      element('rect', {
        x: LABEL_WIDTH,
        y: middle - BAR_HEIGHT / 2,
        width: (median ?? 0) - LABEL_WIDTH,
        height: BAR_HEIGHT,
        fill: colour,
      }),
      line(ends[0] ?? 0, middle, ends[1] ?? 0, middle, colours.text),
      ...strokes,
      label(text, { x: (ends[1] ?? 0) + 8, y: middle + 4 }),
    ].join('');
  });
  return picture(
    WIDTH,
    bottom + BOTTOM,
    colours,
    [
      label(title, { x: 12, y: 24, 'font-size': 16, 'font-weight': 600 }),
      label(subtitle, { x: 12, y: 44, fill: colours.faint }),
      ...grid,
      line(LABEL_WIDTH, TOP, LABEL_WIDTH, bottom, colours.faint),
      ...rows,
      ...(mark === undefined ? [] : [line(x(mark), TOP, x(mark), bottom, colours.text, '5 4')]),
    ].join(''),
  );
}
