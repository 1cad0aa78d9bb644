import { join } from 'node:path';
import { LocalFailure } from '../local-failure.ts';
import type { Guardian } from '../process/guardian.ts';
import { findFreePort, isPortFree } from '../process/ports.ts';
import { programEnvironment } from '../process/program-environment.ts';
import { waitUntilReady } from '../process/readiness.ts';
import { startProcess } from '../process/supervised-process.ts';
import type { LocalDirectories } from './directory.ts';
import type { LocalService, Programs } from './programs.ts';
import type { RunningPart } from './running-part.ts';
import type { PartLine } from './screen.ts';
import type { Settings } from './settings.ts';

export interface ServicePart extends RunningPart {
  /** Without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** What the screen says of its internal port. */
  readonly metricsLine: PartLine;
  readonly logFile: string;
}

const READY_TIMEOUT_MILLISECONDS = 30_000;
const READY_POLL_MILLISECONDS = 25;
/** Longer than the service's own SHUTDOWN_TIMEOUT_MILLISECONDS, so that it is not cut while it drains. */
const STOP_TIMEOUT_MILLISECONDS = 15_000;
/** Addresses that mean every interface; the machine itself is reached at loopback. */
const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Where a service responds on this machine, without a slash at the end. */
export function apiUrl({ host }: Pick<Settings, 'host'>, port: number): string {
  const reached = ANY_ADDRESS.has(host) ? '127.0.0.1' : host;
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}

/** Where the API will show its metrics. */
export function metricsUrl(internalPort: number): string {
  return `http://127.0.0.1:${internalPort}/metrics`;
}

/**
 * The port the API will listen on. Asked before anything is started, so that a taken port costs no time.
 *
 * @throws {LocalFailure} when the port is taken.
 */
export async function chooseApiPort(settings: Settings): Promise<number> {
  if (settings.port === 0) return await findFreePort();
  if (await isPortFree(settings.port)) return settings.port;
  throw new LocalFailure(
    `Port ${settings.port}, which the API is to listen on (PORT), is taken by another program.`,
    `Stop that program, or choose another port: PORT=${settings.port + 1} npm start.`,
  );
}

/**
 * The port of metrics: any free one, unless the developer wants a certain one.
 *
 * @throws {LocalFailure} when that one is taken.
 */
export async function chooseInternalPort({ internalPort }: Settings): Promise<number> {
  if (internalPort === undefined || internalPort === 0) return await findFreePort();
  if (await isPortFree(internalPort)) return internalPort;
  throw new LocalFailure(
    `Port ${internalPort}, for the metrics of the API (INTERNAL_PORT), is taken by another program.`,
    'Stop that program, choose another port, or unset INTERNAL_PORT to take any free one.',
  );
}

export async function startServicePart(options: {
  readonly service: LocalService;
  /** Name for messages and the screen, such as `User API`. */
  readonly title: string;
  /** What the screen says of it. @default nothing */
  readonly notes?: readonly string[];
  /** Address that it listens on. */
  readonly host: string;
  readonly settings: Settings;
  readonly directories: LocalDirectories;
  readonly programs: Programs;
  readonly guardian: Guardian;
  readonly port: number;
  /** Port of metrics and diagnostics. */
  readonly internalPort: number;
  /** Variables that point the service at the other parts; they go over those of the developer. */
  readonly environment: Readonly<Record<string, string>>;
  readonly onFailure: (failure: LocalFailure) => void;
}): Promise<ServicePart> {
  const { service, title, settings, programs, guardian, host, port, internalPort } = options;
  const url = apiUrl({ host }, port);
  const logFile = join(options.directories.logs, `${service.name}.log`);
  const supervised = await startProcess({
    name: title,
    command: process.execPath,
    arguments: [...programs.nodeOptions, service.entry],
    workingDirectory: programs.root,
    environment: {
      // There is no other process for clients.
      SHUTDOWN_DELAY_MILLISECONDS: '0',
      ...programEnvironment(settings.environment),
      ...options.environment,
      HOST: host,
      PORT: String(port),
      // On loopback, also where the API listens on more.
      INTERNAL_HOST: '127.0.0.1',
      INTERNAL_PORT: String(internalPort),
    },
    logFile,
    guardian,
    stopTimeoutMilliseconds: STOP_TIMEOUT_MILLISECONDS,
    onUnexpectedExit: ({ code, signal }) =>
      options.onFailure(
        new LocalFailure(
          `${title} ended by itself (${signal ?? `exit code ${code}`}).`,
          `Read its log in ${logFile}.`,
        ),
      ),
  });
  try {
    await waitUntilReady(supervised, {
      isReady: () => isReady(`${url}${service.readinessPath}`),
      timeoutMilliseconds: READY_TIMEOUT_MILLISECONDS,
      intervalMilliseconds: READY_POLL_MILLISECONDS,
    });
  } catch (error) {
    await supervised.stop();
    throw error;
  }
  return {
    url,
    port,
    logFile,
    line: {
      name: title,
      where: url,
      ...(options.notes !== undefined && { notes: options.notes }),
    },
    metricsLine: { name: 'Metrics', where: metricsUrl(internalPort) },
    stop: async () => void (await supervised.stop()),
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
