import type { PlanTable } from './tables.ts';

/** `text` in lines of at most `width` characters, broken at blanks; a longer word has a line of its own. */
function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

const GAP = '  ';
/** The last column takes what is left of the line, and at least so much. */
const LEAST_LAST_WIDTH = 30;
const UNDERLINE = '-';

function columnWidths(table: PlanTable, width: number): number[] {
  const lines = [table.columns, ...table.rows];
  const widths = table.columns.map((_, index) =>
    Math.max(...lines.map((cells) => cells[index]?.length ?? 0)),
  );
  const last = widths.length - 1;
  const others = widths.slice(0, last).reduce((sum, one) => sum + one + GAP.length, 0);
  return widths.map((one, index) =>
    index === last ? Math.min(one, Math.max(LEAST_LAST_WIDTH, width - others)) : one,
  );
}

/** One row, over as many lines as its last cell needs. */
function rowLines(
  cells: readonly string[],
  widths: readonly number[],
  numeric: ReadonlySet<number>,
): string[] {
  const last = widths.length - 1;
  const wrapped = wrapText(cells[last] ?? '', widths[last] ?? 0);
  const indent = widths.slice(0, last).reduce((sum, one) => sum + one + GAP.length, 0);
  return wrapped.map((text, line) => {
    const aligned = numeric.has(last) ? text.padStart(widths[last] ?? 0) : text;
    if (line > 0) return `${' '.repeat(indent)}${aligned}`.trimEnd();
    const before = cells
      .slice(0, last)
      .map((cell, index) =>
        numeric.has(index) ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0),
      );
    return [...before, aligned].join(GAP).trimEnd();
  });
}

/** A table for a terminal of `width` columns. */
export function tableText(table: PlanTable, width: number): string {
  const widths = columnWidths(table, width);
  const numeric = new Set(table.numeric);
  return [
    table.title,
    ...(table.introduction === undefined ? [] : wrapText(table.introduction, width)),
    '',
    ...rowLines(table.columns, widths, numeric),
    widths.map((one) => UNDERLINE.repeat(one)).join(GAP),
    ...table.rows.flatMap((cells) => rowLines(cells, widths, numeric)),
  ].join('\n');
}
