import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, most of all. */
const SLOW = [
  'cache/coherence/coherence',
  'contract/any-request',
  'contract/reference-page',
  'bench/subjects',
  'database/frozen-servers',
  'users/many-users',
].map((name) => `/${name}.test.ts`);

/**
 * Begins the files of a project with the slow ones: in a fresh checkout vitest knows no durations and begins with the largest, and a small file that takes half
 * a minute came last, with all other workers idle.
 */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId }: TestSpecification) => {
      const index = SLOW.findIndex((end) => moduleId.endsWith(end));
      return index === -1 ? SLOW.length : index;
    };
    const projects = [...new Set(sorted.map(({ project }) => project))];
    return projects.flatMap((project) =>
      sorted
        .filter((file) => file.project === project)
        .toSorted((left, right) => place(left) - place(right)),
    );
  }
}
