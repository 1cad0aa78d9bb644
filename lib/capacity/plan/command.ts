import { Command, CommanderError } from 'commander';
import { ConfigurationError } from '../../config/configuration-error.ts';
import type { StageDefinition } from '../../config/stage.ts';
import { findStage, stageDefinitions } from '../../config/stages/stages.ts';
import { planStage, type StagePlan } from '../size/size-stage.ts';
import { billTable, planTables } from './tables.ts';
import { tableText } from './text.ts';

interface Options {
  readonly stage?: StageDefinition;
  readonly bill: boolean;
  readonly json: boolean;
}

const names = stageDefinitions.map(({ name }) => name).join(', ');

/** @returns the options, or the help when it is asked for. */
function parse(commandLine: readonly string[]): Options | string {
  let help = '';
  const command = new Command('npm run plan --')
    .description(
      `Says how large a stage has to be for its workload, why, what it costs and which quotas it needs.
Stages: ${names}.`,
    )
    .option('--stage <name>', 'one stage (default: all of them)', findStage)
    .option('--bill', 'each position of the bill, too', false)
    .option('--json', 'the same for programs: an array with one object for each stage', false)
    .argument('[words...]')
    .configureOutput({
      writeOut: (text) => {
        help += text;
      },
      writeErr: () => {},
    })
    .exitOverride();
  try {
    command.parse(commandLine, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return help;
    const message = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
    throw new ConfigurationError([`${message}. See npm run plan -- --help. Stages: ${names}.`]);
  }
  const [word] = command.args;
  if (word !== undefined) {
    throw new ConfigurationError([
      `"${word}" is no option. For one stage: npm run plan -- --stage ${word}`,
    ]);
  }
  return command.opts<{ stage?: StageDefinition; bill: boolean; json: boolean }>();
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
  if (typeof values === 'string') return values;
  const definitions: readonly StageDefinition[] =
    values.stage === undefined ? stageDefinitions : [values.stage];
  const plans = definitions.map((definition) => planStage(definition));
  if (values.json) return `${JSON.stringify(plans, undefined, 2)}\n`;
  return `${plans.map((plan) => planText(plan, width, values.bill)).join('\n\n\n')}\n`;
}
