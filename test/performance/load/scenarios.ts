/** What the load of a scenario consists of: shares that add up to 1. */
export interface Mix {
  /** GET of one user. */
  readonly read: number;
  /** GET of a page of users. */
  readonly list: number;
  /** POST of a new user. */
  readonly create: number;
  /** PATCH of a user that this run has created. */
  readonly update: number;
}

/** Which users are read: each as likely as any other, a few far more than the rest, or nearly always the same one. */
export type Popularity = 'even' | 'skewed' | 'one';

/** A part of a scenario, with the same load all the way. */
export interface Phase {
  readonly name: string;
  /** Share of the scenario's time. */
  readonly time: number;
  /** Connections in terms of those asked for. */
  readonly load: number;
}

export interface Scenario {
  /** One line for the help and the report. */
  readonly summary: string;
  readonly mix: Mix;
  readonly popularity: Popularity;
  readonly phases: readonly Phase[];
  /** Whether to wait until the service is there, rather than to ask for it at once. @default false */
  readonly waitsForService?: boolean;
}

const READ_MOSTLY: Mix = { read: 0.9, list: 0.08, create: 0.02, update: 0 };
const READ_ONLY: Mix = { read: 1, list: 0, create: 0, update: 0 };

export const scenarios = {
  steady: {
    summary: 'a normal day: mostly reads, the same load all the time',
    mix: READ_MOSTLY,
    popularity: 'skewed',
    phases: [{ name: 'steady', time: 1, load: 1 }],
  },
  spike: {
    summary: 'calm, then suddenly fifteen times as many clients, then calm again',
    mix: READ_MOSTLY,
    popularity: 'skewed',
    phases: [
      { name: 'calm before', time: 0.3, load: 0.2 },
      { name: 'spike', time: 0.3, load: 3 },
      { name: 'calm after', time: 0.4, load: 0.2 },
    ],
  },
  'sale-day': {
    summary: 'clients come in waves up to a peak and go again, and more of them sign up',
    mix: { read: 0.85, list: 0.1, create: 0.05, update: 0 },
    popularity: 'skewed',
    phases: [
      { name: 'morning', time: 0.15, load: 0.25 },
      { name: 'doors open', time: 0.15, load: 1 },
      { name: 'lunch', time: 0.15, load: 0.5 },
      { name: 'peak', time: 0.3, load: 1.5 },
      { name: 'evening', time: 0.15, load: 0.5 },
      { name: 'night', time: 0.1, load: 0.1 },
    ],
  },
  'write-heavy': {
    summary: 'four in ten requests create a user, three change one',
    mix: { read: 0.3, list: 0, create: 0.4, update: 0.3 },
    popularity: 'even',
    phases: [{ name: 'writes', time: 1, load: 1 }],
  },
  'hot-key': {
    summary: 'nearly everybody reads the same user',
    mix: READ_ONLY,
    popularity: 'one',
    phases: [{ name: 'hot key', time: 1, load: 1 }],
  },
  'cold-start': {
    summary:
      'waits for the service to come up, and begins at once with all clients, every user being as likely as any other',
    mix: READ_ONLY,
    popularity: 'even',
    phases: [{ name: 'cold', time: 1, load: 1 }],
    waitsForService: true,
  },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;

export const scenarioNames = Object.keys(scenarios) as readonly ScenarioName[];

export function isScenarioName(name: string): name is ScenarioName {
  return Object.hasOwn(scenarios, name);
}
