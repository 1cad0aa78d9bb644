import type { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression } from 'aws-cdk-lib/aws-cloudwatch';

export interface ErrorRateProps {
  /** Requests that a target was chosen for, summed by period. */
  readonly requests: IMetric;
  /** Counts of 5xx answers, each summed by period; of these a load balancer publishes nothing while there are none. */
  readonly errors: readonly IMetric[];
  /** Requests in a period below which the rate is given as 0: one failure of two requests is not an outage. */
  readonly minimumRequests: number;
  readonly period: Duration;
}

/**
 * The share of requests that are answered 5xx, in percent.
 *
 * A load balancer counts a request only when it finds a target for it, so with no healthy target there are errors and no
 * requests: the larger of the two is what the rate is a share of. An average of a count of errors, seen in many samples, is
 * not a rate.
 */
export function errorRate(props: ErrorRateProps): MathExpression {
  const { period } = props;
  const counts = Object.fromEntries(
    props.errors.map((metric, index) => [`count${index + 1}`, metric]),
  );
  const errors = new MathExpression({
    label: 'Errors',
    expression: Object.keys(counts)
      .map((count) => `FILL(${count}, 0)`)
      .join(' + '),
    usingMetrics: counts,
    period,
  });
  const answered = new MathExpression({
    label: 'Requests with a target',
    expression: 'FILL(requests, 0)',
    usingMetrics: { requests: props.requests },
    period,
  });
  const total = new MathExpression({
    label: 'Requests',
    expression: 'MAX([answered, errors])',
    usingMetrics: { answered, errors },
    period,
  });
  return new MathExpression({
    label: 'Error rate, percent',
    expression: `IF(total >= ${props.minimumRequests}, 100 * errors / total, 0)`,
    usingMetrics: { total, errors },
    period,
  });
}
