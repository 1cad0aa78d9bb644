import { eventTasks } from '../../config/size.ts';
import type { Figure } from '../data/figures.ts';
import { rounded } from '../data/rounded.ts';

const GIBIBYTE = 1_024 ** 3;
const MEBIBYTE = 1_024 ** 2;

/** Units by the ending of a figure's name. */
const units: readonly (readonly [ending: string, unit: string])[] = [
  ['Percent', '%'],
  ['Milliseconds', 'ms'],
  ['Seconds', 's'],
  ['Mebibytes', 'MiB'],
  ['Days', 'days'],
  ['PerMinute', 'a minute'],
  ['PerAddress', 'in 5 minutes'],
];

function numberText(name: string, value: number): string {
  if (name.endsWith('Bytes')) {
    return value >= GIBIBYTE
      ? `${rounded(value / GIBIBYTE)} GiB`
      : `${rounded(value / MEBIBYTE)} MiB`;
  }
  const unit = units.find(([ending]) => name.endsWith(ending))?.[1];
  const text = value.toLocaleString('en-US');
  if (unit === undefined) return text;
  return unit === '%' ? `${text} %` : `${text} ${unit}`;
}

function valueText(name: string, value: unknown): string {
  if (typeof value === 'number') return numberText(name, value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (!Array.isArray(value)) return String(value);
  if (value.length === 0) return 'none';
  return value.map((item) => itemText(item)).join('; ');
}

/** `2027-11-26T00:00:00.000Z` → `2027-11-26 00:00` */
const minute = (time: string): string => time.slice(0, 16).replace('T', ' ');

function itemText(item: unknown): string {
  const event = eventTasks.safeParse(item);
  if (!event.success) return String(item);
  const { name, from, until, minimumTasks } = event.data;
  return `${name}: ${minimumTasks} from ${minute(from)} to ${minute(until)}`;
}

/** The value of a figure for people, with its unit, and with what was computed where it is overridden. */
export function figureText({ name, value, computed }: Figure): string {
  const text = valueText(name, value);
  return computed === undefined ? text : `${text} (set; computed: ${valueText(name, computed)})`;
}
