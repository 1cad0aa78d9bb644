import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { refusals } from '../../lib/capacity/plan/mistakes.ts';
import { repositoryRoot } from './support/synthesise.ts';

const page = readFileSync(join(repositoryRoot, 'docs/stages.md'), 'utf8');
const made = refusals();

describe('a mistake of a platform engineer', () => {
  it.each(made)('($title), made, ends with lines that the page has', ({ title, problems }) => {
    expect(problems).not.toEqual([]);
    expect(page).toContain(`${title}\n\n\`\`\`text\n${problems.join('\n')}\n\`\`\``);
  });

  it.each(made)('($title), made, names where it is and what it takes instead', ({ problems }) => {
    for (const problem of problems) {
      expect(problem).toMatch(/"|Timeout |trafficPercent/);
      expect(problem).toMatch(/takes|gives|There are:|must be|Lower|Ask AWS|than its ceiling/);
    }
  });

  it('of several kinds, is among those of the page', () => {
    expect(made.map(({ title }) => title).join(' ')).toMatch(/200 tasks with a pool of 20/);
    expect(made.length).toBeGreaterThanOrEqual(8);
  });
});
