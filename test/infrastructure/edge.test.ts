import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { services } from '../../lib/config/services.ts';
import { production } from '../../lib/config/stages/production.ts';
import { LOGIN_PATH_PATTERN, managedRuleGroups } from '../../lib/constructs/web-firewall-rules.ts';
import { environmentVariables } from '../../services/contracts/environment/variables.ts';
import { synthesiseStages } from './support/app.ts';
import { stages } from './support/stages.ts';
import { readDeployments, readTemplates, resourcesOf } from './support/templates.ts';

const assembly = inject('cloudAssembly');
const stacks = readTemplates(assembly);
const resources = (type: string) => resourcesOf(stacks, type);

describe('the firewall', () => {
  it.each(resources('AWS::WAFv2::WebACL'))(
    '$place, of what its rules find, lets nothing pass',
    ({ stack, Properties }) => {
      const edge = stages.find(({ name }) => name === stack.stage)?.size.edge;
      const answer = (status: number, body: string) => ({
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
          Action: answer(429, 'tooManyRequests'),
          Statement: { RateBasedStatement: { Limit: edge?.requestsPerAddress } },
        },
        {
          Name: 'LoginsPerAddress',
          Action: answer(429, 'tooManyRequests'),
          Statement: { RateBasedStatement: { Limit: edge?.loginsPerAddress } },
        },
        { Name: 'BodySize', Action: answer(413, 'contentTooLarge') },
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

  it('in every stage, logs what it blocks, without credentials', () => {
    const loggings = resources('AWS::WAFv2::LoggingConfiguration');
    expect(loggings).toHaveLength(stages.length);
    for (const { place, Properties } of loggings) {
      expect(Properties, place).toMatchObject({
        RedactedFields: ['authorization', 'x-api-key', 'cookie'].map((Name) => ({
          SingleHeader: { Name },
        })),
        LoggingFilter: { DefaultBehavior: 'DROP', Filters: [{ Behavior: 'KEEP' }] },
      });
    }
  });
});

const distributionConfiguration = z.looseObject({
  CacheBehaviors: z.array(z.looseObject({ PathPattern: z.string() })),
  DefaultCacheBehavior: z.looseObject({}),
  Origins: z.array(z.looseObject({})),
});
const distributions = resources('AWS::CloudFront::Distribution').map((resource) => ({
  ...resource,
  configuration: distributionConfiguration.parse(resource.Properties.DistributionConfig),
}));

describe('CloudFront', () => {
  it.each(distributions)(
    '$place, in its stage, has a firewall, only HTTPS, and a way to every service',
    ({ configuration }) => {
      const safe = {
        ViewerProtocolPolicy: 'redirect-to-https',
        Compress: true,
        ResponseHeadersPolicyId: expect.anything(),
      };
      expect(configuration).toMatchObject({
        WebACLId: expect.anything(),
        HttpVersion: 'http2and3',
        DefaultCacheBehavior: safe,
      });
      expect(configuration.CacheBehaviors.map(({ PathPattern }) => PathPattern)).toEqual([
        ...services.flatMap(({ pathPatterns }) => pathPatterns),
        '/docs*',
      ]);
      for (const behavior of configuration.CacheBehaviors) expect(behavior).toMatchObject(safe);
    },
  );

  it.each(distributions)(
    '$place, asked to by its stage, has an origin shield in the stage’s region',
    ({ stack, configuration }) => {
      const stage = stages.find(({ name }) => name === stack.stage);
      const shields = configuration.Origins.map((origin) => origin.OriginShield).filter(Boolean);
      expect(shields).toEqual(
        stage?.size.edge.originShield ? [{ Enabled: true, OriginShieldRegion: stage.region }] : [],
      );
    },
  );

  it('in every stage, keeps what services let it keep, by credentials, and no cookie', () => {
    const policies = resources('AWS::CloudFront::CachePolicy');
    expect(policies).toHaveLength(stages.length);
    for (const { place, Properties } of policies) {
      expect(Properties.CachePolicyConfig, place).toMatchObject({
        MinTTL: 0,
        DefaultTTL: 0,
        ParametersInCacheKeyAndForwardedToOrigin: {
          HeadersConfig: { Headers: ['Authorization', 'X-API-Key', 'Origin'] },
          QueryStringsConfig: { QueryStringBehavior: 'all' },
        },
      });
    }
    for (const { place, Properties } of resources('AWS::CloudFront::OriginRequestPolicy')) {
      expect(Properties.OriginRequestPolicyConfig, place).toMatchObject({
        CookiesConfig: { CookieBehavior: 'none' },
      });
    }
  });

  it('in every stage, answers in place of the load balancer with problems, not with HTML', () => {
    const pages = resources('Custom::ProblemPage');
    for (const { stack, place, configuration } of distributions) {
      expect(configuration.CustomErrorResponses, place).toMatchObject(
        [502, 504].map((status) => ({
          ErrorCode: status,
          ResponseCode: status,
          ResponsePagePath: `/errors/${status}.json`,
        })),
      );
      const written = pages
        .filter((page) => page.stack === stack)
        .map(({ Properties }) => JSON.stringify(Properties.Create));
      expect(written).toHaveLength(2);
      for (const call of written) expect(call).toContain('application/problem+json');
    }
  });

  it('in every stage, logs without queries and cookies', () => {
    const deliveries = resources('AWS::Logs::Delivery');
    expect(deliveries).toHaveLength(stages.length);
    for (const { place, Properties } of deliveries) {
      expect(Properties.RecordFields, place).toContain('sc-status');
      expect(Properties.RecordFields, place).not.toContain('cs-uri-query');
      expect(Properties.RecordFields, place).not.toContain('cs(Cookie)');
    }
  });

  it('in every stage, is in the region that its firewall and its metrics need', () => {
    expect(distributions).toHaveLength(stages.length);
    for (const { stack } of distributions) {
      expect(readDeployments(assembly).get(stack.name)?.region).toBe('us-east-1');
    }
  });

  it('of a stage with a domain, answers under it, from end to end over TLS 1.2 or later', () => {
    const domain = {
      name: 'api.headroom.example',
      hostedZoneId: 'Z0123456789ABC',
      hostedZoneName: 'headroom.example',
    };
    const own = synthesiseStages([
      { ...production, policy: { ...production.policy, domain } },
    ]).stacks;
    const one = (type: string) => resourcesOf(own, type).map(({ Properties }) => Properties);
    expect(one('AWS::CloudFront::Distribution')).toMatchObject([
      {
        DistributionConfig: {
          Aliases: [domain.name],
          ViewerCertificate: { MinimumProtocolVersion: 'TLSv1.2_2021' },
        },
      },
    ]);
    expect(one('AWS::ElasticLoadBalancingV2::Listener')).toMatchObject([
      { Port: 443, Protocol: 'HTTPS', Certificates: [expect.anything()] },
    ]);
    expect(one('AWS::CloudFront::VpcOrigin')).toMatchObject([
      {
        VpcOriginEndpointConfig: {
          OriginProtocolPolicy: 'https-only',
          OriginSSLProtocols: ['TLSv1.2'],
        },
      },
    ]);
    expect(one('AWS::Route53::RecordSet').map(({ Name, Type }) => [Name, Type])).toEqual([
      [`${domain.name}.`, 'A'],
      [`${domain.name}.`, 'AAAA'],
    ]);
    expect(one('AWS::CertificateManager::Certificate')).toHaveLength(2);
  });
});

describe('every bucket', () => {
  it.each(resources('AWS::S3::Bucket'))('$place, in its stage, is private', ({ Properties }) => {
    expect(Properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
  });
});
