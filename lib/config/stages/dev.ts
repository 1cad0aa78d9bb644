import type { StageConfiguration } from '../stage.ts';

/** As cheap as the whole system goes: two zones, one NAT gateway, smallest sizes, nothing kept for long. */
export const dev: StageConfiguration = {
  name: 'dev',
  region: 'us-east-2',
  availabilityZones: ['a', 'b'],
  protection: 'disposable',
  logRetentionDays: 7,
  contacts: { page: [], ticket: [] },
  email: { domain: 'dev.headroom.example', sender: 'Headroom <no-reply@dev.headroom.example>' },
  size: {
    network: { addressRange: '10.0.0.0/16', natGateways: 1 },
    database: {
      minimumCapacityUnits: 0.5,
      maximumCapacityUnits: 2,
      readers: 1,
      backupRetentionDays: 1,
    },
    cache: { engine: 'valkey', nodeType: 'cache.t4g.micro', replicas: 0, snapshotRetentionDays: 0 },
    service: {
      cpuUnits: 256,
      memoryMebibytes: 512,
      minimumTasks: 1,
      maximumTasks: 4,
      cpuTargetPercent: 70,
      requestsPerTaskPerMinute: 30_000,
      databasePoolSize: 5,
    },
    edge: { priceClass: '100', requestsPerAddress: 10_000 },
  },
  alarms: {
    errorRatePercent: 5,
    errorRateMinimumRequests: 20,
    latencySeconds: 1,
    cpuPercent: 80,
    queueAgeSeconds: 900,
  },
};
