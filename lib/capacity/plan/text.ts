import Table from 'cli-table3';
import type { PlanTable } from './tables.ts';

/** Columns are parted by two blanks, and nothing else is drawn. */
const CHARACTERS = {
  ...Object.fromEntries(
    ['top', 'bottom', 'left', 'right', 'mid']
      .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
      .map((name) => [name, '']),
  ),
  middle: '  ',
};
/** The last column takes what is left of the line, and at least so many characters. */
const LEAST_LAST_WIDTH = 30;
const UNDERLINE = '-';

const createTable = (options: Table.TableConstructorOptions) =>
  new Table({
    ...options,
    chars: CHARACTERS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
const textOf = (table: Table.Table) => table.toString().replaceAll(/ +$/gm, '');

export interface PlainTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Indexes of the columns that are aligned to the right. @default none */
  readonly numeric?: readonly number[];
  /** In characters; the last column is wrapped to fit. @default as wide as the cells */
  readonly width?: number;
}

/** A table in plain text without a line break at its end. */
export function plainTable({ columns, rows, numeric = [], width = Infinity }: PlainTable): string {
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((cells) => cells[index]?.length ?? 0)),
  );
  const others = widths.slice(0, -1).reduce((sum, one) => sum + one + CHARACTERS.middle.length, 0);
  const last = Math.min(widths.at(-1) ?? 0, Math.max(LEAST_LAST_WIDTH, width - others));
  const table = createTable({
    head: [...columns],
    colAligns: columns.map((_, index) => (numeric.includes(index) ? 'right' : 'left')),
    colWidths: [...widths.slice(0, -1), last],
    wordWrap: true,
  });
  const lines = [...widths.slice(0, -1), last].map((one) => UNDERLINE.repeat(one));
  table.push(lines, ...rows.map((cells) => [...cells]));
  return textOf(table);
}

/** `text` in lines of at most `width` characters, broken at blanks. */
const wrapText = (text: string, width: number) => {
  const table = createTable({ colWidths: [width], wordWrap: true });
  table.push([text]);
  return textOf(table);
};

/** A table for a terminal of `width` characters, with its title. */
export function tableText(table: PlanTable, width: number): string {
  const { introduction, title } = table;
  return [
    title,
    ...(introduction === undefined ? [] : [wrapText(introduction, width)]),
    '',
    plainTable({ ...table, width }),
  ].join('\n');
}
