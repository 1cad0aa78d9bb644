import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { scheduledFunctions } from '../../lib/config/schedules.ts';
import { migrations, services } from '../../lib/config/services.ts';
import { workers } from '../../lib/config/workers.ts';
import {
  EnvironmentError,
  readEnvironment,
  type VariableName,
} from '../../services/contracts/environment/read.ts';
import type {
  EnvironmentVariable,
  Program,
} from '../../services/contracts/environment/variable.ts';
import { environmentVariables } from '../../services/contracts/environment/variables.ts';
import {
  API_ROLE,
  EMAIL_WORKER_ROLE,
  MAINTENANCE_ROLE,
  programRoles,
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

const programNames: ReadonlySet<string> = new Set(
  Object.values(environmentVariables).flatMap((variable) => variable.readBy),
);
const isProgram = (name: string): name is Program => programNames.has(name);

/** The worker of a name is a program of its own where it reads variables of its own. */
function programOfWorker(name: string): Program {
  const own = `${name}-worker`;
  return isProgram(own) ? own : 'queue-worker';
}

function programOf({ stack, logicalId }: StackResource): Program {
  if (stack.part === 'migrations') return 'migrate';
  if (logicalId.startsWith('Schedule')) return 'maintenance';
  const worker = workers.find(({ name }) => logicalId.startsWith(partId('Worker', name)));
  if (worker === undefined) throw new Error(`${logicalId} is a function of no worker.`);
  return programOfWorker(worker.name);
}

/** What the logical ids of a part's resources begin with. */
function partId(kind: string, name: string, resource = 'Function'): string {
  return `${kind}${name.replaceAll('-', '')}${resource}`;
}

/** A service beside the user API: the schema does not say which variables it needs. */
const isFurtherService = (place: string) =>
  services.slice(1).some(({ name }) => place.includes(partId('Service', name, 'Task')));

const containers = resourcesOf(stacks, 'AWS::ECS::TaskDefinition').map((resource) => {
  const [container] = taskDefinition.parse(resource.Properties).ContainerDefinitions;
  // The variables of the schema are those of the user API; another service gets them, too, and reads what it needs.
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
    .filter((name) => {
      const { readBy: readers }: EnvironmentVariable = environmentVariables[name];
      return (
        readers.includes(program) || (/-worker$/.test(program) && readers.includes('queue-worker'))
      );
    });

/** What the program asks for when it starts; the schema may be ahead of the user API, which keeps a list of its own. */
const needed = (program: Program): readonly VariableName[] =>
  program === 'user-api' ? userApiVariables : readBy(program);

describe('environments', () => {
  it('of all stages, are of every program that is deployed', () => {
    expect(programs).toHaveLength(
      stages.length * (services.length + workers.length + scheduledFunctions.length + 1),
    );
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
    ({ program, place, environment }) => {
      const names = isFurtherService(place)
        ? needed(program).filter((name) => name in environment)
        : needed(program);
      const values = readEnvironment(names, environment);
      if ('DATABASE_URL' in environment) expect(values).toMatchObject({ DATABASE_TLS: 'verify' });
    },
  );

  it('without one of the variables, are refused by the same reading', () => {
    for (const { program, place, environment } of programs) {
      if (isFurtherService(place)) continue;
      const incomplete = { ...environment, DATABASE_URL: undefined };
      expect(() => readEnvironment(needed(program), incomplete)).toThrow(EnvironmentError);
    }
  });

  it('of every part with a role, name that role, which the migrations create', () => {
    const parts = [
      ...services.map((part) => ({ ...part, id: partId('Service', part.name, 'Task') })),
      ...workers.map((part) => ({ ...part, id: partId('Worker', part.name) })),
      ...scheduledFunctions.map((part) => ({ ...part, id: partId('Schedule', part.name) })),
    ];
    for (const { name, databaseUser, id } of parts) {
      const users = programs
        .filter(({ place }) => place.includes(`/${id}`))
        .map(({ environment: { DATABASE_URL } }) =>
          DATABASE_URL === undefined ? undefined : new URL(DATABASE_URL).username,
        );
      expect(users, name).toEqual(stages.map(() => databaseUser));
      if (databaseUser !== undefined) expect(programRoles, name).toContain(databaseUser);
    }
    expect(parts).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'user-api', databaseUser: API_ROLE }),
        expect.objectContaining({ name: 'email', databaseUser: EMAIL_WORKER_ROLE }),
        expect.objectContaining({ name: 'maintenance', databaseUser: MAINTENANCE_ROLE }),
      ]),
    );
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
