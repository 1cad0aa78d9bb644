import { type EndpointService, endpointServices } from '../../config/policy.ts';
import type { StageSize } from '../../config/size.ts';
import type { StageDefinition } from '../../config/stage.ts';
import type { WorkerDefinition } from '../../config/workers.ts';
import type { FigureBook } from '../data/figures.ts';
import { gigabytesAMonth, HOURS_PER_MONTH } from '../data/month.ts';
import { prices } from '../data/prices.ts';
import { rounded } from '../data/rounded.ts';
import type { Load, PlannedLoad } from '../load/load.ts';
import { serviceLogGigabytes, workerLogGigabytes } from '../load/log-volume.ts';
import { messagesPerSecond } from '../load/worker-load.ts';

/** What one message or email is on the wire, with TLS and headers: to the queue, and from there to whoever sends it. */
const BYTES_PER_MESSAGE = 3_000;
const BYTES_PER_EMAIL = 20_000;
/** Images are pulled and secrets read when tasks start: little, and not by request. */
const GIGABYTES_AT_STARTS = 20;

/** GB a month that go to each service. */
function traffic(
  load: Load,
  workers: readonly WorkerDefinition[],
): Readonly<Record<EndpointService, number>> {
  const messages = workers.reduce((sum, worker) => sum + messagesPerSecond(worker, load), 0);
  const emails = workers
    .filter(({ sendsEmail }) => sendsEmail === true)
    .reduce((sum, worker) => sum + messagesPerSecond(worker, load), 0);
  return {
    logs: serviceLogGigabytes(load) + workerLogGigabytes(workers, load),
    sqs: gigabytesAMonth(messages, BYTES_PER_MESSAGE),
    email: gigabytesAMonth(emails, BYTES_PER_EMAIL),
    // Layers come from S3, through its free gateway endpoint; these are manifests and tokens.
    'ecr.api': GIGABYTES_AT_STARTS / 20,
    'ecr.dkr': GIGABYTES_AT_STARTS,
    secretsmanager: GIGABYTES_AT_STARTS / 20,
  };
}

/** GB a month from which an endpoint costs less than the same data through NAT. */
function breakEvenGigabytes(zones: number): number {
  const fixed = zones * HOURS_PER_MONTH * prices.interfaceEndpoint.dollars;
  return fixed / (prices.natGatewayData.dollars - prices.interfaceEndpointData.dollars);
}

/** Sizes the network. */
export function sizeNetwork(
  book: FigureBook,
  { policy, availabilityZones }: StageDefinition,
  load: PlannedLoad,
  workers: readonly WorkerDefinition[],
): StageSize['network'] {
  const { addressRange, natGateways, interfaceEndpoints } = policy.network;
  const breakEven = breakEvenGigabytes(availabilityZones.length);
  const byService = traffic(load.today, workers);
  const cheaper = endpointServices.filter((service) => byService[service] > breakEven);
  const listed = endpointServices.map((service) => `${service} ${rounded(byService[service])}`);
  return {
    addressRange: book.decide('network.addressRange', addressRange, 'policy'),
    natGateways: book.decide(
      'network.natGateways',
      natGateways === 'one' ? 1 : availabilityZones.length,
      `policy: ${natGateways === 'one' ? 'one for all zones' : 'one for each zone'}`,
    ),
    interfaceEndpoints: book.decide(
      'network.interfaceEndpoints',
      interfaceEndpoints === 'where-cheaper' ? cheaper : interfaceEndpoints,
      interfaceEndpoints === 'where-cheaper'
        ? `one costs less than NAT from ${rounded(breakEven)} GB a month on; there are ${listed.join(', ')}`
        : 'policy: as listed',
    ),
  };
}
