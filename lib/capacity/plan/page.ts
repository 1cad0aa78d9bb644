import { stageDefinitions } from '../../config/stages/stages.ts';
import { assumptions } from '../data/assumptions.ts';
import { priceList } from '../data/prices.ts';
import { dollars, rounded } from '../data/rounded.ts';
import { type UnitCost, unitCosts } from '../data/unit-costs.ts';
import { planStage, type StagePlan } from '../size/size-stage.ts';
import { refusals } from './mistakes.ts';
import { type PlanTable, planTables } from './tables.ts';

const cellText = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** A table of a Markdown page, without its title. */
function tableMarkdown(table: PlanTable): string {
  const numeric = new Set(table.numeric);
  const row = (cells: readonly string[]): string => `| ${cells.map(cellText).join(' | ')} |`;
  return [
    ...(table.introduction === undefined ? [] : [table.introduction, '']),
    row(table.columns),
    `|${table.columns.map((_, index) => (numeric.has(index) ? '---:' : '---')).join('|')}|`,
    ...table.rows.map(row),
  ].join('\n');
}

function overview(plans: readonly StagePlan[]): PlanTable {
  return {
    title: 'Overview',
    columns: [
      'stage',
      'peak, requests/s',
      'tasks',
      'database',
      'cache',
      'a month',
      'per million requests',
    ],
    numeric: [1, 5, 6],
    rows: plans.map(({ stage, load, cost }) => {
      const { service, database, cache } = stage.size;
      const instances =
        database.mode === 'serverless'
          ? `${database.minimumCapacityUnits} to ${database.maximumCapacityUnits} ACU`
          : database.instanceClass;
      return [
        `[${stage.name}](../lib/config/stages/${stage.name}.ts)`,
        rounded(load.event.requests),
        `${service.minimumTasks} to ${service.maximumTasks} of ${service.cpuUnits} CPU units`,
        `writer and ${database.readers} to ${database.maximumReaders} readers, ${instances}`,
        `${cache.shards} × ${1 + cache.replicas} ${cache.nodeType}`,
        dollars(cost.monthly),
        dollars(cost.perMillionRequests),
      ];
    }),
  };
}

/** What a comparison of stages takes from a table of their plans. */
interface Comparison {
  readonly title: string;
  readonly introduction?: string;
  /** The name of a row, the same in every stage. */
  readonly nameIn?: (row: readonly string[]) => string;
  readonly valueIn: (row: readonly string[]) => string;
  /** The reason for the value, of which the page has that of one stage. @default none */
  readonly reasonIn?: (row: readonly string[]) => string;
}

/** The stage whose reasons the page has; of figures that it lacks, another one's. */
const REASONS_OF = 'production';

const cell = (row: readonly string[], index: number): string => row[index] ?? '';

const comparisons: readonly Comparison[] = [
  {
    title: 'Load, per second',
    introduction: `The mean of the month now / the highest peak in ${assumptions.planningMonths.value} months.`,
    valueIn: (row) => `${cell(row, 1)} / ${cell(row, 4)}`,
  },
  { title: 'Where the CPU goes, at the highest peak', valueIn: (row) => cell(row, 3) },
  { title: 'Sizes', valueIn: (row) => cell(row, 1), reasonIn: (row) => cell(row, 2) },
  { title: 'Alarms', valueIn: (row) => cell(row, 1), reasonIn: (row) => cell(row, 2) },
  {
    title: 'Cost',
    introduction: `A month, at the mean load now. ${priceList.caveat}`,
    valueIn: (row) => cell(row, 1),
  },
  {
    title: 'Quotas',
    introduction:
      'What the stage may need at its largest / what the account has: the standard, or what `policy.grantedQuotas` says. Stages in one account share its quotas.',
    nameIn: (row) => `${cell(row, 0)} (${cell(row, 1)})`,
    valueIn: (row) => `${cell(row, 2)} / ${cell(row, 3)}`,
  },
];

/** One table of all plans, with a column for each stage. */
function comparisonSection(plans: readonly StagePlan[], comparison: Comparison): string {
  const { title, introduction, nameIn = (row) => cell(row, 0), valueIn, reasonIn } = comparison;
  const columns = plans.map((plan) => ({
    stage: plan.stage.name,
    rows: new Map(
      planTables(plan)
        .filter((table) => table.title === title)
        .flatMap(({ rows }) => rows.map((row) => [nameIn(row), row] as const)),
    ),
  }));
  const reason = (name: string): string => {
    const having = columns.filter(({ rows }) => rows.has(name));
    const found = having.find(({ stage }) => stage === REASONS_OF) ?? having[0];
    const text = reasonIn?.(found?.rows.get(name) ?? []) ?? '';
    return found?.stage === REASONS_OF ? text : `${found?.stage}: ${text}`;
  };
  const names = [...new Set(columns.flatMap(({ rows }) => [...rows.keys()]))];
  return `## ${title}\n\n${tableMarkdown({
    title,
    ...(introduction === undefined ? {} : { introduction }),
    columns: [
      '',
      ...columns.map(({ stage }) => stage),
      ...(reasonIn === undefined ? [] : [`why, in ${REASONS_OF}`]),
    ],
    numeric: columns.map((_, index) => index + 1),
    rows: names.map((name) => [
      name,
      ...columns.map(({ rows }) => {
        const row = rows.get(name);
        return row === undefined ? '–' : valueIn(row);
      }),
      ...(reasonIn === undefined ? [] : [reason(name)]),
    ]),
  })}`;
}

/** What the stages are computed from. */
function workloadSection(plans: readonly StagePlan[]): string {
  const rows: readonly (readonly [what: string, of: (stage: StagePlan['stage']) => string])[] = [
    ['region', ({ region }) => region],
    ['zones', ({ availabilityZones }) => availabilityZones.join('')],
    ['availability', ({ policy }) => `${policy.availabilityPercent} %`],
    ['protection', ({ policy }) => policy.protection],
    ['peak, requests/s', ({ workload }) => rounded(workload.peakRequestsPerSecond)],
    ['mean, of the peak', ({ workload }) => `${workload.averagePercent} %`],
    ['reads', ({ workload }) => `${workload.readPercent} %`],
    ['reads that the edge may keep', ({ workload }) => `${workload.edgeCacheablePercent} %`],
    ['users', ({ workload }) => rounded(workload.users)],
    ['growth a year', ({ workload }) => `${workload.growthPercentPerYear} %`],
    ['budget alarm, a month', ({ monthlyBudgetDollars }) => dollars(monthlyBudgetDollars)],
    ['spend ceiling, a month', ({ policy }) => dollars(policy.spendCeilingDollars)],
  ];
  return `## Workload and policy\n\n${tableMarkdown({
    title: 'Workload and policy',
    columns: ['', ...plans.map(({ stage }) => stage.name)],
    numeric: plans.map((_, index) => index + 1),
    rows: rows.map(([what, of]) => [what, ...plans.map(({ stage }) => of(stage))]),
  })}`;
}

function costTable(title: string, costs: Readonly<Record<string, UnitCost>>): string {
  return [
    `### ${title}`,
    '',
    tableMarkdown({
      title,
      columns: ['name', 'value', 'unit', 'source'],
      numeric: [1],
      rows: Object.entries(costs).map(([name, { value, unit, source }]) => [
        name,
        value.toLocaleString('en-US', { maximumSignificantDigits: 6 }),
        unit,
        source,
      ]),
    }),
  ].join('\n');
}

/** What mistakes end with, as they are made while the page is written. */
function refusalSections(): string {
  return refusals()
    .map(({ title, problems }) => [title, '', '```text', ...problems, '```'].join('\n'))
    .join('\n\n');
}

/** The page `docs/stages.md`: the plan of every stage, and what it is computed from. */
export function stagesPage(): string {
  const plans = stageDefinitions.map((definition) => planStage(definition));
  return [
    '# Stages',
    '',
    '<!-- Generated by `npm run docs` from lib/config/stages and lib/capacity; a test fails when the two differ. -->',
    '',
    'How large each stage is, why, and what it costs. For one stage, with all of its reasons and each position of the bill:',
    '',
    '```sh',
    `npm run plan -- --stage ${REASONS_OF} --bill`,
    '```',
    '',
    '[Infrastructure](infrastructure.md#stages) says how to add a stage and how to override a figure.',
    '',
    tableMarkdown(overview(plans)),
    '',
    workloadSection(plans),
    '',
    comparisons.map((comparison) => comparisonSection(plans, comparison)).join('\n\n'),
    '',
    '## Mistakes and their messages',
    '',
    '`npm run plan` and `npx cdk synth` end with code 1, print only this, and write nothing.',
    '',
    refusalSections(),
    '',
    '## What this is computed from',
    '',
    'Each figure stands once, in `lib/capacity/data/unit-costs.ts`, `assumptions.ts`, `prices.ts` or `quotas.ts`, so that a measurement replaces an assumption everywhere.',
    '',
    costTable('Unit costs', unitCosts),
    '',
    costTable('Assumptions about traffic', assumptions),
    '',
    '### Prices',
    '',
    `Of ${priceList.regions.join(' and ')}, entered on ${priceList.enteredOn}, each with its source: [\`prices.ts\`](../lib/capacity/data/prices.ts).`,
    '',
  ].join('\n');
}
