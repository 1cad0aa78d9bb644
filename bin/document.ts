import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { writePicture } from '../lib/architecture/picture.ts';
import { stagesPage } from '../lib/capacity/plan/page.ts';
import { environmentPage } from '../services/contracts/environment/document.ts';
import { permissionsPage } from '../services/user-api/auth/permissions-page.ts';
import { problemsPage } from '../services/user-api/http/problems-page.ts';
import { metricsPage } from '../services/user-api/observability/metrics/document.ts';
import {
  PUBLICATION_DIRECTORY,
  publishedFiles,
} from '../services/user-api/reference/publication.ts';

/** Writes the pages of `docs/` that are made from the code, and the reference of the API as static files. A test of each fails when a page is not up to date. */
const pages: Readonly<Record<string, () => string>> = {
  'environment.md': environmentPage,
  'metrics.md': metricsPage,
  'permissions.md': permissionsPage,
  'problems.md': problemsPage,
  'stages.md': stagesPage,
};

new Command('npm run docs --')
  .description('Writes the generated pages, the API reference and the picture of docs/.')
  .allowExcessArguments(false)
  .parse();

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
