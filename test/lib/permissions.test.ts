import { describe, expect, inject, it } from 'vitest';
import { readTemplates, resourcesOf, type StackResource, walk } from './support/templates.ts';

const stacks = readTemplates(inject('cloudAssembly'));

interface Statement {
  readonly Effect: unknown;
  readonly Action?: unknown;
  readonly NotAction?: unknown;
  readonly Resource?: unknown;
  readonly NotResource?: unknown;
  readonly Principal?: unknown;
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

/** Every statement of every policy in every template: of identities, and of keys, buckets, queues, topics and secrets. */
const statements = resourcesOf(stacks).flatMap((resource) =>
  [...walk(resource.Properties)]
    .filter(
      (part): part is Statement =>
        'Effect' in part && ('Action' in part || 'NotAction' in part || 'Principal' in part),
    )
    .map((statement) => ({ resource, statement })),
);
const allowing = statements.filter(({ statement }) => statement.Effect === 'Allow');
const ofKeys = ({ resource }: { resource: StackResource }) => resource.Type === 'AWS::KMS::Key';

/** Actions that AWS knows no narrower resource for, and what they are for. */
const actionsOnEverything: Readonly<Record<string, string>> = {
  'ec2:DescribeSecurityGroups': 'finds the group of CloudFront’s VPC origins',
  'ecr:GetAuthorizationToken': 'logs in to the registry of the account',
  'ec2:CreateNetworkInterface': 'Lambda makes interfaces for functions in the VPC',
  'ec2:DeleteNetworkInterface': 'as above',
  'ec2:DescribeNetworkInterfaces': 'as above',
  'ec2:DescribeSubnets': 'as above',
  'ec2:AssignPrivateIpAddresses': 'as above',
  'ec2:UnassignPrivateIpAddresses': 'as above',
};

/** Actions with a wildcard in them, which only policies of keys have, and why. */
const wildcardActionsOfKeys: Readonly<Record<string, string>> = {
  'kms:*': 'for the account itself: without it, nobody could change the key’s policy any more',
  'kms:Encrypt*': 'for CloudWatch Logs, as its documentation has it, for log groups of the account',
  'kms:Decrypt*': 'as above',
  'kms:ReEncrypt*': 'as above, and for the services that the data key is for',
  'kms:GenerateDataKey*': 'as above, and for the services that the data key is for',
  'kms:Describe*': 'as above',
};

const hasWildcard = (action: unknown) => String(action).includes('*');

describe('every statement of every template', () => {
  it('that allows, names its actions', () => {
    expect(allowing.length).toBeGreaterThan(100);
    for (const { resource, statement } of allowing.filter((one) => !ofKeys(one))) {
      expect(listOf(statement.Action).filter(hasWildcard), resource.place).toEqual([]);
      expect(statement, resource.place).not.toHaveProperty('NotAction');
      expect(statement, resource.place).not.toHaveProperty('NotResource');
    }
  });

  it('of a key that allows by wildcard, is one of those that are explained here', () => {
    const found = allowing
      .filter(ofKeys)
      .flatMap(({ statement }) => listOf(statement.Action).filter(hasWildcard));
    expect([...new Set(found)].sort()).toEqual(Object.keys(wildcardActionsOfKeys).sort());
  });

  it('of a key that allows everything, allows it to the account alone', () => {
    for (const { resource, statement } of allowing.filter(ofKeys)) {
      if (!listOf(statement.Action).includes('kms:*')) continue;
      expect(JSON.stringify(statement.Principal), resource.place).toMatch(/:root"/);
    }
  });

  it('on everything, has an action that knows no narrower resource', () => {
    // The policy of a key calls the key itself "*".
    const found = allowing
      .filter((one) => !ofKeys(one))
      .filter(({ statement }) => listOf(statement.Resource).includes('*'))
      .flatMap(({ statement }) => listOf(statement.Action));
    expect([...new Set(found)].sort()).toEqual(Object.keys(actionsOnEverything).sort());
  });

  it('that allows, allows nobody in particular nothing', () => {
    for (const { resource, statement } of allowing) {
      expect(['*', { AWS: '*' }], resource.place).not.toContainEqual(statement.Principal);
    }
  });

  it('about network interfaces of functions, denies them to the functions’ own code', () => {
    const denied = statements.filter(
      ({ statement }) =>
        statement.Effect === 'Deny' &&
        listOf(statement.Action).includes('ec2:CreateNetworkInterface'),
    );
    const allowed = allowing.filter(({ statement }) =>
      listOf(statement.Action).includes('ec2:CreateNetworkInterface'),
    );
    expect(denied.map(({ resource }) => resource.place)).toEqual(
      allowed.map(({ resource }) => resource.place),
    );
  });
});
