import type { StageSize } from '../../config/size.ts';
import { HOURS_PER_MONTH } from '../data/month.ts';
import { prices, SPOT_PRICE_FACTOR } from '../data/prices.ts';
import { type Load, vcpusFor } from '../load/load.ts';
import { type CostLine, costLine, scaledPrice } from './cost-line.ts';

const UNITS_PER_VCPU = 1_024;
const MEBIBYTES_PER_GIBIBYTE = 1_024;
const PERCENT = 100;

/**
 * Tasks that run in the mean: those that the load needs at the CPU target, and never fewer than the least.
 *
 * @param trafficPercent - share of `load` that is for the service.
 */
export function meanTasks(
  service: StageSize['service'],
  load: Load,
  trafficPercent = PERCENT,
): number {
  const perTask = (service.cpuUnits / UNITS_PER_VCPU) * (service.cpuTargetPercent / PERCENT);
  const vcpus = (vcpusFor(load) * trafficPercent) / PERCENT;
  return Math.max(service.minimumTasks, vcpus / perTask);
}

/** What the tasks of one service cost a month: `service` is its size, `load` that of all services. */
export function serviceCost(
  service: StageSize['service'],
  load: Load,
  trafficPercent = PERCENT,
): CostLine[] {
  const tasks = meanTasks(service, load, trafficPercent);
  const spot = ((tasks - service.minimumTasks) * service.spotPercent) / PERCENT;
  const vcpus = service.cpuUnits / UNITS_PER_VCPU;
  const gibibytes = service.memoryMebibytes / MEBIBYTES_PER_GIBIBYTE;
  const lines = (what: string, count: number, factor: number): CostLine[] =>
    count === 0
      ? []
      : [
          costLine(
            'service',
            `vCPUs${what}`,
            count * vcpus * HOURS_PER_MONTH,
            scaledPrice(prices.fargateVcpu, factor),
          ),
          costLine(
            'service',
            `memory${what}`,
            count * gibibytes * HOURS_PER_MONTH,
            scaledPrice(prices.fargateMemory, factor),
          ),
        ];
  return [...lines('', tasks - spot, 1), ...lines(' on Spot', spot, SPOT_PRICE_FACTOR)];
}
