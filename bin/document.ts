import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';

/** Writes the pages of `docs/` that are made from the code, and the reference of the API as static files. A test of each fails when a page is not up to date. */
new Command('npm run docs --')
  .description('Writes the generated pages, the API reference and the picture of docs/.')
  .parse();

// The CDK takes a second to load; a mistake on the command line should not wait for it.
const { writePicture } = await import('../lib/architecture/picture.ts');
const { stagesPage } = await import('../lib/capacity/plan/page.ts');
const { environmentPage } = await import('../services/contracts/environment/document.ts');
const { permissionsPage } = await import('../services/user-api/auth/permissions-page.ts');
const { problemsPage } = await import('../services/user-api/http/problem-pages.ts');
const { metricsPage } = await import('../services/user-api/observability/metrics/document.ts');
const { PUBLICATION_DIRECTORY, publishedFiles } = await import(
  '../services/user-api/app/publication.ts'
);

const pages: Readonly<Record<string, () => string>> = {
  'environment.md': environmentPage,
  'metrics.md': metricsPage,
  'permissions.md': permissionsPage,
  'problems.md': problemsPage,
  'stages.md': stagesPage,
};

async function write(path: string, text: string): Promise<void> {
  await writeFile(new URL(`../${path}`, import.meta.url), text);
  console.log(`wrote ${path}`);
}

for (const [name, make] of Object.entries(pages)) await write(`docs/${name}`, make());
for (const [name, text] of Object.entries(await publishedFiles())) {
  await write(`${PUBLICATION_DIRECTORY}/${name}`, text);
}

await writePicture();
console.log('wrote docs/architecture.svg');
