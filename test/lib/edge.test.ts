import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { services } from '../../lib/config/services.ts';
import { edgeProblems } from '../../lib/constructs/edge/edge-problems.ts';
import { problemTypes } from '../../services/user-api/http/problem-types.ts';
import { stages } from './support/stages.ts';
import { readDeployments, readTemplates, resourcesOf } from './support/templates.ts';
import { choices } from './support/variants.ts';

const assembly = inject('cloudAssembly');
const stacks = readTemplates(assembly);
const resources = (type: string) => resourcesOf(stacks, type);

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
    '$place, whose stage asks for no shield, has none',
    ({ configuration }) => {
      expect(stages.map(({ size }) => size.edge.originShield)).toEqual(stages.map(() => false));
      for (const origin of configuration.Origins) expect(origin).not.toHaveProperty('OriginShield');
    },
  );

  it('of a stage that asks for a shield, has it in the stage’s region, before the load balancer alone', () => {
    const variants = readTemplates(inject('variantAssembly'));
    const [distribution] = resourcesOf(variants, 'AWS::CloudFront::Distribution').filter(
      ({ stack }) => stack.stage === 'choices',
    );
    const { Origins, PriceClass } = distributionConfiguration.parse(
      distribution?.Properties.DistributionConfig,
    );
    expect(PriceClass).toBe('PriceClass_200');
    const shielded = Origins.filter(({ OriginShield }) => OriginShield !== undefined);
    expect(shielded).toEqual([
      expect.objectContaining({
        OriginShield: { Enabled: true, OriginShieldRegion: choices.region },
        VpcOriginConfig: expect.anything(),
      }),
    ]);
    expect(Origins).toHaveLength(2);
  });

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

  it('in every stage, tells browsers to stay with HTTPS and what a page may not do', () => {
    const policies = resources('AWS::CloudFront::ResponseHeadersPolicy');
    // One for what services answer, one for the API reference.
    expect(policies).toHaveLength(2 * stages.length);
    for (const { place, Properties } of policies) {
      expect(Properties.ResponseHeadersPolicyConfig, place).toMatchObject({
        SecurityHeadersConfig: {
          StrictTransportSecurity: {
            AccessControlMaxAgeSec: 63_072_000,
            IncludeSubdomains: true,
            Override: true,
          },
          ContentTypeOptions: { Override: true },
          FrameOptions: { FrameOption: 'DENY', Override: true },
          ReferrerPolicy: { ReferrerPolicy: 'no-referrer', Override: true },
          ContentSecurityPolicy: {
            ContentSecurityPolicy: expect.stringMatching(/default-src '(self|none)'/),
          },
        },
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

  it('in place of the load balancer, answers what no service answers itself, and leaves them their 503', () => {
    const own: ReadonlySet<number> = new Set(
      Object.values(problemTypes).map(({ status }) => status),
    );
    const replaced = edgeProblems.map(({ status }) => status);
    expect(replaced.filter((status) => own.has(status))).toEqual([]);
    // Theirs says when to come again; a page in its place would not, and could not tell whose it replaces.
    expect(own).toContain(503);
    expect(replaced).not.toContain(503);
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
    const own = readTemplates(inject('variantAssembly')).filter(({ stage }) => stage === 'choices');
    const name = choices.policy.domain?.name;
    const one = (type: string) => resourcesOf(own, type).map(({ Properties }) => Properties);
    expect(one('AWS::CloudFront::Distribution')).toMatchObject([
      {
        DistributionConfig: {
          Aliases: [name],
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
      [`${name}.`, 'A'],
      [`${name}.`, 'AAAA'],
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
