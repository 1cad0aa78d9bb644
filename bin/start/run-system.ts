import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type ServiceDefinition, services } from '../../lib/config/services.ts';
import { workers } from '../../lib/config/workers.ts';
import { findMisspelt } from '../../services/contracts/environment/misspelt.ts';
import { LocalFailure } from '../../services/local/local-failure.ts';
import { onNpmEnd } from '../../services/local/process/npm-end.ts';
import {
  programEnvironment,
  shieldFromShell,
} from '../../services/local/process/program-environment.ts';
import { followLog } from '../../services/local/system/follow-log.ts';
import type { Programs } from '../../services/local/system/programs.ts';
import { createScreen } from '../../services/local/system/screen.ts';
import { readSettings } from '../../services/local/system/settings.ts';
import type { StartOptions } from '../../services/local/system/start-options.ts';
import { startSystem } from '../../services/local/system/system.ts';
import { checkSettings } from '../../services/user-api/app/check-settings.ts';
import { HIGH_LIMITS } from '../../services/user-api/rate-limit/default-policies.ts';
import { ensureDemoAdministrator } from '../../services/user-api/users/demo-administrator.ts';
import { insertDemoUsers } from '../../services/user-api/users/demo-data.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const inRepository = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const nodeOptions = ['--import', new URL('../module-hooks.mjs', import.meta.url).href];

/** Runs the migrations as a program of its own, as AWS does, with nothing of this process in it. */
async function migrate(databaseUrl: string): Promise<void> {
  const entry = inRepository('services/user-api/migrate.ts');
  const child = spawn(process.execPath, [...nodeOptions, entry], {
    cwd: root,
    env: { ...programEnvironment(process.env), DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  if (code === 0) return;
  throw new LocalFailure(
    `The migrations failed.\n${errors || output}`.trim(),
    'If the database is of an older or other version of this project, `npm run reset` deletes the local one.',
  );
}

const localService = (service: ServiceDefinition) => ({
  ...service,
  entry: inRepository(service.entry),
});
const [userApi, ...furtherServices] = services;
if (userApi === undefined) throw new Error('The list of services is empty');

const programs: Programs = {
  root,
  nodeOptions,
  userApi: localService(userApi),
  furtherServices: furtherServices.map(localService),
  workers: workers.map((worker) => ({ ...worker, entry: inRepository(worker.entry) })),
  checkSettings,
  highLimits: HIGH_LIMITS,
  migrate,
  insertDemoUsers,
  ensureDemoAdministrator,
};

/**
 * Starts the system and runs it until it is stopped; `services/local/system` knows how, this module which programs.
 *
 * @param startedAt - of `performance.now()`.
 * @throws {@link LocalFailure} when a part cannot be started, or ends by itself.
 */
export async function runSystem(options: StartOptions, startedAt: number): Promise<void> {
  // Data, logs, emails and secrets are for this user alone, whichever part writes them.
  process.umask(0o077);
  const screen = createScreen(process.stdout, startedAt);
  for (const { name, meant } of findMisspelt(process.env)) {
    screen.line(`Warning: ${name} is set, but no program here reads it. Did you mean ${meant}?`);
  }
  const settings = readSettings({ ...process.env }, options, checkSettings);
  shieldFromShell(process.env, settings.queues !== undefined);

  const stopAsked = new AbortController();
  const failed = Promise.withResolvers<LocalFailure>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // The second time is meant: the guardian ends what this process leaves.
      if (stopAsked.signal.aborted) process.exit(130);
      screen.line(`\nStopping (${signal}); again to stop at once.`);
      stopAsked.abort();
    });
  }
  onNpmEnd(() => {
    if (stopAsked.signal.aborted) return;
    screen.line('\nStopping (npm has ended).');
    stopAsked.abort();
  });

  let system: Awaited<ReturnType<typeof startSystem>>;
  try {
    system = await startSystem({
      settings,
      programs,
      onProgress: screen.progress,
      onFailure: failed.resolve,
      signal: stopAsked.signal,
    });
  } catch (error) {
    if (stopAsked.signal.aborted) return;
    throw error;
  }
  screen.summary({
    seconds: (performance.now() - startedAt) / 1000,
    firstStart: system.demoUsersInserted,
    apiUrl: system.apiUrl,
    mailboxUrl: system.mailboxUrl,
    administrator: system.administrator,
    directory: settings.directory,
    parts: system.lines,
    highLimits: settings.highLimits,
    exampleSuffix: Date.now().toString(36),
  });
  const followers = settings.followLogs
    ? await Promise.all(
        Object.entries(system.logFiles).map(([part, path]) =>
          followLog(path, (line) => screen.log(part, line)),
        ),
      )
    : [];

  const stopped = new Promise<undefined>((resolve) => {
    if (stopAsked.signal.aborted) resolve(undefined);
    stopAsked.signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const failure = await Promise.race([stopped, failed.promise]);
  await system.stop();
  await Promise.all(followers.map((stopFollowing) => stopFollowing()));
  if (failure !== undefined) throw failure;
  screen.line('Stopped.');
}
