import { writeFile } from 'node:fs/promises';
import { stagesPage } from '../lib/capacity/plan/page.ts';
import { environmentPage } from '../services/contracts/environment/document.ts';
import { permissionsPage } from '../services/user-api/auth/permissions-page.ts';
import { problemsPage } from '../services/user-api/http/problems-page.ts';
import { metricsPage } from '../services/user-api/observability/metrics/document.ts';

/** Writes the pages of `docs/` that are made from the code. A test of each fails when a page is not up to date. */
const pages: Readonly<Record<string, () => string>> = {
  'environment.md': environmentPage,
  'metrics.md': metricsPage,
  'permissions.md': permissionsPage,
  'problems.md': problemsPage,
  'stages.md': stagesPage,
};

for (const [name, make] of Object.entries(pages)) {
  await writeFile(new URL(`../docs/${name}`, import.meta.url), make());
  console.log(`wrote docs/${name}`);
}
