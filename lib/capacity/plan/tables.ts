import { assumptions } from '../data/assumptions.ts';
import type { Figure } from '../data/figures.ts';
import { priceList } from '../data/prices.ts';
import { dollars, rounded } from '../data/rounded.ts';
import { type Load, type PlannedLoad, workOf } from '../load/load.ts';
import type { StagePlan } from '../size/size-stage.ts';
import { figureText } from './figure-text.ts';

/** A table of the plan, for a terminal or a page. */
export interface PlanTable {
  readonly title: string;
  /** A sentence or two above it. @default none */
  readonly introduction?: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns with numbers, by index: they are aligned to the right. @default none */
  readonly numeric?: readonly number[];
}

const PERCENT = 100;

const loadRows: readonly (readonly [what: string, of: (load: Load) => number])[] = [
  ['requests at the edge', (load) => load.requests],
  ['answered by the edge', (load) => load.edgeHits],
  ['requests that reach the tasks', (load) => load.origin],
  ['reads out of a task’s memory', (load) => load.nearHits],
  ['reads that ask the cache', (load) => load.cacheReads],
  ['reads that ask the database', (load) => load.databaseReads],
  ['writes', (load) => load.writes],
  ['users created', (load) => load.creations],
  ['logins', (load) => load.logins],
];

function loadTable({ today, mean, peak, event }: PlannedLoad): PlanTable {
  return {
    title: 'Load, per second',
    introduction: `The mean of the month now, and in ${assumptions.planningMonths.value} months; the peak of an ordinary day and the highest that is planned for then.`,
    columns: ['what', 'mean now', 'mean', 'peak', 'highest peak'],
    numeric: [1, 2, 3, 4],
    rows: loadRows.map(([what, of]) => [
      what,
      ...[today, mean, peak, event].map((load) => rounded(of(load))),
    ]),
  };
}

function workTable({ event }: PlannedLoad): PlanTable {
  const work = workOf(event);
  const total = work.reduce((sum, { vcpus }) => sum + vcpus, 0);
  return {
    title: 'Where the CPU goes, at the highest peak',
    columns: ['work', 'per second', 'vCPUs', 'share'],
    numeric: [1, 2, 3],
    rows: work.map(({ kind, rate, vcpus }) => [
      kind,
      rounded(rate),
      rounded(vcpus),
      `${rounded((vcpus / total) * PERCENT)} %`,
    ]),
  };
}

/** Figures that say nothing in the database's mode. */
function isIdle(name: string, mode: StagePlan['stage']['size']['database']['mode']): boolean {
  return mode === 'serverless'
    ? name === 'database.instanceClass'
    : name.startsWith('database.') && name.endsWith('CapacityUnits');
}

function figureTable(title: string, figures: readonly Figure[]): PlanTable {
  return {
    title,
    columns: ['figure', 'value', 'why'],
    rows: figures.map((figure) => [figure.name, figureText(figure), figure.why]),
  };
}

function costTable({ stage, cost, laterCost }: StagePlan): PlanTable {
  const note = priceList.regions.some((region) => region === stage.region)
    ? ''
    : ` The prices are those of ${priceList.regions.join(' and ')}; ${stage.region} is more expensive.`;
  return {
    title: 'Cost',
    introduction:
      `At the mean load now, ${rounded(cost.millionRequests)} million requests a month. ${priceList.caveat}${note}` +
      ` The budget alarm goes by ${dollars(stage.monthlyBudgetDollars)} a month; the ceiling is ${dollars(stage.policy.spendCeilingDollars)}.`,
    columns: ['part', 'a month', 'per million requests'],
    numeric: [1, 2],
    rows: [
      ...cost.byComponent.map(({ component, monthly, perMillionRequests }) => [
        component,
        dollars(monthly),
        dollars(perMillionRequests),
      ]),
      ['all', dollars(cost.monthly), dollars(cost.perMillionRequests)],
      [
        `all, in ${assumptions.planningMonths.value} months`,
        dollars(laterCost.monthly),
        dollars(laterCost.perMillionRequests),
      ],
    ],
  };
}

/** Each position of the bill. */
export function billTable({ cost }: StagePlan): PlanTable {
  return {
    title: 'Bill',
    columns: ['part', 'what', 'quantity', 'price', 'a month'],
    numeric: [2, 4],
    rows: cost.lines.map(({ component, what, quantity, price, dollars: amount }) => [
      component,
      what,
      rounded(quantity),
      `$${Number(price.dollars.toPrecision(6))} per ${price.per}`,
      dollars(amount),
    ]),
  };
}

function quotaTable({ quotas }: StagePlan): PlanTable {
  return {
    title: 'Quotas',
    introduction:
      'What the stage may need at its largest, and what the account has: the standard, or what the stage says it was granted. Stages in one account share its quotas.',
    columns: ['quota', 'code', 'may need', 'has', 'why'],
    numeric: [2, 3],
    rows: quotas
      .filter(({ needed }) => needed > 0)
      .map(({ quota, needed, available, reason }) => [
        `${quota.service}: ${quota.name}`,
        quota.code,
        rounded(needed),
        `${rounded(available)}${available === quota.standard ? '' : ' granted'}`,
        reason,
      ]),
  };
}

/** Everything that is to be said of a plan, in order. */
export function planTables(plan: StagePlan): readonly PlanTable[] {
  const { figures, load, stage } = plan;
  const shown = figures.filter(({ name }) => !isIdle(name, stage.size.database.mode));
  const isAlarm = ({ name }: Figure): boolean => name.startsWith('alarms.');
  return [
    loadTable(load),
    workTable(load),
    figureTable(
      'Sizes',
      shown.filter((figure) => !isAlarm(figure)),
    ),
    figureTable('Alarms', shown.filter(isAlarm)),
    costTable(plan),
    quotaTable(plan),
  ];
}
