import { ConfigurationError, unknownName } from './configuration-error.ts';
import { isFixedImage } from './fixed-image.ts';
import type { StageDefinition } from './stage.ts';
import { findStage, stageDefinitions, validateStage } from './stages.ts';

/** What `-c key=value` on the command line can say. */
const contextKeys = {
  stage: 'name of the one stage to synthesise; without it, all of them',
  region:
    'region in place of the stages’ own; set availabilityZones with it where its zones are not a, b, c',
  availabilityZones: 'letters of the zones in place of the stages’ own, such as a,c,d',
  account: 'account that the stacks may be deployed to; without it, that of the credentials',
  imageUri:
    'image of the user API that a pipeline has built, in place of a build from its Dockerfile',
} as const;
type ContextKey = keyof typeof contextKeys;

/** Keys that the CDK's own flags, its command line and its look-ups begin with. */
const foreignPrefixes = ['@aws-cdk', 'aws:', 'aws-cdk', 'cdk:'];

/** What to synthesise. */
export interface Selection {
  readonly stages: readonly StageDefinition[];
  /** Account that the stacks may be deployed to. @default that of the credentials */
  readonly account?: string;
  /** Image of the user API. @default built from its Dockerfile */
  readonly imageUri?: string;
}

const isContextKey = (key: string): key is ContextKey => Object.hasOwn(contextKeys, key);

function readKnownKeys(context: Readonly<Record<string, unknown>>) {
  const values: Partial<Record<ContextKey, string>> = {};
  const problems: string[] = [];
  for (const [key, value] of Object.entries(context)) {
    if (foreignPrefixes.some((prefix) => key.startsWith(prefix))) continue;
    if (!isContextKey(key)) {
      problems.push(unknownName('context key', key, Object.keys(contextKeys)));
    } else if (typeof value !== 'string' || value === '') {
      problems.push(`-c ${key}=… got ${JSON.stringify(value)}. It takes the ${contextKeys[key]}.`);
    } else {
      values[key] = value;
    }
  }
  return { values, problems };
}

function findImageProblem(imageUri: string): string | undefined {
  if (isFixedImage(imageUri)) return undefined;
  return `-c imageUri got "${imageUri}". It takes an image with a digest (…@sha256:…) or with a tag other than latest, so that a rollback starts what ran before.`;
}

/**
 * Reads what was asked for on the command line.
 *
 * @param context - all context of the CDK app, flags included.
 * @throws ConfigurationError for an unknown key or stage, naming those there are, and for a value that cannot be.
 */
export function readContext(context: Readonly<Record<string, unknown>>): Selection {
  const { values, problems } = readKnownKeys(context);
  const { account, imageUri } = values;
  if (account !== undefined && !/^\d{12}$/.test(account)) {
    problems.push(`-c account got "${account}". It takes the 12 digits of an account.`);
  }
  const imageProblem = imageUri === undefined ? undefined : findImageProblem(imageUri);
  if (imageProblem !== undefined) problems.push(imageProblem);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const names =
    values.stage === undefined ? stageDefinitions.map(({ name }) => name) : [values.stage];
  return {
    stages: names.map((name) =>
      validateStage({
        ...findStage(name),
        ...(values.region === undefined ? {} : { region: values.region }),
        ...(values.availabilityZones === undefined
          ? {}
          : { availabilityZones: values.availabilityZones.split(',') }),
      }),
    ),
    ...(account === undefined ? {} : { account }),
    ...(imageUri === undefined ? {} : { imageUri }),
  };
}
