import { Duration } from 'aws-cdk-lib';
import type * as acm from 'aws-cdk-lib/aws-certificatemanager';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { OperationalAlarm } from './operational-alarm.ts';
import type { Operations } from './operations.ts';

/** ACM renews its certificates at least 45 days before they end; two weeks later something is in its way, with a month left to see to it. */
const LEAST_DAYS = 30;

export interface CertificateAlarmProps {
  readonly operations: Operations;
  readonly certificate: acm.ICertificate;
  readonly domainName: string;
}

/** Goes off when a certificate has not been renewed in time: the one outage that has a date. */
export function addCertificateAlarm(scope: Construct, props: CertificateAlarmProps): void {
  new OperationalAlarm(scope, 'CertificateExpiry', {
    operations: props.operations,
    severity: 'ticket',
    meaning: `The certificate for ${props.domainName} ends in less than ${LEAST_DAYS} days and has not been renewed.`,
    metric: new Metric({
      namespace: 'AWS/CertificateManager',
      metricName: 'DaysToExpiry',
      dimensionsMap: { CertificateArn: props.certificate.certificateArn },
      statistic: Stats.MINIMUM,
      period: Duration.days(1),
    }),
    threshold: LEAST_DAYS,
    goesOff: 'below',
    periods: 1,
    // ACM counts once or twice a day, not at all on the first day, and no more once it is too late: then the alarm stays on.
    missingData: 'ignore',
  });
}
