import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Construct } from 'constructs';
import type { Operations, Severity } from './operations.ts';

/** What an alarm makes of periods in which its metric has no value. */
export type MissingData = 'fine' | 'breaching';

export interface OperationalAlarmProps {
  readonly operations: Operations;
  readonly severity: Severity;
  /** What it means when the alarm goes off, in a sentence. */
  readonly meaning: string;
  readonly metric: IMetric;
  /** In the metric's own unit; the alarm goes off above it. */
  readonly threshold: number;
  /** How many periods of the metric in a row have to be above the threshold. */
  readonly periods: number;
  /** @default fine: no data means that nothing happened */
  readonly missingData?: MissingData;
  /** Leave the state as it is while a percentile has too few samples to mean anything. @default false */
  readonly ignoreFewSamples?: boolean;
}

/**
 * An alarm that somebody is told of, when it goes off and when it is over. Its name is its path in the tree of constructs, which
 * is unique and as stable as the tree.
 */
export class OperationalAlarm extends Alarm {
  /** Its name as such; `alarmName` is a reference to the resource. */
  readonly name: string;

  constructor(scope: Construct, id: string, props: OperationalAlarmProps) {
    const name = `${scope.node.path}/${id}`;
    super(scope, id, {
      alarmName: name,
      alarmDescription: props.meaning,
      metric: props.metric,
      threshold: props.threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: props.periods,
      datapointsToAlarm: props.periods,
      treatMissingData:
        props.missingData === 'breaching'
          ? TreatMissingData.BREACHING
          : TreatMissingData.NOT_BREACHING,
      ...(props.ignoreFewSamples === true ? { evaluateLowSampleCountPercentile: 'ignore' } : {}),
    });
    this.name = name;
    const action = new SnsAction(props.operations.topic(props.severity));
    this.addAlarmAction(action);
    this.addOkAction(action);
  }
}
