import type { Scenario } from './courses.ts';
import { partScenarios } from './part-scenarios.ts';
import { trafficScenarios } from './traffic-scenarios.ts';

export const scenarios: readonly Scenario[] = [...trafficScenarios, ...partScenarios];
