import { scaleLinear, scaleLog } from 'd3-scale';
import { area, line } from 'd3-shape';
import { type Colours, element, label, textWidth } from './svg.ts';

/** A value for each place on the horizontal axis; null where there is none. */
export type Points = readonly (readonly [x: number, y: number | null])[];

export interface Line {
  readonly name: string;
  readonly points: Points;
  readonly colour: string;
  /** For a bound, rather than something that happens. @default false */
  readonly dashed?: boolean;
  /** Stacked lines are put on top of each other, as areas. @default false */
  readonly stacked?: boolean;
}

/** A part of the horizontal axis, shaded behind the lines. */
export interface Band {
  readonly from: number;
  readonly to: number;
  readonly fill: string;
  /** Written above it. @default nothing */
  readonly name?: string;
}

export interface LinePanel {
  readonly lines: readonly Line[];
  /** Of the plot without its labels, in pixels from the top left corner of the picture. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Where the horizontal axis, which begins at 0, ends. */
  readonly end: number;
  /** Where the vertical axis ends. @default above the largest value */
  readonly maximum?: number;
  /** Whether the vertical axis is logarithmic. @default false */
  readonly logarithmic?: boolean;
  readonly bands?: readonly Band[];
  readonly format: (value: number) => string;
}

/** A logarithm of nothing cannot be drawn. */
const LEAST_LOGARITHMIC = 0.01;
const TICKS = 5;
const LEGEND_MARK = 22;
const LEGEND_GAP = 14;

interface Spot {
  readonly x: number;
  readonly base: number;
  readonly y: number;
}

/** The points of each line that have a value, stacked ones from the sum of those before. */
function spotsOf(lines: readonly Line[]): readonly (readonly Spot[])[] {
  const sums = new Map<number, number>();
  return lines.map(({ points, stacked }) =>
    points.flatMap(([x, value]) => {
      if (value === null) return [];
      const base = stacked === true ? (sums.get(x) ?? 0) : 0;
      if (stacked === true) sums.set(x, base + value);
      return [{ x, base, y: base + value }];
    }),
  );
}

function scaleFor({ logarithmic, maximum, top, height }: LinePanel, values: readonly number[]) {
  const range = [top + height, top];
  const largest = maximum ?? Math.max(...values, LEAST_LOGARITHMIC);
  if (logarithmic !== true) return scaleLinear([0, largest], range).nice(TICKS);
  const positive = values.filter((value) => value > 0);
  const least = Math.max(LEAST_LOGARITHMIC, Math.min(...positive, largest));
  return scaleLog([least, largest], range).nice();
}

/** How wide the {@link legend} is, in pixels. */
export const legendWidth = (lines: readonly Line[]): number =>
  lines.reduce((sum, { name }) => sum + LEGEND_MARK + textWidth(name) + LEGEND_GAP, -LEGEND_GAP);

/** The names of the lines with their colours, which end at `right`. */
export function legend(lines: readonly Line[], right: number, y: number, colours: Colours): string {
  let end = right;
  return lines
    .toReversed()
    .map(({ name, colour, dashed }) => {
      const x = end - textWidth(name);
      end = x - LEGEND_MARK - LEGEND_GAP;
      const mark = { x1: x - LEGEND_MARK, x2: x - 6, y1: y - 4, y2: y - 4, stroke: colour };
      return (
        element('line', {
          ...mark,
          'stroke-width': 3,
          'stroke-dasharray': dashed === true ? '4 2' : undefined,
        }) + label(name, { x, y, fill: colours.text })
      );
    })
    .join('');
}

/** Lines over a common horizontal axis, with both axes. */
export function linePanel(panel: LinePanel, colours: Colours): string {
  const { bands = [], end, format, height, left, lines, top, width } = panel;
  const spots = spotsOf(lines);
  const x = scaleLinear([0, end], [left, left + width]);
  const y = scaleFor(
    panel,
    spots.flat().map((spot) => spot.y),
  );
  const bottom = top + height;
  const clamped = (value: number) =>
    y(panel.logarithmic === true ? Math.max(value, LEAST_LOGARITHMIC) : value);
  const shaded = bands.map(({ fill, from, name, to }) => {
    const box = { x: x(from), y: top, width: x(to) - x(from), height, fill };
    const middle = { x: (x(from) + x(to)) / 2, y: top - 5, fill: colours.faint, 'font-size': 11 };
    return (
      element('rect', box) +
      (name === undefined ? '' : label(name, { ...middle, 'text-anchor': 'middle' }))
    );
  });
  const rows = y.ticks(TICKS).filter((_, index, all) => all.length <= 2 * TICKS || index % 9 === 0);
  const horizontal = rows.map(
    (value) =>
      element('line', {
        x1: left,
        x2: left + width,
        y1: y(value),
        y2: y(value),
        stroke: colours.grid,
      }) +
      label(format(value), {
        x: left - 8,
        y: y(value) + 4,
        fill: colours.faint,
        'text-anchor': 'end',
      }),
  );
  const vertical = x.ticks(8).map((value) =>
    label(format(value), {
      x: x(value),
      y: bottom + 18,
      fill: colours.faint,
      'text-anchor': 'middle',
    }),
  );
  const axis = element('line', {
    x1: left,
    x2: left + width,
    y1: bottom,
    y2: bottom,
    stroke: colours.faint,
  });
  const outline = line<Spot>(
    (spot) => x(spot.x),
    (spot) => clamped(spot.y),
  );
  const filled = area<Spot>(
    (spot) => x(spot.x),
    (spot) => clamped(spot.base),
    (spot) => clamped(spot.y),
  );
  const drawn = lines.map(({ colour, dashed, stacked }, index) => {
    const own = spots[index] ?? [];
    const stroke = { stroke: colour, 'stroke-width': stacked === true || dashed === true ? 1 : 2 };
    const path = element('path', {
      d: outline(own) ?? '',
      fill: 'none',
      ...stroke,
      'stroke-dasharray': dashed === true ? '4 3' : undefined,
    });
    const under = element('path', { d: filled(own) ?? '', fill: colour, 'fill-opacity': 0.75 });
    // A line needs two points.
    const alone =
      own.length === 1
        ? own.map((spot) =>
            element('circle', { cx: x(spot.x), cy: clamped(spot.y), r: 3, fill: colour }),
          )
        : [];
    return (stacked === true ? under : '') + path + alone.join('');
  });
  return [...shaded, ...horizontal, axis, ...vertical, ...drawn].join('');
}
