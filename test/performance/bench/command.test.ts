import { describe, expect, it } from 'vitest';
import { allCases } from './cases/cases.ts';
import { bench, caseNames } from './command.ts';

/** What the command prints. */
async function printed(...commandLine: string[]): Promise<string> {
  let text = '';
  const write = (part: string | Uint8Array) => {
    text += String(part);
    return true;
  };
  const output = { write, isTTY: false, columns: 80 };
  await bench(commandLine, output, new AbortController().signal);
  return text;
}

describe('npm run bench', () => {
  it('describes its options and its cases', async () => {
    const help = await printed('--help');
    expect(help).toContain('--rounds <count>');
    expect(help).toContain('open-loop');
  });

  it('knows the names of all cases', () => {
    expect(allCases(2).map(({ name }) => name)).toEqual(caseNames);
  });

  it('lists what each case compares, with its targets', async () => {
    const list = await printed('--list');
    expect(list).toContain('speed of Headroom: at least 0.95 × bare node:http');
    expect(list).toContain('p99 of Headroom: at most 1.5 × bare node:http');
  });

  it('names an unknown case, those there are, and the likeliest', async () => {
    const failing = printed('hitt');
    await expect(failing).rejects.toThrow(
      'There is no case "hitt". Did you mean "hit"? There are: hit, ',
    );
  });

  it('refuses numbers that make no sense, before it starts anything', async () => {
    await expect(printed('--rounds', '0', 'hit')).rejects.toThrow('--rounds got "0"');
    await expect(printed('--warm-up', 'long', 'hit')).rejects.toThrow('--warm-up got "long"');
  });

  it('refuses unknown options', async () => {
    await expect(printed('--turns', '3')).rejects.toThrow('--turns');
    await expect(printed('--round', '3')).rejects.toThrow('Did you mean --rounds?');
  });
});
