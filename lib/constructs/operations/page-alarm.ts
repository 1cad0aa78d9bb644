import { Duration, Stack } from 'aws-cdk-lib';
import { CompositeAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { Operations } from './operations.ts';
import { alarmKey, runbookLink } from './runbook.ts';
import type { Subsystem } from './subsystem.ts';

/**
 * How long a subsystem's failure waits for the API's to show as well: the two need not be seen in the same minute. And how long it
 * waits after the API's is over, as the causes of one failure seldom end in the same minute either.
 */
const SUPPRESSION_WAIT = Duration.minutes(2);

export interface PageAlarmProps {
  readonly operations: Operations;
  readonly subsystem: Subsystem;
  /**
   * While it is going off, this one tells nobody. For the alarm of what users feel, which people are paged for already; never the
   * other way round, as what users feel has to be heard whatever else is wrong. In the same region.
   * @default none
   */
  readonly suppressedBy?: PageAlarm;
}

/**
 * What pages a person: it goes off with the first of the subsystem's alarms of severity `page` and tells nobody about the others that
 * follow. Its description links to the subsystem's part of the runbook, and CloudWatch shows which of its alarms it was.
 */
export class PageAlarm extends CompositeAlarm {
  readonly name: string;

  /** Makes the alarm of a subsystem in which at least one alarm pages. */
  static of(scope: Construct, id: string, props: PageAlarmProps): PageAlarm | undefined {
    return conditionsOf(props).length === 0 ? undefined : new PageAlarm(scope, id, props);
  }

  private constructor(scope: Construct, id: string, props: PageAlarmProps) {
    const { operations, subsystem, suppressedBy } = props;
    const conditions = conditionsOf(props);
    const name = `${scope.node.path}/${id}`;
    const link = runbookLink(operations.stage, alarmKey(name, operations.stage));
    super(scope, id, {
      compositeAlarmName: name,
      alarmDescription: `Something of the ${subsystem} has failed that cannot wait. Its alarms say what.\nRunbook: ${link}`,
      // By name: a reference to each would be an output of its stack each.
      alarmRule: {
        renderAlarmRule: () => conditions.map(({ alarm }) => `ALARM("${alarm.name}")`).join(' OR '),
      },
      ...(suppressedBy === undefined
        ? {}
        : {
            actionsSuppressor: suppressedBy,
            actionsSuppressorWaitPeriod: SUPPRESSION_WAIT,
            actionsSuppressorExtensionPeriod: SUPPRESSION_WAIT,
          }),
    });
    this.name = name;
    operations.notify(this, 'page');
    for (const { alarm } of conditions) {
      const stack = Stack.of(alarm);
      if (stack === Stack.of(this)) this.node.addDependency(alarm);
      else Stack.of(this).addStackDependency(stack, 'CloudWatch refuses a rule of alarms unknown');
    }
  }
}

function conditionsOf({ operations, subsystem }: PageAlarmProps): Operations['alarms'] {
  return operations.alarms.filter(
    (alarm) => alarm.severity === 'page' && alarm.subsystem === subsystem,
  );
}
