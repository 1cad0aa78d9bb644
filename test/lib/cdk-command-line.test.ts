import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { repositoryRoot, runToEnd } from './support/synthesise.ts';
import { readTemplates } from './support/templates.ts';

/** A network namespace without a network: Linux has it, for root or where users may make their own. */
const cutOff = ['unshare', '--net', '--map-root-user'];
/** Some seconds of a core that nobody else uses: the whole command line, and CloudFormation's validation. */
const TIMEOUT_MILLISECONDS = 300_000;
const nowhere = 'http://127.0.0.1:1';

/** What CloudFormation’s own rules found that nobody has acknowledged, as the CDK writes it beside the templates. */
const validationReport = z.object({
  pluginReports: z.array(
    z.object({
      pluginName: z.string(),
      conclusion: z.string(),
      violations: z.array(z.unknown()),
    }),
  ),
});

describe('npx cdk synth', () => {
  let directory: string;
  let prefix: readonly string[];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'headroom-command-line-'));
    const bin = join(directory, 'bin');
    await mkdir(bin);
    await mkdir(join(directory, 'home'));
    await writeFile(
      join(bin, 'docker'),
      `#!/bin/sh\necho "$@" >> '${directory}/docker-calls'\nexit 1\n`,
    );
    await chmod(join(bin, 'docker'), 0o755);
    const namespace = await runToEnd('env', [...cutOff, 'true'], {
      cwd: directory,
      env: process.env,
    });
    prefix = namespace.code === 0 ? cutOff : [];
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  it(
    'of a stage, without credentials, Docker or network, synthesises it and finds nothing to complain of',
    async () => {
      const outputDirectory = join(directory, 'cdk.out');
      const path = [
        join(directory, 'bin'),
        join(repositoryRoot, 'node_modules/.bin'),
        dirname(process.execPath),
        ...(process.env.PATH ?? '').split(delimiter),
      ];
      const { code, output } = await runToEnd(
        'env',
        [...prefix, 'cdk', 'synth', '-c', 'stage=dev', '--quiet', '--output', outputDirectory],
        {
          cwd: repositoryRoot,
          env: {
            HOME: join(directory, 'home'),
            PATH: path.join(delimiter),
            // Where no namespace can be had, what asks the network is refused all the same.
            HTTP_PROXY: nowhere,
            HTTPS_PROXY: nowhere,
          },
        },
      );
      expect(output).not.toMatch(/\b(ERROR|WARNING)\b/);
      expect(code, output).toBe(0);
      expect(readTemplates(outputDirectory).map(({ part }) => part)).toEqual([
        'api',
        'data',
        'edge-foundation',
        'edge',
        'foundation',
        'migrations',
        'network',
        'observability',
        'workers',
      ]);
      const { pluginReports } = validationReport.parse(
        JSON.parse(await readFile(join(outputDirectory, 'validation-report.json'), 'utf8')),
      );
      expect(pluginReports).toEqual([
        { pluginName: 'CloudFormation Validate', conclusion: 'success', violations: [] },
      ]);
      const docker = await runToEnd('cat', ['docker-calls'], { cwd: directory, env: process.env });
      expect(docker.code, `Docker was called: ${docker.output}`).not.toBe(0);
    },
    TIMEOUT_MILLISECONDS,
  );
});
