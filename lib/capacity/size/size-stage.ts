import { throwProblems } from '../../config/configuration-error.ts';
import { type StageSize, stageSize } from '../../config/size.ts';
import type { StageConfiguration, StageDefinition } from '../../config/stage.ts';
import { validateStage } from '../../config/stages/stages.ts';
import { findProblems } from '../../config/validate.ts';
import { type StageCost, stageCost } from '../cost/stage-cost.ts';
import { type Figure, FigureBook } from '../data/figures.ts';
import { connectionNeed, findConnectionProblems } from '../limits/connection-budget.ts';
import { findQuotaProblems, type QuotaUse, quotaUse } from '../limits/quota-use.ts';
import { findLoadProblems, findSizeProblems } from '../limits/size-violations.ts';
import { findSpendProblems, monthlyBudget } from '../limits/spend-ceiling.ts';
import { type PlannedLoad, plannedLoad } from '../load/load.ts';
import { type SystemParts, standardParts } from '../load/parts.ts';
import { alarmThresholds } from './alarm-thresholds.ts';
import { findSessionProblems, sizeCache } from './size-cache.ts';
import { sizeDatabase } from './size-database.ts';
import { sizeEdge } from './size-edge.ts';
import { sizeNetwork } from './size-network.ts';
import { sizeService } from './size-service.ts';
import { sizeWorkers, workersOf } from './size-workers.ts';

/** A stage with its sizes, how they came about, and what they cost. */
export interface StagePlan {
  readonly stage: StageConfiguration;
  readonly load: PlannedLoad;
  readonly figures: readonly Figure[];
  readonly quotas: readonly QuotaUse[];
  /** This month's bill, at today's load. */
  readonly cost: StageCost;
  /** The bill of a month at the end of the planning time, after its growth. */
  readonly laterCost: StageCost;
}

function sizeParts(
  book: FigureBook,
  stage: StageDefinition,
  load: PlannedLoad,
  parts: SystemParts,
): StageSize {
  const { edge, loadBalancer } = sizeEdge(book, stage, load);
  const service = sizeService(book, stage, load);
  const workerConcurrency = sizeWorkers(book, load, parts.workers);
  const { needed } = connectionNeed({ service, workerConcurrency, hasReaders: true }, parts);
  const database = sizeDatabase(book, stage, load, needed);
  const cache = sizeCache(book, stage, load);
  const network = sizeNetwork(book, stage, load, parts.workers);
  return { network, edge, loadBalancer, service, workerConcurrency, database, cache };
}

/**
 * Computes what `definition` implies.
 *
 * @throws ConfigurationError naming what is wrong with the definition, or what cannot be with what follows from it: more
 *   connections, quota, load or money than there is.
 */
export function planStage(
  definition: StageDefinition,
  parts: SystemParts = standardParts,
): StagePlan {
  validateStage(definition);
  const { overrides = {}, ...stage } = definition;
  const book = new FigureBook(overrides);
  const load = plannedLoad(definition);
  const size = sizeParts(book, definition, load, parts);
  throwProblems(findProblems(`Stage "${stage.name}", size`, stageSize, size));
  const quotas = quotaUse(definition, size, load, parts);
  const sized = { ...parts, workers: workersOf(size, parts.workers) };
  const cost = stageCost(definition, size, load.today, sized);
  throwProblems([
    ...findSizeProblems(definition, size),
    ...findLoadProblems(definition, load),
    ...findSessionProblems(definition, load),
    ...findConnectionProblems(stage.name, size, parts),
    ...findQuotaProblems(definition, quotas),
    ...findSpendProblems(definition, cost),
  ]);
  const alarms = alarmThresholds(book, definition, load, size);
  const { protection, retention, contacts, email } = stage.policy;
  return {
    load,
    figures: book.figures,
    quotas,
    cost,
    laterCost: stageCost(definition, size, load.mean, sized),
    stage: {
      ...stage,
      size,
      alarms,
      protection,
      logRetentionDays: retention.logDays,
      contacts,
      email,
      monthlyBudgetDollars: monthlyBudget(definition, cost),
    },
  };
}

/** The sized stage of {@link planStage}. */
export function sizeStage(definition: StageDefinition): StageConfiguration {
  return planStage(definition).stage;
}
