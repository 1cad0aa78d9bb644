import { describe, expect, inject, it } from 'vitest';
import { scheduledFunctions } from '../../lib/config/schedules.ts';
import { services } from '../../lib/config/services.ts';
import { workers } from '../../lib/config/workers.ts';
import { stages } from './support/stages.ts';
import { readTemplates, resourcesOf, type StackResource, walk } from './support/templates.ts';

const stacks = readTemplates(inject('cloudAssembly'));
const resources = (type?: string) => resourcesOf(stacks, type);

interface Statement {
  readonly Effect?: unknown;
  readonly Action?: unknown;
  readonly Resource?: unknown;
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

/** Every statement that allows something, of every policy of an identity. */
function allowingStatements(resource: StackResource): Statement[] {
  return [...walk(resource.Properties)].filter(
    (part): part is Statement => 'Effect' in part && part.Effect === 'Allow' && 'Action' in part,
  );
}

describe('security groups', () => {
  it('in every stage, allow nothing in from an address but the VPC’s own', () => {
    const rules = [
      ...resources('AWS::EC2::SecurityGroupIngress').map(({ place, Properties }) => ({
        place,
        rule: Properties,
      })),
      ...resources('AWS::EC2::SecurityGroup').flatMap(({ place, Properties }) =>
        listOf(Properties.SecurityGroupIngress ?? []).map((rule) => ({ place, rule })),
      ),
    ];
    expect(rules.length).toBeGreaterThan(0);
    const ranges = stages.map(({ size }) => size.network.addressRange);
    for (const { place, rule } of rules) {
      expect(rule, place).not.toHaveProperty('CidrIpv6');
      if (ranges.includes(String(Object(rule).CidrIp))) continue;
      expect(rule, place).not.toHaveProperty('CidrIp');
      expect(rule, place).toHaveProperty('SourceSecurityGroupId');
    }
  });

  it('of the load balancer, allow in only the group of CloudFront', () => {
    for (const loadBalancer of resources('AWS::ElasticLoadBalancingV2::LoadBalancer')) {
      expect(loadBalancer.Properties, loadBalancer.place).toMatchObject({ Scheme: 'internal' });
      const [group] = listOf(loadBalancer.Properties.SecurityGroups);
      const sources = resourcesOf([loadBalancer.stack], 'AWS::EC2::SecurityGroupIngress')
        .filter(({ Properties }) => JSON.stringify(Properties.GroupId) === JSON.stringify(group))
        .map(({ Properties }) => JSON.stringify(Properties.SourceSecurityGroupId));
      expect(sources, loadBalancer.place).toHaveLength(1);
      expect(sources[0]).toMatch(/CloudFrontSecurityGroup.*SecurityGroups\.0\.GroupId/);
    }
  });

  it('of databases and caches, allow nothing out', () => {
    const groups = resources('AWS::EC2::SecurityGroup').filter(
      ({ stack }) => stack.part === 'data',
    );
    expect(groups).toHaveLength(2 * stages.length);
    for (const { place, Properties } of groups) {
      expect(Properties.SecurityGroupEgress, place).toEqual([
        expect.objectContaining({ Description: 'Disallow all traffic', IpProtocol: 'icmp' }),
      ]);
    }
  });
});

describe('subnets', () => {
  it('that compute or hold data, in every stage, give no public addresses', () => {
    for (const { place, Properties } of resources('AWS::EC2::Subnet')) {
      expect(Properties.MapPublicIpOnLaunch, place).toBe(false);
    }
  });
});

describe('permissions', () => {
  const identities = [...resources('AWS::IAM::Policy'), ...resources('AWS::IAM::Role')];

  it('to log in to the database, are each for one role', () => {
    const logins = identities.flatMap((identity) =>
      allowingStatements(identity)
        .filter(({ Action }) => listOf(Action).includes('rds-db:connect'))
        .map(({ Resource }) => ({
          part: identity.stack.part,
          role: /\/([a-z_*]+)"\]\]/.exec(JSON.stringify(Resource))?.[1],
        })),
    );
    const roles = (part: string, users: readonly { readonly databaseUser?: string }[]) =>
      users.flatMap(({ databaseUser: role }) => (role === undefined ? [] : [{ part, role }]));
    const expected = [
      ...roles('api', services),
      ...roles('workers', [...workers, ...scheduledFunctions]),
    ];
    const sorted = (list: readonly object[]) => list.map((one) => JSON.stringify(one)).sort();
    expect(sorted(logins)).toEqual(sorted(stages.flatMap(() => expected)));
    expect(new Set(logins.map(({ part }) => part))).toEqual(new Set(['api', 'workers']));
    expect(logins.map(({ role }) => role)).not.toContain('*');
  });
});

describe('templates', () => {
  it('in every stage, hold no id of an account', () => {
    for (const { name, text } of stacks) {
      // As a string, or as a part of an ARN, URL or name: numbers of bytes may have as many digits.
      expect(text.match(/(?<=[":/-])\d{12}(?=[":/.-])/g), name).toBeNull();
    }
  });

  it('in every stage, hold no secret but references to secrets', () => {
    for (const { place, Properties } of resources()) {
      for (const part of walk(Properties)) {
        for (const [key, value] of Object.entries(part)) {
          if (!/^(Master)?(User)?Passwords?$|^AuthToken$|^SecretString$/.test(key)) continue;
          const secrets = listOf(value).filter((item) => typeof item !== 'boolean');
          for (const secret of secrets) {
            expect(JSON.stringify(secret), `${place}: ${key}`).toContain(
              '{{resolve:secretsmanager:',
            );
          }
        }
      }
    }
  });

  it('in every stage, run images that always mean the same', () => {
    const images = resources('AWS::ECS::TaskDefinition').flatMap(({ Properties }) =>
      [...walk(Properties)].flatMap((part) =>
        'Image' in part ? [JSON.stringify(part.Image)] : [],
      ),
    );
    expect(images).toHaveLength(services.length * stages.length);
    // Out of the bootstrap repository, whose tags cannot be moved, by the hash of their sources.
    for (const image of images) expect(image).toMatch(/container-assets-.*:[0-9a-f]{64}"/);
  });

  it('in every stage, refer to each other weakly', () => {
    const references = stacks.filter(({ text }) => text.includes('Fn::GetStackOutput'));
    expect(references.length).toBeGreaterThan(0);
    for (const { name, text, template } of stacks) {
      expect(text, name).not.toContain('Fn::ImportValue');
      for (const output of Object.values(template.Outputs)) {
        expect(output, name).not.toHaveProperty('Export');
      }
    }
  });
});
