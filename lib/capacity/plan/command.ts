import { parseArgs } from 'node:util';
import { ConfigurationError, unknownName } from '../../config/configuration-error.ts';
import type { StageDefinition } from '../../config/stage.ts';
import { findStage, stageDefinitions } from '../../config/stages.ts';
import { planStage, type StagePlan } from '../size-stage.ts';
import { billTable, planTables } from './tables.ts';
import { tableText } from './text.ts';

const options = {
  stage: { type: 'string' },
  bill: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const usage = `Usage: npm run plan -- [--stage <name>] [options]

Says how large a stage has to be for its workload, why, what it costs and which quotas it needs. Without --stage: all of them.

Stages
  ${stageDefinitions.map(({ name }) => name).join(', ')}

Options
  --bill   each position of the bill, too
  --json   the same for programs: an array with one object for each stage
  --help
`;

function parse(commandLine: readonly string[]) {
  const known = Object.keys(options);
  const { tokens } = parseArgs({
    args: [...commandLine],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  for (const token of tokens) {
    if (token.kind === 'positional') {
      throw new ConfigurationError([
        `"${token.value}" is no option. For one stage: npm run plan -- --stage ${token.value}`,
      ]);
    }
    if (token.kind === 'option' && !known.includes(token.name)) {
      throw new ConfigurationError([
        unknownName('option', token.rawName, [...known.map((name) => `--${name}`)]),
      ]);
    }
    if (token.kind === 'option' && token.name === 'stage' && token.value === undefined) {
      throw new ConfigurationError([
        `--stage takes the name of a stage: ${stageDefinitions.map(({ name }) => name).join(', ')}.`,
      ]);
    }
  }
  return parseArgs({ args: [...commandLine], options }).values;
}

function planText(plan: StagePlan, width: number, withBill: boolean): string {
  const { name, region, availabilityZones } = plan.stage;
  const heading = `Stage ${name}, in ${region} (${availabilityZones.join(', ')})`;
  const tables = [...planTables(plan), ...(withBill ? [billTable(plan)] : [])];
  return [
    heading,
    '='.repeat(heading.length),
    '',
    tables.map((table) => tableText(table, width)).join('\n\n'),
  ].join('\n');
}

/**
 * What `npm run plan` prints.
 *
 * @param commandLine - what is behind `npm run plan --`.
 * @param width - columns of the terminal.
 * @throws ConfigurationError for an option or stage that does not exist, and for a stage that cannot be.
 */
export function planCommand(commandLine: readonly string[], width: number): string {
  const values = parse(commandLine);
  if (values.help) return usage;
  const definitions: readonly StageDefinition[] =
    values.stage === undefined ? stageDefinitions : [findStage(values.stage)];
  const plans = definitions.map((definition) => planStage(definition));
  if (values.json) return `${JSON.stringify(plans, undefined, 2)}\n`;
  return `${plans.map((plan) => planText(plan, width, values.bill)).join('\n\n\n')}\n`;
}
