import type { Duration } from 'aws-cdk-lib';
import { CompositeAlarm, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { type BurnRate, burnThresholdPercent } from './burn-rate.ts';
import { OperationalAlarm } from './operational-alarm.ts';
import type { Operations } from './operations.ts';
import { alarmKey, runbookLink } from './runbook.ts';
import type { Severity } from './severity.ts';

export interface BurnRateAlarmProps {
  readonly operations: Operations;
  readonly severity: Severity;
  readonly burnRate: BurnRate;
  /** Percent of requests that failed, over windows of that length. */
  readonly errorRate: (window: Duration) => IMetric;
}

/**
 * Goes off while the error budget is burnt too fast in both of two windows: the long one says that it is worth a person's time, the
 * short one that it still goes on, so that the alarm ends soon after the failure does.
 */
export class BurnRateAlarm extends Construct {
  readonly alarm: CompositeAlarm;

  constructor(scope: Construct, id: string, props: BurnRateAlarmProps) {
    super(scope, id);
    const { operations, burnRate } = props;
    const { availabilityPercent } = operations.stage.alarms;
    const threshold = burnThresholdPercent(burnRate, availabilityPercent);
    const { longWindow, shortWindow, budgetPercent } = burnRate;
    const windows = [
      ['LongWindow', longWindow],
      ['ShortWindow', shortWindow],
    ] as const;
    const conditions = windows.map(
      ([window, period]) =>
        new OperationalAlarm(this, window, {
          operations,
          severity: props.severity,
          onlyCondition: true,
          meaning: `More than ${threshold} % of the requests of ${period.toHumanString()} have failed; half of ${this.node.path}.`,
          metric: props.errorRate(period),
          threshold,
          periods: 1,
        }),
    );
    const name = this.node.path;
    const key = alarmKey(name, operations.stage);
    this.alarm = new CompositeAlarm(this, 'Alarm', {
      compositeAlarmName: name,
      alarmDescription:
        `More than ${threshold} % of the requests have failed for ${longWindow.toHumanString()}: at that rate ${budgetPercent} % of a month's errors that ${availabilityPercent} % allows are gone in that time.` +
        `\nRunbook: ${runbookLink(operations.stage, key)}`,
      alarmRule: {
        renderAlarmRule: () => conditions.map((alarm) => `ALARM("${alarm.name}")`).join(' AND '),
      },
    });
    this.alarm.node.addDependency(...conditions);
    operations.register(Object.assign(this.alarm, { name }), { key, severity: props.severity });
  }
}
