import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { PageAlarm } from '../operations/page-alarm.ts';
import type { Subsystem } from '../operations/subsystem.ts';
import { apiRows } from './api-rows.ts';
import { cacheRows } from './cache-rows.ts';
import { databaseRows } from './database-rows.ts';
import { edgeRows } from './edge-rows.ts';
import { glanceRows } from './glance.ts';
import type { SystemMetrics } from './system-metrics.ts';
import { alarmStatus, type Row } from './widgets.ts';
import { workersRows } from './workers-rows.ts';

const rowsBySubsystem: Readonly<Record<Subsystem, (metrics: SystemMetrics) => readonly Row[]>> = {
  edge: edgeRows,
  api: apiRows,
  database: databaseRows,
  cache: cacheRows,
  workers: workersRows,
};

export interface SystemDashboardsProps extends SystemMetrics {
  /** What pages people, in any region. */
  readonly pageAlarms: readonly PageAlarm[];
}

/** One dashboard to glance at, `headroom-<stage>`, and one for each subsystem, `headroom-<stage>-<subsystem>`. */
export class SystemDashboards extends Construct {
  constructor(scope: Construct, id: string, props: SystemDashboardsProps) {
    super(scope, id);
    const { stage } = props;
    const status = alarmStatus('What pages', this.references(props.pageAlarms));
    this.dashboard('Glance', `headroom-${stage.name}`, [[status], ...glanceRows(props)]);
    for (const [subsystem, rows] of Object.entries(rowsBySubsystem)) {
      this.dashboard(subsystem, `headroom-${stage.name}-${subsystem}`, rows(props));
    }
  }

  private dashboard(id: string, dashboardName: string, rows: readonly Row[]): void {
    new cloudwatch.Dashboard(this, `Dashboard-${id}`, {
      dashboardName,
      defaultInterval: Duration.hours(3),
      periodOverride: cloudwatch.PeriodOverride.INHERIT,
      widgets: rows.map((row) => [...row]),
    });
  }

  /** By name and region: a dashboard shows any region's alarms, but a template refers to its own region's only. */
  private references(alarms: readonly PageAlarm[]): readonly cloudwatch.IAlarm[] {
    return alarms.map((alarm, index) =>
      cloudwatch.Alarm.fromAlarmArn(
        this,
        `PageAlarm${index + 1}`,
        Stack.of(this).formatArn({
          service: 'cloudwatch',
          region: Stack.of(alarm).region,
          resource: 'alarm',
          resourceName: alarm.name,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ),
    );
  }
}
