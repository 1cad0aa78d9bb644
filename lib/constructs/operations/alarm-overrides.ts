import type { Construct } from 'constructs';
import { ConfigurationError, unknownName } from '../../config/configuration-error.ts';
import type { StageConfiguration } from '../../config/stage.ts';
import type { Operations } from './operations.ts';

/**
 * Has the synthesis fail when the stage overrides an alarm that it does not have: a mistyped name would leave the alarm as it was, and
 * nobody would know. It is checked at the end, when every alarm is there.
 *
 * @param everywhere - what the alarms of each of the stage's regions are registered with.
 * @throws ConfigurationError, while synthesising, naming the alarms that exist.
 */
export function checkAlarmOverrides(
  scope: Construct,
  stage: StageConfiguration,
  everywhere: readonly Operations[],
): void {
  scope.node.addValidation({
    validate: () => {
      const known = everywhere.flatMap((operations) => operations.alarmKeys).sort();
      const problems = Object.keys(stage.policy.alarmOverrides ?? {})
        .filter((key) => !known.includes(key))
        .map(
          (key) =>
            `Stage "${stage.name}", policy.alarmOverrides: ${unknownName('alarm', key, known)}`,
        );
      if (problems.length > 0) throw new ConfigurationError(problems);
      return [];
    },
  });
}
