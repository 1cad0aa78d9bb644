import type { StageConfiguration } from '../../config/stage.ts';

/** The page of the repository that has a section for each alarm. */
export const RUNBOOK = 'docs/runbook.md';

/** Parts of a name that say which of several like parts it is: one section of the runbook is for all of them. */
const instances: readonly (readonly [RegExp, string])[] = [
  [/\/(Service|Worker|Schedule)-[^/]+/, '/$1'],
  [/\/Shard\d+-/, '/'],
  // The two windows of a burn-rate alarm mean nothing one without the other.
  [/\/(Long|Short)Window$/, ''],
];

/**
 * Name of an alarm within its stage, such as `api/Service-user-api/Latency`: its path in the tree of constructs, without what all
 * names of the stage begin with. A stage's `policy.alarmOverrides` goes by it.
 */
export function alarmKey(path: string, stage: Pick<StageConfiguration, 'name'>): string {
  return path.replace(`headroom-${stage.name}-`, '');
}

/** Heading of the runbook's section about the alarm of that key, such as `api/Service/Latency`. */
export function runbookHeading(key: string): string {
  return instances.reduce((current, [pattern, name]) => current.replace(pattern, name), key);
}

/** Anchor that GitHub, GitLab and most renderers of Markdown give a heading: lower case, without punctuation. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}

/**
 * Where the runbook's section about an alarm is: an address where the stage says where its pages are, or else the file in the
 * repository, as a repository does not know where it is hosted.
 */
export function runbookLink(stage: StageConfiguration, key: string): string {
  return `${stage.policy.runbookUrl ?? RUNBOOK}#${anchorOf(runbookHeading(key))}`;
}
