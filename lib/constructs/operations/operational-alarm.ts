import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { Operations } from './operations.ts';
import { alarmKey, runbookLink } from './runbook.ts';
import type { Severity } from './severity.ts';

/**
 * What an alarm makes of periods in which its metric has no value: `fine`, as nothing happened; `breaching`, as something should
 * have; `ignore`, as it says nothing either way and the alarm stays as it is.
 */
export type MissingData = 'fine' | 'breaching' | 'ignore';

const treatments: Readonly<Record<MissingData, TreatMissingData>> = {
  fine: TreatMissingData.NOT_BREACHING,
  breaching: TreatMissingData.BREACHING,
  ignore: TreatMissingData.IGNORE,
};

const comparisons = {
  above: ComparisonOperator.GREATER_THAN_THRESHOLD,
  'at-or-above': ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  below: ComparisonOperator.LESS_THAN_THRESHOLD,
} as const;

export interface OperationalAlarmProps {
  readonly operations: Operations;
  /** What it is unless the stage's policy says otherwise of this alarm. */
  readonly severity: Severity;
  /** What it means when the alarm goes off, in a sentence. */
  readonly meaning: string;
  readonly metric: IMetric;
  /** In the metric's own unit. */
  readonly threshold: number;
  /** Where from the threshold the alarm goes off. @default above */
  readonly goesOff?: keyof typeof comparisons;
  /** How many periods of the metric are looked at. */
  readonly periods: number;
  /** In how many of those periods the metric has to be beyond the threshold. @default all of them */
  readonly datapoints?: number;
  /** @default fine: no data means that nothing happened */
  readonly missingData?: MissingData;
  /** Leave the state as it is while a percentile has too few samples to mean anything. @default false */
  readonly ignoreFewSamples?: boolean;
  /** Whether it is only a condition of another alarm, which tells people. @default false */
  readonly onlyCondition?: boolean;
}

/**
 * An alarm, with its place in the runbook. Its name is its path in the tree of constructs, which is unique and as stable as the tree.
 *
 * A `ticket` is made by the alarm itself, when it goes off and when it is over. For a `page` the alarm tells nobody: the
 * {@link PageAlarm} of its subsystem does, so that one failure pages once.
 */
export class OperationalAlarm extends Alarm {
  /** Its name as such; `alarmName` is a reference to the resource. */
  readonly name: string;

  constructor(scope: Construct, id: string, props: OperationalAlarmProps) {
    const { operations } = props;
    const name = `${scope.node.path}/${id}`;
    const key = alarmKey(name, operations.stage);
    super(scope, id, {
      alarmName: name,
      alarmDescription: `${props.meaning}\nRunbook: ${runbookLink(operations.stage, key)}`,
      metric: props.metric,
      threshold: props.threshold,
      comparisonOperator: comparisons[props.goesOff ?? 'above'],
      evaluationPeriods: props.periods,
      datapointsToAlarm: props.datapoints ?? props.periods,
      treatMissingData: treatments[props.missingData ?? 'fine'],
      ...(props.ignoreFewSamples === true ? { evaluateLowSampleCountPercentile: 'ignore' } : {}),
    });
    this.name = name;
    if (props.onlyCondition !== true) operations.register(this, { key, severity: props.severity });
  }
}
