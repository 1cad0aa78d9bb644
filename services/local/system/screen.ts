import { relative } from 'node:path';
import { styleText } from 'node:util';
import { EnvironmentError } from '../../contracts/environment/read.ts';
import { LocalFailure } from '../local-failure.ts';

/** One part of the running system, as the screen lists it. */
export interface PartLine {
  readonly name: string;
  /** Where it is, what it is, or why it is absent. */
  readonly where: string;
  /** Further lines, shown below in a fainter colour. */
  readonly notes?: readonly string[];
}

export interface Summary {
  readonly seconds: number;
  readonly firstStart: boolean;
  readonly apiUrl: string;
  readonly mailboxUrl: string;
  readonly directory: string;
  /** Null where no administrator is known. */
  readonly administrator: { readonly email: string; readonly password: string } | null;
  readonly parts: readonly PartLine[];
  /** Whether rate limits are those for load tests. */
  readonly highLimits: boolean;
  /** Part of the email address in the example, new at each start so that the pasted line is no duplicate. */
  readonly exampleSuffix: string;
}

const nameWidth = 14;

/** Where progress, the summary and log lines go; all of it to one stream, so that the order is kept. */
export interface Screen {
  /** A step that begins or says how far it is. */
  progress(message: string): void;
  summary(summary: Summary): void;
  /** One line of a part's log. */
  log(part: string, line: string): void;
  line(text: string): void;
}

const faint = (text: string) => styleText('dim', text);
const strong = (text: string) => styleText('bold', text);

/** @param stream colours are used only where it is a terminal and NO_COLOR is unset. */
export function createScreen(stream: NodeJS.WriteStream, startedAt: number): Screen {
  const coloured = (style: (text: string) => string, text: string) =>
    stream.isTTY && (process.env.NO_COLOR ?? '') === '' ? style(text) : text;
  const line = (text: string) => {
    stream.write(`${text}\n`);
  };
  return {
    line,
    progress(message) {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(5);
      line(`${coloured(faint, `${seconds} s`)}  ${message}`);
    },
    log(part, text) {
      line(`${coloured(faint, part.padEnd(nameWidth))}${text}`);
    },
    summary({
      administrator,
      seconds,
      firstStart,
      apiUrl,
      mailboxUrl,
      directory,
      parts,
      highLimits,
      exampleSuffix,
    }) {
      line('');
      line(
        coloured(
          strong,
          `Headroom runs. Ready in ${seconds.toFixed(1)} s; Ctrl-C stops all of it.`,
        ),
      );
      line('');
      for (const part of parts) {
        line(`  ${part.name.padEnd(nameWidth)}${part.where}`);
        for (const note of part.notes ?? []) {
          line(`  ${' '.repeat(nameWidth)}${coloured(faint, note)}`);
        }
      }
      line(`  ${'Data and logs'.padEnd(nameWidth)}${shortPath(directory)}`);
      line('');
      line(coloured(strong, firstStart ? 'Try, with the 1,000 demo users that are in:' : 'Try:'));
      line(`  curl ${apiUrl}/api/users/1`);
      line(`  curl '${apiUrl}/api/users?limit=3'`);
      line(
        `  curl -X POST ${apiUrl}/api/users -H 'content-type: application/json' -d '{"name":"Ada Lovelace","email":"ada.${exampleSuffix}@example.com"}'`,
      );
      line(`  curl ${mailboxUrl}/api/messages`);
      line(`  The last one lists the welcome that Ada got; ${mailboxUrl} shows it.`);
      if (administrator !== null) {
        line('');
        line(coloured(strong, 'To change users, log in; user 1 is an administrator:'));
        line(
          `  curl -X POST ${apiUrl}/api/v1/auth/login -H 'content-type: application/json' -d '${JSON.stringify(administrator)}'`,
        );
        line(`  and send the accessToken: -H 'authorization: Bearer <accessToken>'`);
      }
      line('');
      if (highLimits) {
        line('  Rate limits are high (--high-limits). To put load on it: npm run load');
      } else {
        line('  One address may send 1,000 reads a minute. To put load on it, start it with');
        line('  npm start -- --high-limits, and in another terminal: npm run load');
      }
      line('');
    },
  };
}

/** `path` relative to the working directory. */
export function shortPath(path: string): string {
  const below = relative(process.cwd(), path);
  return below === '' || below.startsWith('..') ? path : below;
}

/** Prints a failure and its remedy to standard error; a stack only for unexpected errors. */
export function reportFailure(error: unknown): void {
  if (error instanceof LocalFailure) {
    console.error(`\nError: ${error.message}\n  ${error.remedy}`);
  } else if (error instanceof EnvironmentError) {
    console.error(`\nError: ${error.message}\n  docs/environment.md describes every variable.`);
  } else {
    console.error('\nUnexpected error:', error);
  }
}

/** `url` as it may be shown: with `***` for a password. */
export function withoutPassword(url: string): string {
  const shown = new URL(url);
  if (shown.password !== '') shown.password = '***';
  return shown.href;
}
