import { throwProblems } from '../config/configuration-error.ts';
import { type StageSize, stageSize } from '../config/size.ts';
import type { StageConfiguration, StageDefinition } from '../config/stage.ts';
import { validateStage } from '../config/stages.ts';
import { findProblems } from '../config/validate.ts';
import { workers as allWorkers, type WorkerDefinition } from '../config/workers.ts';
import { alarmThresholds } from './alarm-thresholds.ts';
import { connectionNeed, findConnectionProblems } from './connection-budget.ts';
import { FigureBook } from './figures.ts';
import { type PlannedLoad, plannedLoad } from './load.ts';
import { sizeCache } from './size-cache.ts';
import { sizeDatabase } from './size-database.ts';
import { sizeEdge, sizeNetwork } from './size-edge.ts';
import { findSizeProblems } from './size-problems.ts';
import { sizeService } from './size-service.ts';
import { sizeWorkers } from './size-workers.ts';

/** A stage with its sizes, and how they came about. */
export interface StagePlan {
  readonly stage: StageConfiguration;
  readonly load: PlannedLoad;
  readonly figures: FigureBook['figures'];
}

function sizeParts(
  book: FigureBook,
  stage: StageDefinition,
  load: PlannedLoad,
  workers: readonly WorkerDefinition[],
): StageSize {
  const network = sizeNetwork(book, stage);
  const { edge, loadBalancer } = sizeEdge(book, stage, load);
  const service = sizeService(book, stage, load);
  const workerConcurrency = sizeWorkers(book, load, workers);
  const { needed } = connectionNeed({ service, workerConcurrency, hasReaders: true }, workers);
  const database = sizeDatabase(book, stage, load, needed);
  const cache = sizeCache(book, stage, load);
  return { network, edge, loadBalancer, service, workerConcurrency, database, cache };
}

/**
 * Computes what `definition` implies.
 *
 * @throws ConfigurationError naming what is wrong with the definition, or what cannot be with what follows from it.
 */
export function planStage(
  definition: StageDefinition,
  workers: readonly WorkerDefinition[] = allWorkers,
): StagePlan {
  validateStage(definition);
  const { overrides = {}, ...stage } = definition;
  const book = new FigureBook(overrides);
  const load = plannedLoad(definition);
  const size = sizeParts(book, definition, load, workers);
  const subject = `Stage "${stage.name}"`;
  throwProblems(findProblems(`${subject}, size`, stageSize, size));
  throwProblems([
    ...findSizeProblems(definition, size),
    ...findConnectionProblems(stage.name, size, workers),
  ]);
  const alarms = alarmThresholds(book, definition, load, size);
  const { protection, retention, contacts, email, spendCeilingDollars } = stage.policy;
  return {
    load,
    figures: book.figures,
    stage: {
      ...stage,
      size,
      alarms,
      protection,
      logRetentionDays: retention.logDays,
      contacts,
      email,
      monthlyBudgetDollars: spendCeilingDollars,
    },
  };
}

/** The sized stage of {@link planStage}. */
export function sizeStage(definition: StageDefinition): StageConfiguration {
  return planStage(definition).stage;
}
