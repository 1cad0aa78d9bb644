import { resolve } from 'node:path';
import {
  EnvironmentError,
  readEnvironment,
  type VariableName,
} from '../../contracts/environment/read.ts';
import { environmentVariables } from '../../contracts/environment/variables.ts';
import { LocalFailure } from '../local-failure.ts';
import type { Programs } from './programs.ts';
import type { StartOptions } from './start-options.ts';

/** Arguments and environment of `npm start`. */
export interface Settings extends StartOptions {
  /** Folder of all local state, absolute. */
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  /** Port of the API's metrics; 0 or absent takes any free one. */
  readonly internalPort?: number;
  /** Port of the mailbox page; 0 takes any free one. */
  readonly mailboxPort: number;
  /** Whether MAILBOX_PORT was given: a given port that is taken is an error, a default one is replaced. */
  readonly mailboxPortGiven: boolean;
  readonly region: string;
  /** A writer and readers that run elsewhere; absent: PostgreSQL is started here. */
  readonly database?: { readonly writerUrl: string; readonly readerUrls: readonly string[] };
  /** A Redis that runs elsewhere; absent: one found on the PATH is started. */
  readonly redisUrl?: string;
  /** Queues that run elsewhere; absent: SQS is started here. */
  readonly queues?: {
    /** Absent: the endpoint of AWS. */
    readonly endpoint?: string;
    readonly emailQueueUrl: string;
  };
  /** The environment as it was given; what is not decided here is passed on to the parts. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

type CheckSettings = Programs['checkSettings'];

/** All that is wrong with the environment, one message each, and the variables to look at. */
function findProblems(environment: Settings['environment'], checkSettings: CheckSettings) {
  const isSet = (name: string) => (environment[name] ?? '') !== '';
  const given = (Object.keys(environmentVariables) as VariableName[]).filter(isSet);
  const problems: string[] = [];
  const variables: string[] = [];
  try {
    readEnvironment(given, environment);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    problems.push(error.message);
    variables.push(...error.variables);
  }
  const valid = Object.entries(environment).filter(([name]) => !variables.includes(name));
  problems.push(...checkSettings(Object.fromEntries(valid)));
  if (isSet('DATABASE_READER_URLS') && !isSet('DATABASE_URL')) {
    problems.push(
      'DATABASE_READER_URLS is set but DATABASE_URL is not; set it to the writer of those readers, or unset both to have PostgreSQL started here',
    );
  }
  if (isSet('SQS_ENDPOINT') && !isSet('EMAIL_QUEUE_URL')) {
    problems.push(
      'SQS_ENDPOINT is set but EMAIL_QUEUE_URL is not; set it to the URL of a queue at that endpoint, or unset both to have SQS started here',
    );
  }
  return { problems, variables };
}

/**
 * Checks every variable that the programs of the system read, and reads those of `npm start`.
 *
 * @param checkSettings - says what the programs would refuse in variables that are valid one by one.
 * @throws {@link LocalFailure} naming each variable that is wrong, and combinations that cannot work; all at once.
 */
export function readSettings(
  environment: Settings['environment'],
  options: StartOptions,
  checkSettings: CheckSettings,
): Settings {
  const { problems, variables } = findProblems(environment, checkSettings);
  if (problems.length > 0) {
    const remedy = variables.length === 0 ? '' : `Correct or unset ${variables.join(', ')}; `;
    throw new LocalFailure(
      problems.join('\n'),
      `${remedy}docs/environment.md describes every variable.`,
    );
  }
  const values = readEnvironment(
    [
      'HOST',
      'PORT',
      'INTERNAL_PORT',
      'MAILBOX_PORT',
      'LOCAL_DIRECTORY',
      'AWS_REGION',
      'DATABASE_READER_URLS',
      'REDIS_URL',
      'SQS_ENDPOINT',
    ],
    environment,
  );
  // Valid where they are set; the programs require them, `npm start` makes its own.
  const writerUrl = environment.DATABASE_URL || undefined;
  const emailQueueUrl = environment.EMAIL_QUEUE_URL || undefined;
  return {
    directory: resolve(values.LOCAL_DIRECTORY),
    host: values.HOST,
    port: values.PORT,
    ...(values.INTERNAL_PORT !== undefined && { internalPort: values.INTERNAL_PORT }),
    mailboxPort: values.MAILBOX_PORT,
    mailboxPortGiven: (environment.MAILBOX_PORT ?? '') !== '',
    region: values.AWS_REGION,
    ...(writerUrl !== undefined && {
      database: { writerUrl, readerUrls: values.DATABASE_READER_URLS },
    }),
    ...(values.REDIS_URL !== undefined && { redisUrl: values.REDIS_URL }),
    ...(emailQueueUrl !== undefined && {
      queues: {
        emailQueueUrl,
        ...(values.SQS_ENDPOINT !== undefined && { endpoint: values.SQS_ENDPOINT }),
      },
    }),
    ...options,
    environment,
  };
}
