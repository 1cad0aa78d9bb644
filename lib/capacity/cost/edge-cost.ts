import type { StageSize } from '../../config/size.ts';
import { gigabytesAMonth, HOURS_PER_MONTH, millionsAMonth } from '../data/month.ts';
import { cloudFrontTransfer, type Price, prices } from '../data/prices.ts';
import { unitCosts } from '../data/unit-costs.ts';
import type { Load } from '../load/load.ts';
import { type CostLine, costLine } from './cost-line.ts';

const GIBIBYTE = 1_024 ** 3;
const SECONDS_PER_HOUR = 3_600;
/** Rules of the firewall; a test counts those of the templates. */
export const FIREWALL_RULES = 7;
/** Of the headers of a request and its response, those of the response are half. */
const RESPONSE_SHARE = 0.5;

/** Dollars for `gigabytes` a month to viewers, through the steps of the price. */
function transferDollars(gigabytes: number): number {
  return cloudFrontTransfer.reduce((sum, [from, dollars], index) => {
    const until = cloudFrontTransfer[index + 1]?.[0] ?? Number.POSITIVE_INFINITY;
    return sum + Math.max(0, Math.min(gigabytes, until) - from) * dollars;
  }, 0);
}

/** What CloudFront, the firewall and the load balancer cost a month. */
export function edgeCost(
  size: Pick<StageSize, 'edge' | 'loadBalancer'>,
  load: Load,
  payloadBytes: number,
): CostLine[] {
  const responseBytes = payloadBytes + unitCosts.headerBytes.value * RESPONSE_SHARE;
  const gigabytes = gigabytesAMonth(load.requests, responseBytes);
  const transfer: Price = {
    dollars: gigabytes === 0 ? 0 : transferDollars(gigabytes) / gigabytes,
    per: 'GB to viewers, mean of its steps',
    source: prices.cloudFrontRequests.source,
  };
  const requests = millionsAMonth(load.requests);
  const capacity =
    (load.origin * SECONDS_PER_HOUR * (payloadBytes + unitCosts.headerBytes.value)) / GIBIBYTE;
  return [
    costLine('edge', 'requests', requests, prices.cloudFrontRequests),
    costLine('edge', 'data to viewers', gigabytes, transfer),
    ...(size.edge.originShield
      ? [
          costLine(
            'edge',
            'origin shield',
            millionsAMonth(load.origin - load.writes),
            prices.originShieldRequests,
          ),
        ]
      : []),
    costLine('firewall', 'web ACL', 1, prices.webAcl),
    costLine('firewall', 'rules', FIREWALL_RULES, prices.webAclRule),
    costLine('firewall', 'requests', requests, prices.webAclRequests),
    costLine('load balancer', 'load balancer', HOURS_PER_MONTH, prices.loadBalancer),
    costLine(
      'load balancer',
      'capacity',
      Math.max(capacity, size.loadBalancer.reservedCapacityUnits) * HOURS_PER_MONTH,
      prices.loadBalancerCapacity,
    ),
  ];
}
