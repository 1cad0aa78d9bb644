import { ConfigurationError, unknownName } from '../configuration-error.ts';
import { isFixedImage } from '../fixed-image.ts';
import { type ServiceDefinition, services } from '../services.ts';
import type { StageDefinition } from '../stage.ts';
import { findStage, stageDefinitions, validateStage } from './stages.ts';

/** What `-c key=value` on the command line can say. */
const contextKeys = {
  stage: 'name of the one stage to synthesise; without it, all of them',
  region:
    'region in place of the stages’ own; set availabilityZones with it where its zones are not a, b, c',
  availabilityZones: 'letters of the zones in place of the stages’ own, such as a,c,d',
  account: 'account that the stacks may be deployed to; without it, that of the credentials',
  imageUri:
    'image of the service that a pipeline has built, in place of a build from its Dockerfile; with several services, <service>=<image> for each, separated by commas',
} as const;
type ContextKey = keyof typeof contextKeys;

/** Keys that the CDK's own flags, its command line and its look-ups begin with. */
const foreignPrefixes = ['@aws-cdk', 'aws:', 'aws-cdk', 'cdk:'];

/** What to synthesise. */
export interface Selection {
  readonly stages: readonly StageDefinition[];
  /** Account that the stacks may be deployed to. @default that of the credentials */
  readonly account?: string;
  /** Images by name of the service. @default built from their Dockerfiles */
  readonly images?: Readonly<Record<string, string>>;
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

/**
 * The images of `-c imageUri`, by name of the service: one image where there is one service, and `<service>=<image>` for each, separated by
 * commas, where there are several. Those that are not named are built.
 */
function readImages(text: string, names: readonly string[]) {
  const [only, ...others] = names;
  const images: Record<string, string> = {};
  const problems: string[] = [];
  for (const entry of text.split(',')) {
    const [, name = '', image = ''] =
      /^([^=]+)=(.+)$/.exec(entry) ?? (others.length === 0 ? ['', only, entry] : ['', '', entry]);
    if (name === '') {
      problems.push(
        `-c imageUri got "${entry}". With several services it takes <service>=<image> for each, separated by commas: ${names.map((one) => `${one}=…`).join(',')}.`,
      );
    } else if (!names.includes(name)) {
      problems.push(`-c imageUri: ${unknownName('service', name, names)}`);
    } else if (!isFixedImage(image)) {
      problems.push(
        `-c imageUri got "${image}". It takes an image with a digest (…@sha256:…) or with a tag other than latest, so that a rollback starts what ran before.`,
      );
    } else images[name] = image;
  }
  return { images, problems };
}

/**
 * Reads what was asked for on the command line.
 *
 * @param context - all context of the CDK app, flags included.
 * @param serviceDefinitions - services that there may be images of. @default those of `lib/config/services.ts`
 * @throws ConfigurationError for an unknown key or stage, naming those there are, and for a value that cannot be.
 */
export function readContext(
  context: Readonly<Record<string, unknown>>,
  serviceDefinitions: readonly Pick<ServiceDefinition, 'name'>[] = services,
): Selection {
  const { values, problems } = readKnownKeys(context);
  const { account, imageUri } = values;
  if (account !== undefined && !/^\d{12}$/.test(account)) {
    problems.push(`-c account got "${account}". It takes the 12 digits of an account.`);
  }
  const { images, problems: imageProblems } =
    imageUri === undefined
      ? { images: undefined, problems: [] }
      : readImages(
          imageUri,
          serviceDefinitions.map(({ name }) => name),
        );
  problems.push(...imageProblems);
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
    ...(images === undefined ? {} : { images }),
  };
}
