import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Construct } from 'constructs';
import type { Operations } from './operations.ts';

/** Shares of the month's budget, in percent, at which people are told: what is spent, and what AWS expects to be spent by its end. */
const notifications = [
  { notificationType: 'ACTUAL', threshold: 80 },
  { notificationType: 'ACTUAL', threshold: 100 },
  { notificationType: 'FORECASTED', threshold: 100 },
] as const;

export interface BudgetAlarmProps {
  readonly operations: Operations;
}

/**
 * Tells people when the stage costs more than its plan. It counts what has the stage's tags, which AWS does only once they are activated
 * as cost allocation tags; the runbook says how. It has no name of its own, as CloudFormation changes a budget by making another one.
 */
export class BudgetAlarm extends Construct {
  constructor(scope: Construct, id: string, { operations }: BudgetAlarmProps) {
    super(scope, id);
    const { stage } = operations;
    const tag = (key: string, value: string): CfnBudget.ExpressionProperty => ({
      tags: { key, values: [value], matchOptions: ['EQUALS'] },
    });
    new CfnBudget(this, 'Budget', {
      budget: {
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: stage.monthlyBudgetDollars, unit: 'USD' },
        filterExpression: { and: [tag('project', 'headroom'), tag('stage', stage.name)] },
        metrics: ['UnblendedCost'],
      },
      notificationsWithSubscribers: notifications.map((notification) => ({
        notification: {
          ...notification,
          comparisonOperator: 'GREATER_THAN',
          thresholdType: 'PERCENTAGE',
        },
        subscribers: [{ subscriptionType: 'SNS', address: operations.topic('ticket').topicArn }],
      })),
    });
  }
}
