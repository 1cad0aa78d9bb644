import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { migrations, services } from '../../lib/config/services.ts';
import { workers } from '../../lib/config/workers.ts';
import {
  EnvironmentError,
  readEnvironment,
  type VariableName,
} from '../../services/contracts/environment/read.ts';
import type { Program } from '../../services/contracts/environment/variable.ts';
import { environmentVariables } from '../../services/contracts/environment/variables.ts';
import {
  API_ROLE,
  EMAIL_WORKER_ROLE,
  MAINTENANCE_ROLE,
} from '../../services/user-api/database/roles.ts';
import { variables as userApiVariables } from '../../services/user-api/settings/settings.ts';
import { stages } from './support/stages.ts';
import { readTemplates, resourcesOf, type StackResource } from './support/templates.ts';

const stacks = readTemplates(inject('cloudAssembly'));

const isVariable = (name: string): name is VariableName =>
  Object.hasOwn(environmentVariables, name);

const taskDefinition = z.looseObject({
  ContainerDefinitions: z.tuple([
    z.looseObject({
      Environment: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
      Secrets: z.array(z.object({ Name: z.string() })),
    }),
  ]),
});
const functionEnvironment = z.looseObject({
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
});

/** A value as the program would get it, with something plausible for what only AWS knows. */
function deployedValue(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  const parts: unknown = typeof value === 'object' && value !== null ? Object.values(value)[0] : [];
  if (name.endsWith('_QUEUE_URL')) return 'https://sqs.us-east-2.amazonaws.com/queue';
  if (name.endsWith('_ARN')) return 'arn:aws:secretsmanager:us-east-2:account:secret:name';
  const [, texts] = z.tuple([z.literal(''), z.array(z.unknown())]).parse(parts);
  return texts.map((text) => (typeof text === 'string' ? text : 'host.amazonaws.com')).join('');
}

interface DeployedProgram {
  readonly program: Program;
  readonly place: string;
  readonly environment: Readonly<Record<string, string>>;
}

function deployed(
  program: Program,
  { place }: StackResource,
  variables: readonly (readonly [string, unknown])[],
): DeployedProgram {
  const environment = variables.map(([name, value]) => [name, deployedValue(name, value)]);
  return { program, place, environment: Object.fromEntries(environment) };
}

function programOf({ stack, logicalId }: StackResource): Program {
  if (stack.part === 'migrations') return 'migrate';
  return logicalId.startsWith('Schedule') ? 'maintenance' : 'email-worker';
}

const containers = resourcesOf(stacks, 'AWS::ECS::TaskDefinition').map((resource) => {
  const [container] = taskDefinition.parse(resource.Properties).ContainerDefinitions;
  return deployed('user-api', resource, [
    ...container.Environment.map(({ Name, Value }) => [Name, Value] as const),
    ...container.Secrets.map(
      ({ Name }) => [Name, 'a secret of letters and digits, some 64 of them'] as const,
    ),
  ]);
});
const functions = resourcesOf(stacks, 'AWS::Lambda::Function')
  .filter(({ Properties }) => 'VpcConfig' in Properties)
  .map((resource) => {
    const { Variables } = functionEnvironment.parse(resource.Properties).Environment;
    const program = programOf(resource);
    return deployed(program, resource, Object.entries(Variables));
  });
const programs = [...containers, ...functions];

const readBy = (program: Program) =>
  Object.keys(environmentVariables)
    .filter(isVariable)
    .filter((name) => environmentVariables[name].readBy.includes(program));

/** What the program asks for when it starts; the schema may be ahead of the user API, which keeps a list of its own. */
const needed = (program: Program): readonly VariableName[] =>
  program === 'user-api' ? userApiVariables : readBy(program);

describe('environments', () => {
  it('of all stages, are of every program that is deployed', () => {
    expect(programs).toHaveLength(stages.length * 4);
  });

  it.each(programs)(
    'of $place, compared with the schema, set only what $program reads',
    ({ program, environment }) => {
      const known = readBy(program);
      expect(Object.keys(environment).filter((name) => !known.some((one) => one === name))).toEqual(
        [],
      );
    },
  );

  it.each(programs)(
    'of $place, read by $program, are complete and valid',
    ({ program, environment }) => {
      expect(readEnvironment(needed(program), environment)).toMatchObject({
        DATABASE_TLS: 'verify',
      });
    },
  );

  it('without one of the variables, are refused by the same reading', () => {
    for (const { program, environment } of programs) {
      const incomplete = { ...environment, DATABASE_URL: undefined };
      expect(() => readEnvironment(needed(program), incomplete)).toThrow(EnvironmentError);
    }
  });

  it('of services and workers, name the roles that the migrations create', () => {
    const users = (program: Program) =>
      programs
        .filter((one) => one.program === program)
        .map(({ environment }) => new URL(environment.DATABASE_URL ?? '').username);
    expect(new Set(users('user-api'))).toEqual(new Set([API_ROLE]));
    expect(new Set(users('email-worker'))).toEqual(new Set([EMAIL_WORKER_ROLE]));
    expect(new Set(users('maintenance'))).toEqual(new Set([MAINTENANCE_ROLE]));
    expect(services.map(({ databaseUser }) => databaseUser)).toEqual([API_ROLE]);
    expect(workers.map(({ databaseUser }) => databaseUser)).toEqual([EMAIL_WORKER_ROLE]);
    expect(migrations.entry).toBe('services/user-api/migrate.ts');
  });

  it('of services, hold no password', () => {
    for (const { environment, place } of programs) {
      for (const [name, value] of Object.entries(environment)) {
        if (!value.includes('://')) continue;
        expect(new URL(value).password, `${place}: ${name}`).toBe('');
      }
    }
  });
});
