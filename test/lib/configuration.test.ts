import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { sizeStage } from '../../lib/capacity/size/size-stage.ts';
import { ConfigurationError } from '../../lib/config/configuration-error.ts';
import type { FigureValue } from '../../lib/config/overrides.ts';
import { services } from '../../lib/config/services.ts';
import type { StageDefinition } from '../../lib/config/stage.ts';
import { readContext } from '../../lib/config/stages/context.ts';
import { production } from '../../lib/config/stages/production.ts';
import { findStage, stageDefinitions, validateStage } from '../../lib/config/stages/stages.ts';
import { validateWorkers } from '../../lib/config/validate-workers.ts';
import { workers } from '../../lib/config/workers.ts';
import { runApp } from './support/synthesise.ts';
import { readDeployments, readTemplates } from './support/templates.ts';

const names = stageDefinitions.map(({ name }) => name);

/** The message of the error that `action` ends with. */
function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  throw new Error('Nothing was refused.');
}

/** A stage with more than its type allows, as when somebody mistypes a key and runs it without a type check. */
function altered(change: object): StageDefinition {
  return Object.assign(structuredClone(production), change);
}

describe('a stage', () => {
  it('of those that exist, validated, is as it was', () => {
    for (const stage of stageDefinitions) expect(validateStage(stage)).toBe(stage);
    expect(names).toEqual(expect.arrayContaining(['dev', 'staging', 'production', 'million']));
  });

  it('beside others, has a name and a range of addresses of its own', () => {
    const count = stageDefinitions.length;
    expect(new Set(stageDefinitions.map(({ name }) => name)).size).toBe(count);
    const ranges = stageDefinitions.map(({ policy }) => policy.network.addressRange);
    expect(new Set(ranges).size).toBe(count);
  });

  it('that does not exist, when found, names itself, those that do, and what was meant', () => {
    expect(refusal(() => findStage('prod'))).toBe(
      `There is no stage "prod". Did you mean "production"? There are: ${names.join(', ')}.`,
    );
    expect(refusal(() => findStage('live'))).toBe(
      `There is no stage "live". There are: ${names.join(', ')}.`,
    );
  });

  it('with an unknown key, validated, names it, those that exist, and what was meant', () => {
    expect(refusal(() => validateStage(altered({ regoin: 'eu-west-1' })))).toMatch(
      /^Stage "production": There is no key in it "regoin"\. Did you mean "region"\? There are: name, region, /,
    );
    const { database } = production.policy;
    const policy = { ...production.policy, database: { ...database, insight: 'standard' } };
    expect(refusal(() => validateStage(altered({ policy })))).toBe(
      'Stage "production": There is no key in policy.database "insight". Did you mean "insights"? There are: mode, ioOptimized, insights.',
    );
  });

  it.each([
    [{ region: 'Ohio' }, 'region got "Ohio". It takes a region such as eu-west-1.'],
    [{ availabilityZones: ['a'] }, 'availabilityZones got ["a"]. It takes at least two zones'],
    [{ policy: undefined }, 'policy got nothing.'],
  ])('with %j, validated, says what it got and what it takes', (change, message) => {
    expect(refusal(() => validateStage(altered(change)))).toContain(message);
  });

  it.each([
    [{ retention: { ...production.policy.retention, logDays: 42 } }, 'It takes one of the periods'],
    [{ contacts: undefined }, 'policy.contacts got nothing.'],
    [
      { email: { domain: 'example.com', sender: 'Somebody <me@example.org>' } },
      'It takes an address at example.com, as SES refuses others.',
    ],
  ])('with a policy of %j, validated, says what it takes', (change, message) => {
    const policy = { ...production.policy, ...change };
    expect(refusal(() => validateStage(altered({ policy })))).toContain(message);
  });

  it.each([
    [{ 'service.memoryMebibytes': 1_024 }, 'Fargate gives 1024 CPU units 2048 to 8192 MiB'],
    [{ 'service.cpuUnits': 1_000 }, 'Fargate has no 1000 CPU units, but 256, 512, 1024'],
    [
      { 'service.minimumTasks': 61, 'service.maximumTasks': 60 },
      'service.minimumTasks is 61. It takes at most service.maximumTasks (60).',
    ],
    [{ 'service.databasePoolSize': 0 }, 'It takes a whole number from 1 to 500.'],
    [{ 'service.maxTasks': 5 }, 'Did you mean "service.maximumTasks"?'],
  ])('with figures of %j, sized, says what is possible', (change, message) => {
    const overrides = Object.fromEntries(
      Object.entries(change).map(([name, to]) => [name, { to, because: 'a test of this figure' }]),
    );
    expect(refusal(() => sizeStage(altered({ overrides })))).toContain(message);
  });

  it('with a figure of its own, is checked by the compiler, too', () => {
    expectTypeOf<FigureValue<'service.maximumTasks'>>().toEqualTypeOf<number>();
    expectTypeOf<FigureValue<'database.mode'>>().toEqualTypeOf<'serverless' | 'provisioned'>();
    expectTypeOf<FigureValue<'alarms.latencySeconds'>>().toEqualTypeOf<number>();
    expectTypeOf<FigureValue<'workerConcurrency.email'>>().toEqualTypeOf<number>();
  });

  it('with several mistakes, validated, names them all', () => {
    const message = refusal(() => validateStage(altered({ region: 1, availabilityZones: [] })));
    expect(message.split('\n')).toHaveLength(2);
  });
});

describe('a worker', () => {
  const [email] = workers;
  if (email === undefined) throw new Error('There is no worker to alter.');

  it('of those that exist, validated, is as it was', () => {
    expect(validateWorkers(workers)).toBe(workers);
  });

  it.each([
    [{ visibilityTimeoutSeconds: 180 }, 'It takes at least 181: 6 × timeoutSeconds'],
    [{ maximumConcurrency: 1 }, 'It takes a whole number from 2 to 1000.'],
    [{ deadLetterRetentionSeconds: 345_600 }, 'It takes more than retentionSeconds (345600)'],
    [{ batchSize: 11, maximumBatchingWindowSeconds: 0 }, 'It takes at least 1 where batchSize'],
    [
      { entry: 'lambda-workers/emial/handler.ts' },
      'Worker "email": entry got "lambda-workers/emial/handler.ts". There is no such file',
    ],
    [{ entry: 'lambda-workers' }, 'It takes the path of a TypeScript module.'],
    [{ timeout: 30 }, 'There is no key in it "timeout". Did you mean "timeoutSeconds"?'],
  ])('with %j, validated, says what it takes', (change, message) => {
    expect(refusal(() => validateWorkers([Object.assign({ ...email }, change)]))).toContain(
      message,
    );
  });

  it('with the name of another, validated, is refused', () => {
    expect(refusal(() => validateWorkers([email, email]))).toContain(
      'Worker "email" is there more than once',
    );
  });
});

describe('-c on the command line', () => {
  const image = 'registry.example/user-api';
  const one = [{ name: 'user-api' }];

  it('with flags and look-ups of the CDK, and nothing else, selects all stages', () => {
    const { stages: selected } = readContext({
      '@aws-cdk/core:target-partitions': ['aws'],
      'aws:cdk:bundling-stacks': ['**'],
    });
    expect(selected).toEqual(stageDefinitions);
  });

  it('with an unknown key, names it, those that exist, and what was meant', () => {
    expect(refusal(() => readContext({ stge: 'dev' }))).toBe(
      'There is no context key "stge". Did you mean "stage"? There are: stage, region, availabilityZones, account, imageUri.',
    );
  });

  it.each([
    [{ account: '123' }, 'It takes the 12 digits of an account.'],
    [{ stage: '' }, '-c stage=… got "". It takes the name of the one stage to synthesise'],
    [{ region: 'mars' }, 'region got "mars". It takes a region such as eu-west-1.'],
    [{ imageUri: image }, 'It takes an image with a digest'],
    [{ imageUri: `${image}:latest` }, 'with a tag other than latest'],
  ])('with %j, says what it takes', (context, message) => {
    expect(refusal(() => readContext(context, one))).toContain(message);
  });

  it('with images of several services, takes each for its own, and says what it takes', () => {
    const several = [{ name: 'user-api' }, { name: 'reports' }];
    const read = (imageUri: string) => readContext({ imageUri }, several).images;
    expect(read(`reports=${image}:2,user-api=${image}:1`)).toEqual({
      reports: `${image}:2`,
      'user-api': `${image}:1`,
    });
    // What is not named is built.
    expect(read(`reports=${image}:2`)).toEqual({ reports: `${image}:2` });
    expect(refusal(() => read(`${image}:1`))).toContain(
      'With several services it takes <service>=<image> for each, separated by commas: user-api=…,reports=….',
    );
    expect(refusal(() => read(`report=${image}:1`))).toContain(
      'There is no service "report". Did you mean "reports"?',
    );
    expect(refusal(() => read(`reports=${image}:latest`))).toContain('other than latest');
  });

  it('with a fixed image, takes it', () => {
    for (const imageUri of [`${image}:1.2.3`, `${image}@sha256:${'0a'.repeat(32)}`]) {
      expect(readContext({ imageUri }, one).images).toEqual({ 'user-api': imageUri });
    }
  });
});

describe('the CDK app', () => {
  let outputDirectory: string;

  beforeAll(async () => {
    outputDirectory = await mkdtemp(join(tmpdir(), 'headroom-configuration-'));
  });

  afterAll(() => rm(outputDirectory, { recursive: true, force: true }));

  it('with a stage that does not exist, ends with the message alone and writes nothing', async () => {
    const { code, output } = await runApp({ outputDirectory, context: { stage: 'live' } });
    expect(code).toBe(1);
    expect(output).toBe(`There is no stage "live". There are: ${names.join(', ')}.\n`);
    expect(await readdir(outputDirectory)).toEqual([]);
  });

  it('with another region, zones, account and image, puts the stage there', async () => {
    const digest = `sha256:${'0a'.repeat(32)}`;
    const image = `123456789012.dkr.ecr.us-east-1.amazonaws.com/user-api@${digest}`;
    const { code } = await runApp({
      outputDirectory,
      context: {
        stage: 'dev',
        region: 'us-east-1',
        availabilityZones: 'b,d',
        account: '123456789012',
        imageUri: services
          .map(({ name }) => (services.length > 1 ? `${name}=${image}` : image))
          .join(','),
      },
    });
    expect(code).toBe(0);
    const deployments = readDeployments(outputDirectory);
    const stacks = readTemplates(outputDirectory);
    // Everything is in the region of CloudFront's stack, which needs no foundation of its own then.
    expect(stacks.map(({ part }) => part)).not.toContain('edge-foundation');
    for (const { name } of stacks) expect(deployments.get(name)?.region).toBe('us-east-1');
    const textOf = (part: string) => stacks.find((stack) => stack.part === part)?.text;
    expect(textOf('network')).toContain('"us-east-1d"');
    expect(textOf('network')).not.toContain('"us-east-1a"');
    expect(textOf('api')).toContain(`/user-api@${digest}`);
    expect(textOf('api')).toContain(':123456789012:repository/user-api');
  });
});
