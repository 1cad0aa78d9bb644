import { sizeStage } from '../capacity/size/size-stage.ts';
import { readContext } from '../config/stages/context.ts';
import { createApp } from './create-app.ts';
import { createStage } from './stage.ts';

/**
 * The CDK app: every stage that was asked for on the command line (`-c stage=…`), or all of them.
 *
 * @throws ConfigurationError for what was asked for, or what the stages say, that cannot be.
 */
export function synthesise(): void {
  const app = createApp();
  const { stages, ...selection } = readContext(app.node.getAllContext());
  for (const definition of stages) {
    createStage(app, { ...selection, stage: sizeStage(definition) });
  }
  app.synth();
}
