import { ConfigurationError, throwProblems, unknownName } from './configuration-error.ts';
import { type StageConfiguration, stageConfiguration } from './stage.ts';
import { dev } from './stages/dev.ts';
import { production } from './stages/production.ts';
import { staging } from './stages/staging.ts';
import { findProblems } from './validate.ts';

/** Every stage there is: to add one, write its file in `stages/` and name it here. */
export const stages: readonly StageConfiguration[] = [dev, staging, production];

/**
 * Checks `stage` when it is used, not only when it is compiled, because Node.js runs these files without a type check.
 *
 * @throws ConfigurationError naming each key and value that is wrong, and what it takes.
 */
export function validateStage(stage: StageConfiguration): StageConfiguration {
  throwProblems(findProblems(`Stage "${stage.name}"`, stageConfiguration, stage));
  return stage;
}

/**
 * The stage of that name, validated.
 *
 * @throws ConfigurationError naming the stages that exist, or what is wrong with this one.
 */
export function findStage(name: string): StageConfiguration {
  const stage = stages.find((candidate) => candidate.name === name);
  if (stage !== undefined) return validateStage(stage);
  const names = stages.map((candidate) => candidate.name);
  throw new ConfigurationError([unknownName('stage', name, names)]);
}
