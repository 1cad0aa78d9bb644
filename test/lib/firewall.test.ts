import { describe, expect, inject, it } from 'vitest';
import {
  LOGIN_PATH_PATTERN,
  managedRuleGroups,
} from '../../lib/constructs/edge/web-firewall-rules.ts';
import { environmentVariables } from '../../services/contracts/environment/variables.ts';
import { stages } from './support/stages.ts';
import { readTemplates, resourcesOf } from './support/templates.ts';

const stacks = readTemplates(inject('cloudAssembly'));
const resources = (type: string) => resourcesOf(stacks, type);

describe('the firewall', () => {
  it.each(resources('AWS::WAFv2::WebACL'))(
    '$place, of what its rules find, lets nothing pass',
    ({ stack, Properties }) => {
      const edge = stages.find(({ name }) => name === stack.stage)?.size.edge;
      const response = (status: number, body: string) => ({
        Block: {
          CustomResponse: expect.objectContaining({
            ResponseCode: status,
            CustomResponseBodyKey: body,
          }),
        },
      });
      expect(Properties.Rules).toMatchObject([
        {
          Name: 'RequestsPerAddress',
          Action: response(429, 'tooManyRequests'),
          Statement: { RateBasedStatement: { Limit: edge?.requestsPerAddress } },
        },
        {
          Name: 'LoginsPerAddress',
          Action: response(429, 'tooManyRequests'),
          Statement: { RateBasedStatement: { Limit: edge?.loginsPerAddress } },
        },
        { Name: 'BodySize', Action: response(413, 'contentTooLarge') },
        // Each rule of a group keeps its action, or blocks with a problem.
        ...Object.keys(managedRuleGroups).map((Name) => ({ Name, OverrideAction: { None: {} } })),
      ]);
      expect(edge?.loginsPerAddress).toBeLessThan(edge?.requestsPerAddress ?? 0);
    },
  );

  it('in every stage, only counts what a rule of ours blocks in its place', () => {
    for (const { stack, place } of resources('AWS::WAFv2::WebACL')) {
      const counting = [
        ...stack.text.matchAll(/"ActionToUse": \{\s*"Count": \{\}\s*\},\s*"Name": "(\w+)"/g),
      ];
      expect(
        counting.map(([, name]) => name),
        place,
      ).toEqual(['SizeRestrictions_BODY']);
    }
  });

  it('lets bodies pass that the API reads, and says 413 to larger ones as it does', () => {
    const limit = environmentVariables.REQUEST_BODY_LIMIT_BYTES.type.parse(undefined);
    for (const { place, Properties } of resources('AWS::WAFv2::WebACL')) {
      expect(JSON.stringify(Properties.Rules), place).toContain(
        `"OversizeHandling":"MATCH"}},"Size":${limit}`,
      );
      expect(Properties.AssociationConfig, place).toEqual({
        RequestBody: { CLOUDFRONT: { DefaultSizeInspectionLimit: 'KB_64' } },
      });
    }
  });

  it.each([
    ['/api/v1/auth/login', true],
    ['/api/auth/login', true],
    ['/api/v2/auth/login/', true],
    ['/api/v1/auth/password', true],
    ['/api/v1/auth/password-resets', true],
    ['/api/v1/auth/password-resets/confirm', true],
    ['/api/v1/users', true],
    ['/api/user', true],
    ['/api/v1/auth/refresh', false],
    ['/api/v1/users/1', false],
    ['/api/v1/auth/login/other', false],
  ])('takes %s for a login: %s', (path, expected) => {
    expect(new RegExp(LOGIN_PATH_PATTERN).test(path)).toBe(expected);
  });

  it('in every stage, logs what it blocks, without credentials and without what people search for', () => {
    const loggings = resources('AWS::WAFv2::LoggingConfiguration');
    expect(loggings).toHaveLength(stages.length);
    for (const { place, Properties } of loggings) {
      expect(Properties, place).toMatchObject({
        RedactedFields: [
          { QueryString: {} },
          ...['authorization', 'x-api-key', 'cookie'].map((Name) => ({ SingleHeader: { Name } })),
        ],
        LoggingFilter: { DefaultBehavior: 'DROP', Filters: [{ Behavior: 'KEEP' }] },
      });
    }
  });
});
