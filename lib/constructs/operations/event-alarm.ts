import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { type EventPattern, Rule } from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';
import { OperationalAlarm } from './operational-alarm.ts';
import type { Operations } from './operations.ts';
import type { Severity } from './severity.ts';

/** EventBridge delivers its metrics late at times: in five minutes they are there. */
const PERIOD = Duration.minutes(5);

export interface EventAlarmProps {
  readonly operations: Operations;
  readonly severity: Severity;
  readonly meaning: string;
  readonly description: string;
  readonly pattern: EventPattern;
  /** How many of them in five minutes are still ordinary. @default 0 */
  readonly ordinary?: number;
}

/**
 * Goes off for what no metric counts but AWS tells on the event bus. The events themselves are kept in the stage's event log, as the
 * services that send them forget them soon: ECS shows a stopped task for an hour.
 */
export function addEventAlarm(scope: Construct, id: string, props: EventAlarmProps): Metric {
  const { operations } = props;
  const arn = operations.eventLogArn(scope);
  const rule = new Rule(scope, `${id}Rule`, {
    description: props.description,
    eventPattern: props.pattern,
    targets: [{ bind: () => ({ arn }) }],
  });
  const metric = new Metric({
    namespace: 'AWS/Events',
    // The default bus has no name among the dimensions.
    metricName: 'TriggeredRules',
    dimensionsMap: { RuleName: rule.ruleName },
    statistic: Stats.SUM,
    period: PERIOD,
    label: id,
  });
  new OperationalAlarm(scope, id, {
    operations,
    severity: props.severity,
    meaning: props.meaning,
    metric,
    threshold: props.ordinary ?? 0,
    periods: 1,
  });
  return metric;
}
