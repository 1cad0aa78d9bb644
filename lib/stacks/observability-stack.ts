import type { Construct } from 'constructs';
import { SystemDashboard, type SystemDashboardProps } from '../constructs/system-dashboard.ts';
import { StageStack, type StageStackProps } from './stage-stack.ts';

export interface ObservabilityStackProps extends StageStackProps, SystemDashboardProps {}

/** What looks at all the others. Their alarms are with what they watch. */
export class ObservabilityStack extends StageStack {
  constructor(scope: Construct, props: ObservabilityStackProps) {
    super(scope, props, { part: 'observability', description: 'dashboard' });
    new SystemDashboard(this, 'System', props);
  }
}
