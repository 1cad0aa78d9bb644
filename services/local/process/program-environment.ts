import { environmentVariables } from '../../contracts/environment/variables.ts';

export type ShellEnvironment = Readonly<Record<string, string | undefined>>;

/** What any program needs of the operating system, and nothing that changes what it does. */
const SYSTEM_VARIABLES = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'TZ', 'LD_LIBRARY_PATH'],
  // Certificates of the machine's own authorities.
  ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  // Windows.
  ...['Path', 'PATHEXT', 'SystemRoot', 'SystemDrive', 'windir', 'ComSpec', 'TEMP', 'TMP'],
  ...['USERPROFILE', 'USERNAME', 'APPDATA', 'LOCALAPPDATA'],
] as const;

const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '::1'] as const;

function pick(environment: ShellEnvironment, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = environment[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}

/**
 * The environment for a program that is not ours, such as PostgreSQL and Redis: what the operating system needs. Defaults of the shell
 * (`PG…`, `LC_…`, `NODE_OPTIONS`, proxies, `AWS_…`) would change what the program does.
 *
 * @param environment - @default that of this process
 */
export function systemEnvironment(
  environment: ShellEnvironment = process.env,
): Record<string, string> {
  return pick(environment, SYSTEM_VARIABLES);
}

/**
 * The environment for a program of ours: that of {@link systemEnvironment}, the variables of docs/environment.md, and the folder where Node.js
 * keeps compiled code.
 */
export function programEnvironment(environment: ShellEnvironment): Record<string, string> {
  return {
    ...systemEnvironment(environment),
    ...pick(environment, ['NODE_COMPILE_CACHE', ...Object.keys(environmentVariables)]),
  };
}

/**
 * Changes the environment of this process so that its own clients reach loopback directly: postgres.js reads `PG…`, the AWS SDK `AWS_…`, and
 * Node.js with `NODE_USE_ENV_PROXY` sends requests to a proxy unless `NO_PROXY` excludes the host. Call it before any client is made.
 *
 * @param keepAws - whether a client here reaches AWS itself. @default false
 */
export function shieldFromShell(environment: NodeJS.ProcessEnv, keepAws = false): void {
  const foreign = keepAws ? /^PG[A-Z]/ : /^(PG[A-Z]|AWS_)/;
  for (const name of Object.keys(environment)) if (foreign.test(name)) delete environment[name];
  // Node.js prefers the name in lower case, and reads both at each request.
  const excluded = environment.no_proxy ?? environment.NO_PROXY ?? '';
  const hosts = [...LOOPBACK_HOSTS, ...excluded.split(/[\s,]+/).filter((host) => host !== '')];
  environment.NO_PROXY = [...new Set(hosts)].join(',');
  environment.no_proxy = environment.NO_PROXY;
}
