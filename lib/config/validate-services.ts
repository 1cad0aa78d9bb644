import { z } from 'zod';
import { throwProblems } from './configuration-error.ts';
import { repeated } from './repeated.ts';
import type { ServiceDefinition } from './services.ts';
import { findProblems, repositoryFile, wholeNumber } from './validate.ts';

/** Values that the conditions of one listener rule may have (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html). */
const MOST_PATHS = 5;
const LAST_PRIORITY = 50_000;
const ALL_TRAFFIC_PERCENT = 100;

const path = z.string().regex(/^\/\S*$/, 'It takes a path that begins with /');

/** The limits are those of the load balancer's listener rules. */
const serviceDefinition = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,29}$/, 'It takes lower-case letters, digits and hyphens, at most 30'),
  description: z.string().min(1, 'It takes a sentence'),
  entry: repositoryFile(z.string().regex(/\.ts$/, 'It takes the path of a TypeScript module')),
  dockerfile: repositoryFile(z.string().min(1, 'It takes the path of a Dockerfile')),
  pathPatterns: z
    .array(path)
    .min(1, 'It takes at least one path')
    .max(MOST_PATHS, `It takes at most ${MOST_PATHS} paths, as a rule of the load balancer does`)
    .readonly(),
  trafficPercent: z
    .number('It takes a number from above 0 to 100')
    .positive('It takes more than 0')
    .max(ALL_TRAFFIC_PERCENT, 'It takes at most 100'),
  priority: wholeNumber(1, LAST_PRIORITY),
  port: wholeNumber(1, 65_535),
  livenessPath: path,
  readinessPath: path,
  databaseUser: z
    .string()
    .regex(/^[a-z_][a-z0-9_]*$/, 'It takes the name of a PostgreSQL role')
    .optional(),
  sendsTo: z.array(z.string()).readonly(),
});

/**
 * Checks the list of services.
 *
 * @throws ConfigurationError naming each service, key and value that is wrong, and what it takes.
 */
export function validateServices(
  definitions: readonly ServiceDefinition[],
): readonly ServiceDefinition[] {
  const twice = (what: string, values: readonly (string | number)[]): string[] =>
    repeated(values).map(
      (value) => `Several services have the ${what} ${value}; they must differ.`,
    );
  const total = definitions.reduce((sum, { trafficPercent }) => sum + trafficPercent, 0);
  const shares = definitions.map(({ name, trafficPercent }) => `${name} ${trafficPercent}`);
  throwProblems(
    definitions.flatMap((service) =>
      findProblems(`Service "${service.name}"`, serviceDefinition, service),
    ),
  );
  throwProblems([
    ...twice(
      'name',
      definitions.map(({ name }) => name),
    ),
    ...twice(
      'priority',
      definitions.map(({ priority }) => priority),
    ),
    ...twice(
      'path',
      definitions.flatMap(({ pathPatterns }) => pathPatterns),
    ),
    // Thirds of a hundred do not add up to it exactly.
    ...(Math.abs(total - ALL_TRAFFIC_PERCENT) < 0.01
      ? []
      : [
          `trafficPercent of all services adds up to ${total} (${shares.join(' + ')}). It takes ${ALL_TRAFFIC_PERCENT}: each has its share of the stage's workload.`,
        ]),
  ]);
  return definitions;
}
