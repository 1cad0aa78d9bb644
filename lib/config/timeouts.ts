import { throwProblems } from './configuration-error.ts';

/** How long each part waits, in seconds; {@link checkTimeouts} says why they are in this order. */
export interface Timeouts {
  /** A client gives up on a response; what we tell the writers of clients. */
  readonly client: number;
  /** PostgreSQL cancels a statement of the service. */
  readonly databaseStatement: number;
  /** The service gives up on a request, and responds with 503. */
  readonly serviceRequest: number;
  /** The load balancer gives up on a response, or closes an idle connection. */
  readonly loadBalancerIdle: number;
  /** CloudFront keeps an idle connection to the load balancer. */
  readonly edgeKeepAlive: number;
  /** CloudFront gives up on a response of the load balancer. 60 is the most without a quota increase. */
  readonly edgeRead: number;
  /** The service keeps an idle connection of the load balancer. */
  readonly serviceKeepAlive: number;
  /** Between two health checks of a target. */
  readonly healthCheckInterval: number;
  /** Failed health checks in a row that take a target out. */
  readonly healthCheckFailures: number;
  /** The load balancer lets requests to a target that leaves finish. */
  readonly deregistrationDelay: number;
  /** After SIGTERM, the service goes on serving with readiness failing. */
  readonly shutdownDelay: number;
  /** After that, it lets requests finish. */
  readonly shutdownTimeout: number;
  /** ECS kills a container that has not stopped; 120 is Fargate's most. */
  readonly containerStop: number;
}

/** Room for closing pools and queues after the last request, in seconds. */
const CLOSE_SECONDS = 10;
const MAXIMUM_CONTAINER_STOP_SECONDS = 120;

export const timeouts: Timeouts = {
  client: 60,
  databaseStatement: 2,
  serviceRequest: 10,
  loadBalancerIdle: 50,
  edgeKeepAlive: 45,
  edgeRead: 55,
  serviceKeepAlive: 72,
  healthCheckInterval: 5,
  healthCheckFailures: 2,
  deregistrationDelay: 30,
  shutdownDelay: 15,
  shutdownTimeout: 20,
  containerStop: 60,
};

/**
 * Checks that every part waits longer than the one behind it, so that the error comes from the part that knows most; that
 * every server keeps idle connections longer than its client does, as a client's request on a connection that the server is
 * just closing is lost (a 502); and that a task that stops is out of the load balancer before it stops serving.
 *
 * @throws ConfigurationError naming each pair that is out of order.
 */
export function checkTimeouts(chain: Timeouts): Timeouts {
  const problems: string[] = [];
  const longer = (
    longerName: keyof Timeouts,
    least: number,
    leastName: string,
    reason: string,
  ): void => {
    if (chain[longerName] > least) return;
    problems.push(
      `Timeout ${longerName} is ${chain[longerName]} s; it must be longer than ${leastName} (${least} s): ${reason}.`,
    );
  };
  const wait = 'each part must outwait the one behind it, which knows what went wrong';
  longer('serviceRequest', chain.databaseStatement, 'databaseStatement', wait);
  longer('loadBalancerIdle', chain.serviceRequest, 'serviceRequest', wait);
  longer('edgeRead', chain.loadBalancerIdle, 'loadBalancerIdle', wait);
  longer('client', chain.edgeRead, 'edgeRead', wait);
  const idle = 'a server that closes idle connections first loses the request that is on its way';
  longer('loadBalancerIdle', chain.edgeKeepAlive, 'edgeKeepAlive', idle);
  longer('serviceKeepAlive', chain.loadBalancerIdle, 'loadBalancerIdle', idle);
  longer(
    'shutdownDelay',
    chain.healthCheckInterval * chain.healthCheckFailures,
    'healthCheckInterval × healthCheckFailures',
    'a task told to stop out of turn (Spot) serves until the load balancer has seen it fail',
  );
  longer(
    'shutdownTimeout',
    chain.serviceRequest,
    'serviceRequest',
    'a request that began before the task was told to stop may take that long',
  );
  longer(
    'deregistrationDelay',
    chain.shutdownTimeout,
    'shutdownTimeout',
    'ECS sends SIGTERM after it, so no request may take longer',
  );
  longer(
    'containerStop',
    chain.shutdownDelay + chain.shutdownTimeout + CLOSE_SECONDS,
    `shutdownDelay + shutdownTimeout + ${CLOSE_SECONDS}`,
    'the service must finish before it is killed',
  );
  if (chain.containerStop > MAXIMUM_CONTAINER_STOP_SECONDS) {
    problems.push(
      `Timeout containerStop is ${chain.containerStop} s; Fargate takes at most ${MAXIMUM_CONTAINER_STOP_SECONDS} s.`,
    );
  }
  throwProblems(problems);
  return chain;
}
