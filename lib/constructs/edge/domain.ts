import type * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import type { Construct } from 'constructs';
import type { Policy } from '../../config/policy.ts';
import type { StageConfiguration } from '../../config/stage.ts';

/** Name under which a stage answers, and the zone that gets its records. */
export type Domain = NonNullable<Policy['domain']>;

/**
 * The name of a stage in what it hands out: links in emails, the issuer of tokens. CloudFront's own name for it is known only after the
 * programs that would have to know it; so, without a domain for the API, it is that of its emails, where its owners can point it.
 */
export function publicName({ policy }: StageConfiguration): string {
  return policy.domain?.name ?? policy.email.domain;
}

/** The zone that the stage's policy names: given, not looked up, so that synthesis asks AWS nothing. */
export function hostedZone(scope: Construct, domain: Domain): route53.IHostedZone {
  return route53.HostedZone.fromHostedZoneAttributes(scope, 'HostedZone', {
    hostedZoneId: domain.hostedZoneId,
    zoneName: domain.hostedZoneName,
  });
}

/** Points the name at the distribution, for IPv4 and IPv6. */
export function addAliasRecords(
  scope: Construct,
  domain: Domain,
  distribution: cloudfront.IDistribution,
): void {
  const zone = route53.HostedZone.fromHostedZoneAttributes(scope, 'RecordZone', {
    hostedZoneId: domain.hostedZoneId,
    zoneName: domain.hostedZoneName,
  });
  const target = route53.RecordTarget.fromAlias(new CloudFrontTarget(distribution));
  new route53.ARecord(scope, 'AddressRecord', { zone, recordName: `${domain.name}.`, target });
  new route53.AaaaRecord(scope, 'Ipv6AddressRecord', {
    zone,
    recordName: `${domain.name}.`,
    target,
  });
}
