import { environmentVariables } from '../../contracts/environment/variables.ts';

export type ShellEnvironment = Readonly<Record<string, string | undefined>>;

/** Variables that programs need of the operating system, without influence on what they do. */
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
 * The environment of third-party programs, such as PostgreSQL and Redis. Variables of the shell (`PG…`, `LC_…`, `NODE_OPTIONS`, proxies,
 * `AWS_…`) would
 * change what they do.
 *
 * @param environment - @default that of this process
 */
export function systemEnvironment(
  environment: ShellEnvironment = process.env,
): Record<string, string> {
  return pick(environment, SYSTEM_VARIABLES);
}

/** The environment of this project's programs: {@link systemEnvironment}, the variables of docs/environment.md, and the compile cache of Node.js. */
export function programEnvironment(environment: ShellEnvironment): Record<string, string> {
  return {
    ...systemEnvironment(environment),
    ...pick(environment, ['NODE_COMPILE_CACHE', ...Object.keys(environmentVariables)]),
  };
}

/**
 * Makes this process's own clients reach loopback directly: postgres.js reads `PG…`, the AWS SDK `AWS_…`, and Node.js with
 * `NODE_USE_ENV_PROXY` uses a proxy
 * unless `NO_PROXY` excludes the host. Call it before any client is created.
 *
 * @param keepAws - whether a client here reaches AWS itself. @default false
 */
export function shieldFromShell(environment: NodeJS.ProcessEnv, keepAws = false): void {
  const foreign = keepAws ? /^PG[A-Z]/ : /^(PG[A-Z]|AWS_)/;
  for (const name of Object.keys(environment)) if (foreign.test(name)) delete environment[name];
  // Node.js prefers the lower-case name, and reads both at each request.
  const excluded = environment.no_proxy ?? environment.NO_PROXY ?? '';
  const hosts = [...LOOPBACK_HOSTS, ...excluded.split(/[\s,]+/).filter((host) => host !== '')];
  environment.NO_PROXY = [...new Set(hosts)].join(',');
  environment.no_proxy = environment.NO_PROXY;
}
