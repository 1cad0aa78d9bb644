import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '../../lib/config/repository-root.ts';
import { stageDefinitions } from '../../lib/config/stages/stages.ts';
import { LocalFailure } from '../../services/local/local-failure.ts';
import { formsOf, type Kind } from './scaffold.ts';

const LIST = 'lib/config/stages/stages.ts';
/** The smallest stage, whose definition the new one begins with. */
const MODEL = 'dev';

/** The first range of 65,536 addresses that no stage has, so that their networks can be connected. */
function freeAddressRange(): string {
  const used = stageDefinitions.map(({ policy }) => policy.network.addressRange);
  for (let second = 0; second < 256; second += 1) {
    const range = `10.${second}.0.0/16`;
    if (!used.includes(range)) return range;
  }
  throw new LocalFailure('Every range of 10.0.0.0/8 has a stage.', 'Remove a stage first.');
}

/** The definition of {@link MODEL} as text, with what has to differ. */
async function definitionOf(name: string): Promise<string> {
  const source = await readFile(join(repositoryRoot, `lib/config/stages/${MODEL}.ts`), 'utf8');
  const replacements: readonly (readonly [RegExp, string])[] = [
    [/\/\*\* .*\*\//, `/** ${name}: the workload and the policy of ${MODEL}, to begin with. */`],
    [/export const \w+:/, `export const ${formsOf(name).camel}:`],
    [/name: '.*'/, `name: '${name}'`],
    [/addressRange: '.*'/, `addressRange: '${freeAddressRange()}'`],
    [new RegExp(`(?<=['@])${MODEL}\\.(?=[\\w.-]+['>])`, 'g'), `${name}.`],
  ];
  return replacements.reduce((text, [pattern, replacement]) => {
    if (!new RegExp(pattern.source).test(text)) {
      throw new Error(`The stage ${MODEL} has no ${pattern.source} to replace.`);
    }
    return text.replace(pattern, replacement);
  }, source);
}

export const stageKind: Kind = {
  name: 'stage',
  is: 'the whole system on AWS once more, for a workload of its own',
  longestName: 20,
  taken: () => stageDefinitions.map(({ name }) => name),
  async create(name) {
    const { camel } = formsOf(name);
    const file = `lib/config/stages/${name}.ts`;
    return {
      files: { [file]: await definitionOf(name) },
      insertions: [
        {
          file: LIST,
          before: '\n/** Every stage there is',
          text: `import { ${camel} } from './${name}.ts';\n`,
        },
        { file: LIST, before: '];', text: `, ${camel}` },
      ],
      next: [
        `Say in ${file} what the stage carries (workload) and what its owners want (policy).`,
        `npm run plan -- --stage ${name}  # how large it is, why, and what it costs`,
        'npm run docs && npm run test:update -- --project infrastructure  # its pages and its reviewed templates',
        `npx cdk deploy -c stage=${name} --all`,
      ],
    };
  },
};
