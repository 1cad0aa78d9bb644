import { findMisspelt } from '../contracts/environment/misspelt.ts';
import { EnvironmentError, readEnvironment } from '../contracts/environment/read.ts';
import { loggedError } from '../contracts/observability/logged-error.ts';
import { startService } from './app/service.ts';
import { UnusableSigningKeys } from './auth/tokens/signing-keys.ts';
import { ListenError } from './http/listen-error.ts';
import { createLogger, LogOutput } from './observability/logger.ts';
import { PolicyError } from './rate-limit/policy.ts';
import { variables } from './settings/settings.ts';

/**
 * The program that the container runs, and `npm start`: `node services/user-api/main.ts`. Exit codes: 0 after a shutdown in which every
 * request was answered, 1 when the configuration is wrong, a port cannot be had, requests had to be cut, or it crashed. With words on its
 * command line it is another program (./administer.ts).
 */

async function main(): Promise<void> {
  const settings = readEnvironment(variables, process.env);
  const output = new LogOutput();
  const logger = createLogger(settings, output);
  const exit = (code: number) => {
    output.flushSync();
    process.exit(code);
  };
  process.on('uncaughtException', (error) => {
    logger.fatal({ error }, 'A failure that nothing handles');
    exit(1);
  });

  for (const { name, meant } of findMisspelt(process.env)) {
    logger.warn({ variable: name, meant }, 'Unknown environment variable resembles a known one');
  }
  const service = await startService(settings, logger);

  let stopping = false;
  const shutDown = (reason: string) => {
    if (stopping) {
      logger.warn({ reason }, 'Second signal: closing requests in flight');
      service.cut();
      exit(1);
    }
    stopping = true;
    logger.info({ reason }, 'Shutting down');
    service.stop().then(
      (inTime) => {
        logger.info({ inTime }, 'Stopped');
        exit(inTime ? 0 : 1);
      },
      (error: unknown) => {
        logger.fatal({ error }, 'The shutdown failed');
        exit(1);
      },
    );
  };
  process.on('SIGTERM', () => shutDown('SIGTERM'));
  process.on('SIGINT', () => shutDown('SIGINT'));
  // As a child with a channel to its parent: says when it is there, and does not outlive the parent.
  process.on('disconnect', () => {
    if (!stopping) shutDown('parent gone');
  });
  const { internalPort, port } = service;
  process.send?.({ type: 'ready', port, internalPort });
}

if (import.meta.main && process.argv.length > 2) {
  const { ofThisProcess, userApiCommand } = await import('./administer.ts');
  process.exitCode = await userApiCommand(process.argv.slice(2), ofThisProcess);
} else if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    const expected =
      error instanceof EnvironmentError ||
      error instanceof ListenError ||
      error instanceof UnusableSigningKeys ||
      error instanceof PolicyError;
    console.error(expected ? error.message : loggedError(error));
    process.exit(1);
  }
}
