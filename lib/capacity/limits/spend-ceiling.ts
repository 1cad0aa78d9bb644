import type { StageDefinition } from '../../config/stage.ts';
import type { StageCost } from '../cost/stage-cost.ts';
import { dollars } from '../data/rounded.ts';

/** An estimate may be wrong by so much before somebody should look. */
const TOLERANCE_FACTOR = 1.2;
/** Budgets are round figures. */
const STEP_DOLLARS = 10;
const MOST_EXPENSIVE_PARTS = 3;

/** Dollars a month that the budget alarm goes by: the estimate and some tolerance, never more than the ceiling. */
export function monthlyBudget({ policy }: StageDefinition, { monthly }: StageCost): number {
  const tolerated = Math.ceil((monthly * TOLERANCE_FACTOR) / STEP_DOLLARS) * STEP_DOLLARS;
  return Math.min(tolerated, policy.spendCeilingDollars);
}

/** What is wrong with the cost of a stage: that it is over the ceiling, and what makes it so. */
export function findSpendProblems(
  { name, policy }: StageDefinition,
  { monthly, byComponent }: StageCost,
): string[] {
  if (monthly <= policy.spendCeilingDollars) return [];
  const mostExpensive = byComponent
    .slice(0, MOST_EXPENSIVE_PARTS)
    .map((part) => `${part.component} ${dollars(part.monthly)}`);
  return [
    `Stage "${name}" would cost ${dollars(monthly)} a month at list prices, more than its ceiling of ${dollars(policy.spendCeilingDollars)} (policy.spendCeilingDollars). Most of it: ${mostExpensive.join(', ')}.`,
  ];
}
