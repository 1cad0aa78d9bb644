import { describe, expect, it } from 'vitest';
import { KnownVersions } from '../../../../services/user-api/cache/known-versions.ts';

const FILL_MILLISECONDS = 1_000;

function create(maximum: number) {
  const clock = { now: 5 };
  const knownVersions = new KnownVersions({
    maximum,
    fillMilliseconds: FILL_MILLISECONDS,
    clock: () => clock.now,
  });
  const floors = (...ids: number[]) => ids.map((id) => knownVersions.minimumVersion(id));
  return { clock, knownVersions, floors };
}

describe('HeardVersions', () => {
  it('knows the newest version of each resource, in whatever order they come', () => {
    const { floors, knownVersions } = create(10);
    for (const version of [2, 4, 3]) knownVersions.record(1, version);
    knownVersions.record(2, 1);
    expect(floors(1, 2, 3)).toEqual([4, 1, 0]);
    expect(knownVersions).toMatchObject({ forgotten: 0, completeSince: 5 });
  });

  it('forgets the older half once the younger is full, and says since when it has forgotten nothing', () => {
    const { clock, floors, knownVersions } = create(2);
    knownVersions.record(1, 1);
    clock.now = 10;
    knownVersions.record(2, 1);
    expect(knownVersions).toMatchObject({ forgotten: 1, completeSince: 5 });
    knownVersions.record(3, 1);
    expect(floors(1, 2, 3)).toEqual([1, 1, 1]);
    clock.now = 20;
    // Of the older half: it is in the younger from now on.
    knownVersions.record(2, 2);
    expect(floors(1, 2, 3)).toEqual([0, 2, 1]);
    expect(knownVersions).toMatchObject({ forgotten: 2, completeSince: 10 });
  });

  it('forgets by time, too: a version is remembered for the time of one half at least, and forgotten by the first one after two', () => {
    const { clock, floors, knownVersions } = create(1_000);
    knownVersions.record(1, 1);
    clock.now += FILL_MILLISECONDS - 1;
    knownVersions.record(2, 1);
    expect(knownVersions.forgotten).toBe(0);
    clock.now += 1;
    knownVersions.record(3, 1);
    expect(knownVersions.forgotten).toBe(1);
    expect(floors(1, 2, 3)).toEqual([1, 1, 1]);
    clock.now += FILL_MILLISECONDS;
    knownVersions.record(4, 1);
    expect(floors(1, 2, 3, 4)).toEqual([0, 0, 0, 1]);
  });

  it('with any number of resources, remembers two halves at most', () => {
    const { floors, knownVersions } = create(10);
    for (let id = 1; id <= 1_000; id += 1) {
      knownVersions.record(id, 1);
      // The last ones that were recorded, and at most one other.
      expect(floors(id, id - 9, id - 20)).toEqual([1, id > 9 ? 1 : 0, 0]);
    }
  });

  it('by default counts time by performance.now, and remembers some 65,536 resources', () => {
    const before = performance.now();
    const knownVersions = new KnownVersions();
    expect(knownVersions.completeSince).toBeGreaterThanOrEqual(before);
    for (let id = 1; id < 65_536; id += 1) knownVersions.record(id, 1);
    expect(knownVersions.forgotten).toBe(0);
    knownVersions.record(65_536, 1);
    expect([knownVersions.forgotten, knownVersions.minimumVersion(1)]).toEqual([1, 1]);
  });
});
