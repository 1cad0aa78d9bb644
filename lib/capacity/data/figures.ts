import type { FigureName, FigureValue, Overrides } from '../../config/overrides.ts';

/** A figure of the plan, and why it is what it is. */
export interface Figure {
  readonly name: FigureName;
  readonly value: unknown;
  /** How it came about, in words and figures. */
  readonly why: string;
  /** What it was computed to be, where the stage overrides it. */
  readonly computed?: unknown;
}

/**
 * Collects the figures of a stage as they are decided, in the order in which they depend on each other: what follows from an
 * overridden figure follows from the override.
 */
export class FigureBook {
  private readonly overrides: Overrides;
  private readonly decided = new Map<FigureName, Figure>();

  constructor(overrides: Overrides) {
    this.overrides = overrides;
  }

  /** Every figure so far, in order. */
  get figures(): readonly Figure[] {
    return [...this.decided.values()];
  }

  /** Decides the figure `name`: what the stage sets it to, or else `value`. */
  decide<Name extends FigureName>(
    name: Name,
    value: FigureValue<Name>,
    why: string,
  ): FigureValue<Name> {
    const override = this.overrides[name];
    if (override === undefined) {
      this.decided.set(name, { name, value, why });
      return value;
    }
    const to = override.to as FigureValue<Name>;
    this.decided.set(name, { name, value: to, why: override.because, computed: value });
    return to;
  }
}
