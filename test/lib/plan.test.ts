import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { planCommand } from '../../lib/capacity/plan/command.ts';
import { stagesPage } from '../../lib/capacity/plan/page.ts';
import { planTables } from '../../lib/capacity/plan/tables.ts';
import { tableText } from '../../lib/capacity/plan/text.ts';
import { planStage } from '../../lib/capacity/size/size-stage.ts';
import { ConfigurationError } from '../../lib/config/configuration-error.ts';
import { production } from '../../lib/config/stages/production.ts';
import { stageDefinitions } from '../../lib/config/stages/stages.ts';
import { workerConnections } from './support/stages.ts';
import { repositoryRoot, runToEnd } from './support/synthesise.ts';

const names = stageDefinitions.map(({ name }) => name);
const WIDTH = 140;

describe('npm run plan', () => {
  it('of a stage, prints every figure with its reason, the cost and the quotas', () => {
    const output = planCommand(['--stage', 'production'], WIDTH);
    const plan = planStage(production);
    expect(output).toMatch(/^Stage production, in us-east-2 \(a, b, c\)\n=+\n/);
    for (const { name, why } of plan.figures) {
      if (name === 'database.instanceClass') continue;
      const row = output.split('\n').find((line) => line.startsWith(`${name} `));
      // The reason may go on in the next line, but begins in this one.
      expect(row, name).toContain(`  ${why.slice(0, 10)}`);
    }
    expect(output).toMatch(/^all {2,}\$[\d,]+ {2,}\$[\d.]+$/m);
    expect(output).toContain('L-3032A538');
  });

  it('of a serverless database, leaves out the class of instances, and the other way round', () => {
    expect(planCommand(['--stage', 'production'], WIDTH)).not.toContain('database.instanceClass');
    const output = planCommand(['--stage', 'million'], WIDTH);
    expect(output).toContain('database.instanceClass');
    expect(output).not.toContain('database.minimumCapacityUnits');
  });

  it('in a terminal of any width, breaks reasons but no figure', () => {
    for (const width of [100, 160, 240]) {
      const lines = planTables(planStage(production))
        .map((table) => tableText(table, width))
        .join('\n')
        .split('\n');
      const tooLong = lines.filter((line) => line.length > width);
      // Columns before the last are never cut, so a narrow terminal has longer lines only where those are wide.
      if (width >= 160) expect(tooLong).toEqual([]);
      expect(lines.some((line) => line.includes('service.maximumTasks'))).toBe(true);
    }
  });

  it('of all stages, without --stage, prints each', () => {
    const output = planCommand([], WIDTH);
    for (const name of names) expect(output).toContain(`Stage ${name}, in `);
  });

  it('with --bill, prints each position of it', () => {
    expect(planCommand(['--stage', 'dev', '--bill'], WIDTH)).toContain('NAT gateways');
    expect(planCommand(['--stage', 'dev'], WIDTH)).not.toContain('NAT gateways');
  });

  it('with --json, prints what a program can read', () => {
    const plans = z
      .array(
        z.looseObject({
          stage: z.looseObject({ name: z.string() }),
          figures: z.array(z.object({ name: z.string(), value: z.unknown(), why: z.string() })),
          cost: z.looseObject({ monthly: z.number() }),
        }),
      )
      .parse(JSON.parse(planCommand(['--json'], WIDTH)));
    expect(plans.map(({ stage }) => stage.name)).toEqual(names);
  });

  it('with --help, says what there is', () => {
    const output = planCommand(['--help'], WIDTH);
    for (const word of ['--stage', '--bill', '--json', ...names]) expect(output).toContain(word);
  });

  it.each([
    [['--stge', 'dev'], "unknown option '--stge' (Did you mean --stage?)"],
    [['--stage', 'prod'], 'There is no stage "prod". Did you mean "production"?'],
    [
      ['--stage'],
      `option '--stage <name>' argument missing. See npm run plan -- --help. Stages: ${names.join(', ')}.`,
    ],
    [['production'], 'For one stage: npm run plan -- --stage production'],
  ])('with %j, says what it takes', (commandLine, message) => {
    expect(() => planCommand(commandLine, WIDTH)).toThrow(ConfigurationError);
    expect(() => planCommand(commandLine, WIDTH)).toThrow(message);
  });

  it('as a program, with a mistake, prints the message alone and ends with 1', async () => {
    const { code, output } = await runToEnd(
      process.execPath,
      ['bin/plan.ts', '--stage', 'prodcution'],
      { cwd: repositoryRoot, env: {} },
    );
    expect(code).toBe(1);
    expect(output).toBe(
      `There is no stage "prodcution". Did you mean "production"? There are: ${names.join(', ')}.\n`,
    );
  });
});

describe('the plan of a stage in another region', () => {
  it('of whose prices there is no table, says so', () => {
    const text = (region: string) =>
      planTables(planStage({ ...production, region }))
        .map(({ introduction }) => introduction)
        .join('\n');
    expect(text('eu-west-1')).toContain('The prices are those of us-east-1 and us-east-2');
    expect(text('us-east-1')).not.toContain('The prices are those of');
  });
});

describe('an overridden figure', () => {
  it('in the plan, has the person’s reason and what was computed, and others follow from it', () => {
    const overrides = {
      'service.maximumTasks': { to: 50, because: 'the load test of March needed them' },
    };
    const plan = planStage({
      ...production,
      overrides,
      policy: {
        ...production.policy,
        grantedQuotas: { ...production.policy.grantedQuotas, 'L-3032A538': 200 },
      },
    });
    const text = planTables(plan)
      .map((table) => tableText(table, WIDTH))
      .join('\n');
    const computed = planStage(production).stage.size.service.maximumTasks;
    expect(text).toMatch(
      new RegExp(
        `service\\.maximumTasks +50 \\(set; computed: ${computed}\\) +the load test of March`,
      ),
    );
    // 50 tasks × 2 × a pool of 4 × 2 endpoints + workers + 1 schedule + 20.
    const connections = 821 + workerConnections(plan.stage.size);
    expect(text.replaceAll(/\s+/g, ' ')).toContain(`${connections} connections may be asked for`);
  });
});

describe('docs/stages.md', () => {
  it('compared with the stages, is up to date; if not, npm run docs writes it', () => {
    expect(readFileSync(join(repositoryRoot, 'docs/stages.md'), 'utf8')).toBe(stagesPage());
  });
});
