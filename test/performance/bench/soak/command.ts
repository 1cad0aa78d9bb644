import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LocalFailure } from '../../../../services/local/local-failure.ts';
import { startGuardian } from '../../../../services/local/process/guardian.ts';
import { pinThisProcess, planCores } from '../cores.ts';
import { chooseGenerators } from '../generators/choose.ts';
import { currentCommit, describeMachine } from '../machine.ts';
import type { Output } from '../progress.ts';
import { replaceBetween } from '../report/write.ts';
import { JUDGED_MINIMUM, judgeSoak, type SoakSample } from './judge.ts';
import { drawSoak, type SoakResults, sampleLine, soakMarkdown, verdictText } from './report.ts';
import { runSoak } from './run.ts';

const repository = fileURLToPath(new URL('../../../..', import.meta.url));
const OUTPUT = join(repository, '.local/bench');
const DOCUMENTS = join(repository, 'docs');
/** Between these the page has what the last soak that was published found. */
const BEGIN = '<!-- soak: begin; `npm run bench -- soak --publish` writes what follows -->';
const END = '<!-- soak: end -->';

export interface SoakCommand {
  readonly minutes: number;
  readonly publish: boolean;
  readonly stream: Output;
  /** Ends it; what was seen by then is judged. */
  readonly signal: AbortSignal;
}

/**
 * `npm run bench -- soak`.
 *
 * @throws {@link LocalFailure} when it did not pass, or was too short to be judged.
 */
export async function soak({ minutes, publish, signal, stream }: SoakCommand): Promise<void> {
  const cores = planCores();
  const line = (text: string) => void stream.write(`${text}\n`);
  const startedAt = new Date().toISOString();
  const guardian = startGuardian();
  try {
    const generators = chooseGenerators(cores);
    pinThisProcess(cores);
    const samples: SoakSample[] = [];
    const resultsOf = (requestsPerSecond: number, peakRequestsPerSecond: number): SoakResults => ({
      startedAt,
      commit: currentCommit(repository),
      machine: describeMachine({ 'open loop': generators.openLoop?.name ?? 'none' }),
      requestsPerSecond,
      peakRequestsPerSecond,
      samples,
      verdict: verdictOf(samples),
    });
    const load = await runSoak({
      ...{ seconds: minutes * 60, cores, generators, guardian, signal, onStep: line },
      onSample(sample) {
        samples.push(sample);
        line(sampleLine(sample));
      },
    });
    const results = resultsOf(load.requestsPerSecond, load.peakRequestsPerSecond);
    await writeSoak(OUTPUT, results);
    line(`\nWritten to ${relative(process.cwd(), OUTPUT) || '.'}: soak.json and soak.svg`);
    const { verdict } = results;
    if (verdict === null) {
      throw new LocalFailure(
        `${samples.length} samples are too few to be judged.`,
        'Let it run for longer: --minutes 10.',
      );
    }
    stream.write(`\n${verdictText(verdict)}`);
    if (publish) {
      await writeSoak(join(DOCUMENTS, 'performance'), results);
      const page = join(DOCUMENTS, 'performance.md');
      const text = await readFile(page, 'utf8');
      const report = soakMarkdown(results, 'performance/soak.svg');
      await writeFile(page, replaceBetween(text, BEGIN, END, report));
      line(`Published in ${relative(process.cwd(), page)}`);
    }
    if (!verdict.passed) {
      throw new LocalFailure(
        'The soak did not pass.',
        'Look at .local/bench/soak.svg; a heap snapshot of the service (docs/observability.md) shows what holds the memory.',
      );
    }
  } finally {
    await guardian.close();
  }
}

function verdictOf(samples: readonly SoakSample[]) {
  try {
    return judgeSoak(samples);
  } catch (error) {
    if (error instanceof RangeError && samples.length < 2 * JUDGED_MINIMUM) return null;
    throw error;
  }
}

async function writeSoak(directory: string, results: SoakResults): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'soak.json'), `${JSON.stringify(results, null, 2)}\n`);
  await writeFile(join(directory, 'soak.svg'), drawSoak(results));
}
