import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';

/** A dashboard is 24 columns wide; three graphs are a row. */
const THIRD = 8;
const FULL = 24;
const GRAPH_HEIGHT = 6;

/** The widgets of a row, from left to right. */
export type Row = readonly cloudwatch.IWidget[];

export interface Graph {
  readonly title: string;
  readonly metrics: readonly cloudwatch.IMetric[];
  readonly unit: string;
  /** Line from which an alarm goes off. @default none */
  readonly limit?: number | undefined;
  /** What the line is. @default alarm */
  readonly limitLabel?: string;
}

export function graph(props: Graph): cloudwatch.GraphWidget {
  const { title, metrics, unit, limit, limitLabel = 'alarm' } = props;
  return new cloudwatch.GraphWidget({
    title,
    width: THIRD,
    height: GRAPH_HEIGHT,
    left: [...metrics],
    leftYAxis: { min: 0, label: unit, showUnits: false },
    ...(limit === undefined ? {} : { leftAnnotations: [{ value: limit, label: limitLabel }] }),
  });
}

/** Text over the whole width: a heading, and what the graphs below it need to be understood. */
export function text(markdown: string, height = 1): cloudwatch.TextWidget {
  return new cloudwatch.TextWidget({
    width: FULL,
    height,
    markdown,
    background: cloudwatch.TextWidgetBackground.TRANSPARENT,
  });
}

/** Text in the place of a graph, beside the graphs that it explains. */
export function note(markdown: string): cloudwatch.TextWidget {
  return new cloudwatch.TextWidget({ width: THIRD, height: GRAPH_HEIGHT, markdown });
}

/** What goes off, in the colours of CloudWatch's console. */
export function alarmStatus(
  title: string,
  alarms: readonly cloudwatch.IAlarm[],
): cloudwatch.AlarmStatusWidget {
  return new cloudwatch.AlarmStatusWidget({ title, alarms: [...alarms], width: FULL, height: 3 });
}
