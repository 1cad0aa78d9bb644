const GIBIBYTE = 1_024;

/**
 * The memory that Fargate gives a task of each CPU size, in MiB: from, to, in steps of
 * (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html).
 */
const fargateMemory: ReadonlyMap<number, readonly [from: number, to: number, step: number]> =
  new Map([
    [512, [GIBIBYTE, 4 * GIBIBYTE, GIBIBYTE]],
    [1_024, [2 * GIBIBYTE, 8 * GIBIBYTE, GIBIBYTE]],
    [2_048, [4 * GIBIBYTE, 16 * GIBIBYTE, GIBIBYTE]],
    [4_096, [8 * GIBIBYTE, 30 * GIBIBYTE, GIBIBYTE]],
    [8_192, [16 * GIBIBYTE, 60 * GIBIBYTE, 4 * GIBIBYTE]],
    [16_384, [32 * GIBIBYTE, 120 * GIBIBYTE, 8 * GIBIBYTE]],
  ]);
/** The smallest size is the only one whose memory does not go in steps. */
const SMALLEST_CPU_UNITS = 256;
const smallestMemory = [512, GIBIBYTE, 2 * GIBIBYTE];

/** Why Fargate has no task of that size, or undefined when it has one. */
export function findFargateProblem(cpuUnits: number, memoryMebibytes: number): string | undefined {
  if (cpuUnits === SMALLEST_CPU_UNITS) {
    if (smallestMemory.includes(memoryMebibytes)) return undefined;
    return `Fargate gives ${cpuUnits} CPU units ${smallestMemory.join(', ')} MiB`;
  }
  const range = fargateMemory.get(cpuUnits);
  if (range === undefined) {
    return `Fargate has no ${cpuUnits} CPU units, but ${[SMALLEST_CPU_UNITS, ...fargateMemory.keys()].join(', ')}`;
  }
  const [from, to, step] = range;
  if (memoryMebibytes >= from && memoryMebibytes <= to && memoryMebibytes % step === 0) {
    return undefined;
  }
  return `Fargate gives ${cpuUnits} CPU units ${from} to ${to} MiB in steps of ${step}`;
}

/** The least memory, in MiB, that Fargate gives a task of `cpuUnits` and that is at least `needed`; undefined when it gives none. */
export function leastFargateMemory(cpuUnits: number, needed: number): number | undefined {
  if (cpuUnits === SMALLEST_CPU_UNITS) return smallestMemory.find((memory) => memory >= needed);
  const range = fargateMemory.get(cpuUnits);
  if (range === undefined) return undefined;
  const [from, to, step] = range;
  const memory = Math.max(from, Math.ceil(needed / step) * step);
  return memory <= to ? memory : undefined;
}
