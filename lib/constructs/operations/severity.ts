import type { StageConfiguration } from '../../config/stage.ts';

/** How soon a person has to act: `page` at once, at night too; `ticket` on the next working day. */
export type Severity = keyof StageConfiguration['contacts'];
