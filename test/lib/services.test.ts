import { describe, expect, it } from 'vitest';
import { standardParts } from '../../lib/capacity/load/parts.ts';
import { sizeOfService, totalTasks } from '../../lib/capacity/load/service-share.ts';
import { planStage } from '../../lib/capacity/size/size-stage.ts';
import { ConfigurationError } from '../../lib/config/configuration-error.ts';
import { type ServiceDefinition, services } from '../../lib/config/services.ts';
import { million } from '../../lib/config/stages/million.ts';
import { production } from '../../lib/config/stages/production.ts';
import { validateServices } from '../../lib/config/validate-services.ts';

const [first] = services;
if (first === undefined) throw new Error('There is no service to alter.');
const userApi: ServiceDefinition = { ...first, trafficPercent: 100 };
const reports: ServiceDefinition = {
  ...userApi,
  name: 'reports',
  pathPatterns: ['/reports/*'],
  priority: 200,
};
const shared = (percent: number): readonly ServiceDefinition[] => [
  { ...userApi, trafficPercent: 100 - percent },
  { ...reports, trafficPercent: percent },
];

/** What the list `definitions` is refused with. */
function refusal(definitions: readonly ServiceDefinition[]): string {
  try {
    validateServices(definitions);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  throw new Error('Nothing was refused.');
}

describe('a service', () => {
  it('of those that exist, validated, is as it was', () => {
    expect(validateServices(services)).toBe(services);
  });

  it.each([
    [{ pathPatterns: [] }, 'It takes at least one path.'],
    [{ pathPatterns: ['/a', '/b', '/c', '/d', '/e', '/f'] }, 'It takes at most 5 paths'],
    [{ pathPatterns: ['api'] }, 'It takes a path that begins with /.'],
    [
      { entry: 'services/user-api/mian.ts' },
      'entry got "services/user-api/mian.ts". There is no such file',
    ],
    [
      { dockerfile: 'Dockerfile' },
      'Service "user-api": dockerfile got "Dockerfile". There is no such file',
    ],
    [{ priority: 0 }, 'It takes a whole number from 1 to 50000.'],
    [{ trafficPercent: undefined }, 'trafficPercent got nothing. It takes a number'],
    [
      { trafficPrecent: 5 },
      'There is no key in it "trafficPrecent". Did you mean "trafficPercent"',
    ],
  ])('with %j, validated, says what it takes', (change, message) => {
    expect(refusal([Object.assign({ ...userApi }, change)])).toContain(message);
  });

  it('beside one with the same name, path and priority, is refused for each of them', () => {
    const half = { ...userApi, trafficPercent: 50 };
    expect(refusal([half, half]).split('\n')).toEqual([
      'Several services have the name user-api; they must differ.',
      'Several services have the priority 100; they must differ.',
      ...userApi.pathPatterns.map(
        (path) => `Several services have the path ${path}; they must differ.`,
      ),
    ]);
  });

  it('beside one that has all of the traffic already, is refused with the sum', () => {
    expect(refusal([userApi, { ...reports, trafficPercent: 20 }])).toBe(
      "trafficPercent of all services adds up to 120 (user-api 100 + reports 20). It takes 100: each has its share of the stage's workload.",
    );
  });
});

describe('the size of a service', () => {
  const { service } = planStage(million).stage.size;

  it('with all of the traffic, is that of the stage', () => {
    expect(sizeOfService(service, userApi)).toEqual(service);
  });

  it.each([5, 10, 50])('with %d percent of the traffic, has its share of the tasks', (percent) => {
    const share = sizeOfService(service, { trafficPercent: percent });
    expect(share.maximumTasks).toBe(Math.ceil((service.maximumTasks * percent) / 100));
    expect(share.minimumTasks).toBe(
      Math.max(service.redundantTasks, Math.ceil((service.minimumTasks * percent) / 100)),
    );
    expect(share).toMatchObject({
      cpuUnits: service.cpuUnits,
      databasePoolSize: service.databasePoolSize,
      requestsPerTaskPerMinute: service.requestsPerTaskPerMinute,
    });
  });

  it('with next to none of it, survives the loss of a zone all the same, and has room to grow', () => {
    const small = sizeOfService(service, { trafficPercent: 0.1 });
    expect([small.minimumTasks, small.maximumTasks]).toEqual([3, 6]);
  });

  it('of a stage with an event, is ready for its share of it', () => {
    const { service: ofProduction } = planStage(production).stage.size;
    const [whole] = ofProduction.events;
    const [half] = sizeOfService(ofProduction, { trafficPercent: 50 }).events;
    expect(half?.minimumTasks).toBe(Math.ceil((whole?.minimumTasks ?? 0) / 2));
  });
});

describe('a stage with two services', () => {
  const alone = planStage(million);
  const both = planStage(million, { ...standardParts, services: shared(20) });
  const tasks = (plan: typeof alone, name: string) =>
    plan.quotas.find(({ quota }) => quota.name === name)?.needed ?? 0;

  it('compared with one that answers everything itself, has as many tasks, not twice as many', () => {
    const { service } = alone.stage.size;
    const { maximum, largest } = totalTasks(service, shared(20));
    expect(maximum - service.maximumTasks).toBeLessThanOrEqual(1);
    expect(largest).toBe(Math.ceil(service.maximumTasks * 0.8));
    const quota = 'Fargate On-Demand vCPU resource count';
    expect(tasks(alone, quota)).toBeGreaterThan(0);
    expect(tasks(both, quota) / tasks(alone, quota)).toBeCloseTo(1, 1);
  });

  it('compared with one that answers everything itself, costs about as much', () => {
    expect(both.cost.monthly / alone.cost.monthly).toBeCloseTo(1, 2);
  });
});
