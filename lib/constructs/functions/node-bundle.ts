import { cpSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';
import { ConfigurationError } from '../../config/configuration-error.ts';
import { repositoryRoot } from '../../config/repository-root.ts';

/** The oldest Node.js that the bundles have to run on: that of the functions and of the container. */
const TARGET = 'node24';
/** Packages written for CommonJS call `require`, which a module does not have. */
const REQUIRE_BANNER =
  "import { createRequire as createBundleRequire } from 'node:module'; const require = createBundleRequire(import.meta.url);";

export interface NodeBundleProps {
  /** Module to bundle with everything that it imports, relative to the root of the repository. */
  readonly entry: string;
  /** Folders to copy beside the bundle: name there → folder, relative to the root. @default none */
  readonly folders?: Readonly<Record<string, string>>;
}

function bundle(props: NodeBundleProps, outputDirectory: string): void {
  const entry = join(repositoryRoot, props.entry);
  if (!existsSync(entry)) {
    throw new ConfigurationError([
      `There is no module ${props.entry} to bundle. Correct the entry in lib/config, which is relative to the root of the repository.`,
    ]);
  }
  buildSync({
    entryPoints: [entry],
    outfile: join(outputDirectory, 'index.mjs'),
    absWorkingDir: repositoryRoot,
    bundle: true,
    platform: 'node',
    target: TARGET,
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: REQUIRE_BANNER },
    legalComments: 'none',
    logLevel: 'error',
  });
  for (const [name, folder] of Object.entries(props.folders ?? {})) {
    cpSync(join(repositoryRoot, folder), join(outputDirectory, name), { recursive: true });
  }
}

/**
 * Bundles a module into one file, in this process. `NodejsFunction` takes as long (some 2 s an entry, measured with the three there are), but copies
 * folders by shell commands only, and calls Docker when it does not find esbuild. The SDK goes into the bundle, so that what runs is what
 * was tested.
 *
 * The same entry is bundled once, however many stages there are: the CDK remembers assets by their `command`.
 */
export function bundledCode(props: NodeBundleProps): Code {
  return Code.fromAsset(dirname(join(repositoryRoot, props.entry)), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Demanded by the type and never used, as the bundling below does not fall back to Docker.
      image: DockerImage.fromRegistry('unused'),
      command: [props.entry, JSON.stringify(props.folders ?? {})],
      local: {
        tryBundle(outputDirectory) {
          bundle(props, outputDirectory);
          return true;
        },
      },
    },
  });
}
