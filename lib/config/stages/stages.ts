import { ConfigurationError, throwProblems, unknownName } from '../configuration-error.ts';
import { type StageDefinition, stageDefinition } from '../stage.ts';
import { findProblems } from '../validate.ts';
import { dev } from './dev.ts';
import { million } from './million.ts';
import { production } from './production.ts';
import { staging } from './staging.ts';

/** Every stage there is: to add one, write its file in `stages/` and name it here. */
export const stageDefinitions: readonly StageDefinition[] = [dev, staging, production, million];

/**
 * Checks `stage` when it is used, not only when it is compiled, because Node.js runs these files without a type check.
 *
 * @throws ConfigurationError naming each key and value that is wrong, and what it takes.
 */
export function validateStage(stage: StageDefinition): StageDefinition {
  throwProblems(findProblems(`Stage "${stage.name}"`, stageDefinition, stage));
  return stage;
}

/**
 * The stage of that name, validated.
 *
 * @throws ConfigurationError naming the stages that exist, or what is wrong with this one.
 */
export function findStage(name: string): StageDefinition {
  const stage = stageDefinitions.find((candidate) => candidate.name === name);
  if (stage !== undefined) return validateStage(stage);
  const names = stageDefinitions.map((candidate) => candidate.name);
  throw new ConfigurationError([unknownName('stage', name, names)]);
}
