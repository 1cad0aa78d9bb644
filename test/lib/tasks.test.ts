import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { COLLECTOR_MEBIBYTES } from '../../lib/capacity/data/collector.ts';
import { planStage } from '../../lib/capacity/size/size-stage.ts';
import { services } from '../../lib/config/services.ts';
import type { StageDefinition } from '../../lib/config/stage.ts';
import { production } from '../../lib/config/stages/production.ts';
import { validateStage } from '../../lib/config/stages/stages.ts';
import { workers } from '../../lib/config/workers.ts';
import { environmentVariables } from '../../services/contracts/environment/variables.ts';
import { readTemplates, resourcesOf, type StackTemplate } from './support/templates.ts';
import { choices, loadTest, reports } from './support/variants.ts';

const stages = readTemplates(inject('cloudAssembly'));
const variants = readTemplates(inject('variantAssembly'));
const ofVariant = (stage: StageDefinition, part: string) =>
  variants.filter(({ name }) => name === `headroom-${stage.name}-${part}`);

const container = z.looseObject({
  Name: z.string(),
  Essential: z.boolean(),
  Command: z.array(z.string()).optional(),
  Environment: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
  Secrets: z.array(z.object({ Name: z.string(), ValueFrom: z.unknown() })).default([]),
  PortMappings: z.array(z.object({ ContainerPort: z.number() })).default([]),
  MountPoints: z.array(z.looseObject({ ContainerPath: z.string() })).default([]),
});
const task = z.looseObject({
  ContainerDefinitions: z.array(container),
  Volumes: z.array(z.looseObject({ Name: z.string() })).default([]),
});

const reference = z.object({ 'Fn::GetAtt': z.array(z.string()) });
const policyDocument = z.object({
  Statement: z.array(z.looseObject({ Action: z.unknown(), Resource: z.unknown() })),
});

function tasksOf(stacks: readonly StackTemplate[]) {
  return resourcesOf(stacks, 'AWS::ECS::TaskDefinition').map(({ place, Properties }) => ({
    place,
    ...task.parse(Properties),
  }));
}
const variable = ({ Environment }: z.output<typeof container>, name: string) =>
  Environment.find((one) => one.Name === name)?.Value;

/** What the collector of that variant is told. */
function collectorOf(stage: StageDefinition) {
  const [definition] = tasksOf(ofVariant(stage, 'api'));
  const collector = definition?.ContainerDefinitions.find(({ Name }) => Name === 'collector');
  if (collector === undefined) throw new Error(`${stage.name} has no collector.`);
  const text = z.string().parse(variable(collector, 'COLLECTOR_CONFIGURATION'));
  return { collector, configuration: JSON.parse(text) as unknown };
}

describe('tasks', () => {
  it.each(tasksOf(stages))(
    '$place, whose root is read-only, may write to one folder, for diagnostics',
    ({ ContainerDefinitions: [own, ...others], Volumes }) => {
      expect(others).toEqual([]);
      expect(own?.MountPoints).toEqual([
        { ContainerPath: '/diagnostics', ReadOnly: false, SourceVolume: 'diagnostics' },
      ]);
      // No host path, no file system: a volume that the task has to itself, and takes with it.
      expect(Volumes).toEqual([{ Name: 'diagnostics' }]);
      expect(own && variable(own, 'DIAGNOSTICS_DIRECTORY')).toBe('/diagnostics');
      // Fargate refuses it.
      expect(JSON.stringify(own)).not.toContain('Tmpfs');
    },
  );

  it.each(tasksOf([...stages, ...variants]))(
    '$place, on its internal port, listens to nobody outside of it',
    ({ ContainerDefinitions }) => {
      const [own] = ContainerDefinitions;
      expect(own && variable(own, 'INTERNAL_HOST')).toBe('127.0.0.1');
      const internal = Number(own && variable(own, 'INTERNAL_PORT'));
      expect(internal).toBeGreaterThan(0);
      const ports = ContainerDefinitions.flatMap(({ PortMappings }) => PortMappings);
      expect(ports.map(({ ContainerPort }) => ContainerPort)).not.toContain(internal);
    },
  );

  it('in every stage, are reached by the load balancer on the port of their service alone', () => {
    const api = [...stages, ...variants].filter(({ part }) => part === 'api');
    const rules = resourcesOf(api, 'AWS::EC2::SecurityGroupIngress').filter(({ Properties }) =>
      /Service/.test(JSON.stringify(Properties.GroupId)),
    );
    const known = [...services, reports].map(({ port }) => port);
    expect(rules.length).toBeGreaterThanOrEqual(api.length);
    for (const { place, Properties } of rules) {
      expect(Properties.FromPort, place).toBe(Properties.ToPort);
      expect(known, place).toContain(Properties.FromPort);
    }
  });

  it('where operators may run commands, have the channels for it, and else have not', () => {
    const enabled = (stacks: readonly StackTemplate[]) =>
      resourcesOf(stacks, 'AWS::ECS::Service').map(
        ({ Properties }) => Properties.EnableExecuteCommand,
      );
    expect(new Set(enabled(stages))).toEqual(new Set([false]));
    expect(stages.some(({ text }) => text.includes('ssmmessages'))).toBe(false);
    const api = ofVariant(choices, 'api');
    expect(enabled(api)).toEqual(services.map(() => true));
    expect(api[0]?.text).toContain('ssmmessages:OpenDataChannel');
    const [own] = tasksOf(api)[0]?.ContainerDefinitions ?? [];
    expect(own?.MountPoints.map(({ ContainerPath }) => ContainerPath)).toEqual([
      '/diagnostics',
      '/var/lib/amazon',
      '/var/log/amazon',
    ]);
  });
});

describe('keys of access tokens', () => {
  const arn = choices.policy.accessTokenKeysSecretArn;
  const secretsOf = (stacks: readonly StackTemplate[]) =>
    tasksOf(stacks).map(({ ContainerDefinitions: [own] }) => own?.Secrets ?? []);

  it('of a stage that names no secret, are not given to tasks, which derive one', () => {
    const all = secretsOf([...stages, ...ofVariant(loadTest, 'api')]);
    expect(all.length).toBeGreaterThan(1);
    for (const secrets of all) {
      const names = secrets.map(({ Name }) => Name);
      expect(names).toContain('SERVICE_SECRET');
      expect(names).not.toContain('ACCESS_TOKEN_KEYS');
    }
  });

  it('of a stage that names a secret, come from it, and only to the service itself', () => {
    const [definition] = tasksOf(ofVariant(choices, 'api'));
    const holders = definition?.ContainerDefinitions.filter(({ Secrets }) =>
      Secrets.some(({ ValueFrom }) => ValueFrom === arn),
    );
    expect(holders?.map(({ Name }) => Name)).toEqual(['user-api']);
    expect(holders?.[0]?.Secrets).toContainEqual({ Name: 'ACCESS_TOKEN_KEYS', ValueFrom: arn });
    expect(holders?.[0] && variable(holders[0], 'ACCESS_TOKEN_KEYS')).toBeUndefined();
  });

  it('in a secret, may be read by the role that starts the tasks, and used by nobody in any other way', () => {
    const own = variants.filter(({ name }) => name.startsWith(`headroom-${choices.name}-`));
    const roles = resourcesOf(own, 'AWS::ECS::TaskDefinition').map(
      ({ Properties }) => reference.parse(Properties.ExecutionRoleArn)['Fn::GetAtt'][0],
    );
    const granted = resourcesOf(own, 'AWS::IAM::Policy').flatMap(({ Properties }) =>
      policyDocument
        .parse(Properties.PolicyDocument)
        .Statement.filter(({ Resource }) => [Resource].flat().includes(arn))
        .map(({ Action, Effect }) => ({ roles: Properties.Roles, Effect, Action })),
    );
    expect(granted).toEqual(
      roles.map((role) => ({
        roles: [{ Ref: role }],
        Effect: 'Allow',
        Action: ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
      })),
    );
  });

  it.each(['token', 'arn:aws:secretsmanager:us-east-2:111122223333:secret:keys'])(
    'in a secret that is called %s, validated, say what it takes',
    (accessTokenKeysSecretArn) => {
      const policy = { ...choices.policy, accessTokenKeysSecretArn };
      expect(() => validateStage({ ...choices, policy })).toThrow(
        /accessTokenKeysSecretArn.*It takes the ARN of a secret of Secrets Manager/s,
      );
    },
  );
});

describe('telemetry', () => {
  it('of the stages that there are, goes nowhere: they name no endpoint', () => {
    for (const { name, text } of stages) expect(text, name).not.toContain('OTEL_EXPORTER');
  });

  it('of a stage that names an endpoint, goes through a collector on which no request depends', () => {
    const { collector, configuration } = collectorOf(choices);
    const endpoint = choices.policy.telemetry?.endpoint;
    expect(collector).toMatchObject({
      Essential: false,
      ReadonlyRootFilesystem: true,
      User: '65532:65532',
      Memory: COLLECTOR_MEBIBYTES,
      Command: ['--config=env:COLLECTOR_CONFIGURATION'],
    });
    const pipeline = (receiver: string) => ({ receivers: [receiver], exporters: ['otlphttp'] });
    expect(configuration).toMatchObject({
      exporters: { otlphttp: { endpoint } },
      service: { pipelines: { traces: pipeline('otlp'), metrics: pipeline('prometheus') } },
    });
  });

  it('of a service, is sent and fetched where the other of the two is', () => {
    const { configuration } = collectorOf(choices);
    const [definition] = tasksOf(ofVariant(choices, 'api'));
    const [own] = definition?.ContainerDefinitions ?? [];
    const address = new URL(String(own && variable(own, 'OTEL_EXPORTER_OTLP_ENDPOINT')));
    const text = JSON.stringify(configuration);
    expect(text).toContain(`"http":{"endpoint":"${address.host}"}`);
    expect(text).toContain(`"targets":["127.0.0.1:${own && variable(own, 'INTERNAL_PORT')}"]`);
  });

  it('with a key, has it from a secret, and nowhere in the template', () => {
    const { collector, configuration } = collectorOf(choices);
    expect(collector.Secrets).toEqual([
      {
        Name: 'OTLP_AUTHORIZATION',
        ValueFrom: choices.policy.telemetry?.authorizationSecretArn,
      },
    ]);
    expect(JSON.stringify(configuration)).toContain(
      `"headers":{"Authorization":"$${'{env:OTLP_AUTHORIZATION}'}"}`,
    );
    expect(JSON.stringify(collectorOf(loadTest).configuration)).not.toContain('Authorization');
    expect(collectorOf(loadTest).collector.Secrets).toEqual([]);
  });

  it('of workers, goes to the endpoint where that takes no key, and nowhere where it does', () => {
    const endpoints = (stage: StageDefinition) =>
      resourcesOf(ofVariant(stage, 'workers'), 'AWS::Lambda::Function')
        .filter(({ logicalId }) => logicalId.startsWith('Worker'))
        .map(
          ({ Properties }) => Object(Properties.Environment).Variables.OTEL_EXPORTER_OTLP_ENDPOINT,
        );
    expect(endpoints(loadTest)).toEqual(workers.map(() => loadTest.policy.telemetry?.endpoint));
    expect(endpoints(choices)).toEqual(workers.map(() => undefined));
    expect(environmentVariables.OTEL_EXPORTER_OTLP_ENDPOINT.readBy).toContain('queue-worker');
  });

  it('of a stage, counts in the memory of its tasks', () => {
    const why = (stage: StageDefinition) =>
      planStage(stage).figures.find(({ name }) => name === 'service.memoryMebibytes')?.why;
    expect(why(choices)).toContain(`the collector of telemetry ${COLLECTOR_MEBIBYTES}`);
    expect(why(production)).not.toContain('collector');
  });

  it.each([
    [{ endpoint: 'http://otlp.example.com' }, 'It takes an address such as https://otlp'],
    [{ endpoint: 'https://otlp.example.com:4318' }, 'on port 443'],
    [{ collectorImage: 'collector:latest' }, 'It takes an image with a digest or with a tag'],
    [{ authorizationSecretArn: 'token' }, 'It takes the ARN of a secret of Secrets Manager'],
    [{ endpiont: '' }, 'Did you mean "endpoint"?'],
  ])('with %j, validated, says what it takes', (change, message) => {
    const telemetry = Object.assign({ ...choices.policy.telemetry }, change);
    const policy = Object.assign({ ...choices.policy }, { telemetry });
    expect(() => validateStage({ ...choices, policy })).toThrow(message);
  });
});
