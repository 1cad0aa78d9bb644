import type { Construct } from 'constructs';
import { SystemDashboards } from '../constructs/dashboards/system-dashboard.ts';
import type { SystemMetrics } from '../constructs/dashboards/system-metrics.ts';
import { checkAlarmOverrides } from '../constructs/operations/alarm-overrides.ts';
import { BudgetAlarm } from '../constructs/operations/budget-alarm.ts';
import type { Operations } from '../constructs/operations/operations.ts';
import { PageAlarm } from '../constructs/operations/page-alarm.ts';
import { StageStack, type StageStackProps } from './stage-stack.ts';

/** Subsystems of the stage's own region besides the API, which what users feel is part of. */
const behindTheApi = ['database', 'cache', 'workers'] as const;

export interface ObservabilityStackProps extends StageStackProps, SystemMetrics {
  readonly operations: Operations;
  /** Those of CloudFront's region. */
  readonly edgeOperations: Operations;
  /** What the edge's stack pages with. */
  readonly edgePageAlarm: PageAlarm | undefined;
}

/** What looks at all the others, last: what pages, the dashboards, the budget. Each alarm is with what it watches. */
export class ObservabilityStack extends StageStack {
  constructor(scope: Construct, props: ObservabilityStackProps) {
    super(scope, props, {
      part: 'observability',
      description: 'what pages people, dashboards and budget',
    });
    const { operations, edgeOperations } = props;
    const api = PageAlarm.of(this, 'Page-api', { operations, subsystem: 'api' });
    const others = behindTheApi.map((subsystem) =>
      PageAlarm.of(this, `Page-${subsystem}`, {
        operations,
        subsystem,
        ...(api === undefined ? {} : { suppressedBy: api }),
      }),
    );
    new SystemDashboards(this, 'System', {
      ...props,
      pageAlarms: [props.edgePageAlarm, api, ...others].filter((alarm) => alarm !== undefined),
    });
    new BudgetAlarm(this, 'Budget', { operations });
    checkAlarmOverrides(this, props.stage, [operations, edgeOperations]);
  }
}
