import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** How the packages of this folder are installed. */
export const INSTALL_TOOLS = 'npm ci --prefix test/tools';

/** Whether the packages of this folder are installed; they are not part of the project's own. */
export const hasTools = (): boolean => existsSync(new URL('node_modules', import.meta.url));

/**
 * A package of this folder. Its types are not there to be checked when it is not installed, so the caller says what it uses.
 * @throws {Error} when the packages are not installed.
 */
export function importTool<Module>(name: string): Promise<Module> {
  if (!hasTools()) throw new Error(`${name} is not installed. Run: ${INSTALL_TOOLS}`);
  return import(name);
}

/** The path of a file of these packages. */
export const toolPath = (file: string): string =>
  fileURLToPath(new URL(`node_modules/${file}`, import.meta.url));
