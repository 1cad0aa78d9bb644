import type { StageSize } from '../../config/size.ts';
import type { StageDefinition } from '../../config/stage.ts';
import type { FigureBook } from '../data/figures.ts';
import { rounded } from '../data/rounded.ts';
import { unitCosts } from '../data/unit-costs.ts';
import type { PlannedLoad } from '../load/load.ts';

const SECONDS_PER_HOUR = 3_600;
const GIBIBYTE = 1_024 ** 3;
/** A capacity unit of a load balancer takes 1 GB an hour (https://aws.amazon.com/elasticloadbalancing/pricing/). */
const GIBIBYTES_PER_CAPACITY_UNIT = 1;
/** AWS reserves no less than this many (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/capacity-unit-reservation.html). */
const LEAST_RESERVATION = 100;
/** One address may ask for 33 requests a second for 5 minutes: an office behind one address, not a flood. */
const REQUESTS_PER_ADDRESS = 10_000;
/** People behind one address log in, too; whoever tries passwords needs many more. */
const LOGINS_PER_ADDRESS = 100;

/** Bytes that pass the load balancer in an hour of `requests` a second, in GiB. */
export function loadBalancerGibibytesPerHour(requests: number, payloadBytes: number): number {
  return (requests * (payloadBytes + unitCosts.headerBytes.value) * SECONDS_PER_HOUR) / GIBIBYTE;
}

/** Sizes what is in front of the service. */
export function sizeEdge(
  book: FigureBook,
  { policy, workload }: StageDefinition,
  load: PlannedLoad,
): Pick<StageSize, 'edge' | 'loadBalancer'> {
  const units =
    loadBalancerGibibytesPerHour(load.mean.origin, workload.payloadBytes) /
    GIBIBYTES_PER_CAPACITY_UNIT;
  return {
    loadBalancer: {
      reservedCapacityUnits: book.decide(
        'loadBalancer.reservedCapacityUnits',
        units < LEAST_RESERVATION ? 0 : Math.floor(units),
        `the mean load uses ${rounded(units)}, which are paid for anyway; below ${LEAST_RESERVATION} there is nothing to reserve`,
      ),
    },
    edge: {
      priceClass: book.decide('edge.priceClass', policy.edge.priceClass, 'policy: where users are'),
      originShield: book.decide(
        'edge.originShield',
        policy.edge.originShield,
        'policy: one more cache in front of the load balancer',
      ),
      requestsPerAddress: book.decide(
        'edge.requestsPerAddress',
        REQUESTS_PER_ADDRESS,
        `${rounded(REQUESTS_PER_ADDRESS / 300)} requests/s for 5 minutes: an office behind one address, not a flood`,
      ),
      loginsPerAddress: book.decide(
        'edge.loginsPerAddress',
        LOGINS_PER_ADDRESS,
        'people behind one address log in, too; whoever tries passwords needs many more',
      ),
    },
  };
}
