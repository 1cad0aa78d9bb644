import { z } from 'zod';
import { type AlarmThresholds, alarmThresholds, type StageSize, stageSize } from './size.ts';
import type { WorkerDefinition } from './workers.ts';

/** A figure that a person has set in place of the computed one. */
export interface Override<Value> {
  readonly to: Value;
  /** Why, in a sentence: the plan prints it beside the figure. */
  readonly because: string;
}

/** Every figure that `lib/capacity` decides, by section. */
export type Figures = StageSize & { readonly alarms: AlarmThresholds };

/** `[name, type]` of each figure, such as `['service.maximumTasks', number]`. */
type NamedFigures = {
  [Section in keyof Figures & string]: {
    [Key in keyof Figures[Section] & string]: [`${Section}.${Key}`, Figures[Section][Key]];
  }[keyof Figures[Section] & string];
}[keyof Figures & string];

/** Name of a figure, such as `service.maximumTasks` or `alarms.latencySeconds`. */
export type FigureName = NamedFigures[0];
/** The type in `Figure`, a `[name, type]`, if its name is, or has the pattern of, `Name`. */
type ValueIn<Figure, Name> = Figure extends readonly [infer Own, infer Value]
  ? Name extends Own
    ? Value
    : never
  : never;
/** Type of the figure of that name. */
export type FigureValue<Name extends FigureName> = ValueIn<NamedFigures, Name>;

/** Figures that a stage sets itself, by their names in `npm run plan`. */
export type Overrides = { readonly [Name in FigureName]?: Override<FigureValue<Name>> };

const WORKER_SECTION = 'workerConcurrency';

/** The schema of {@link Overrides}; each worker has a name of its own in it. */
export function overridesSchema(workers: readonly WorkerDefinition[]) {
  const { [WORKER_SECTION]: concurrency, ...sections } = stageSize.shape;
  const named: Record<string, z.ZodType> = {};
  for (const [section, schema] of Object.entries({ ...sections, alarms: alarmThresholds })) {
    for (const [key, value] of Object.entries(schema.shape)) named[`${section}.${key}`] = value;
  }
  for (const { name } of workers) named[`${WORKER_SECTION}.${name}`] = concurrency.valueType;
  return z.strictObject(
    Object.fromEntries(
      Object.entries(named).map(([name, value]) => [
        name,
        z
          .strictObject({
            to: value,
            because: z.string('It takes a reason').min(10, 'It takes a reason, in a sentence'),
          })
          .optional(),
      ]),
    ),
  );
}
