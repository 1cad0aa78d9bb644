/** Problem details (RFC 9457) that the edge answers itself, in place of the HTML that CloudFront would. */
export interface EdgeProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

/**
 * What CloudFront answers when the load balancer answers nothing, or with its own HTML. The services never answer these two
 * themselves. 503 is theirs, with Retry-After, which a page in its place would hide; CloudFront cannot tell it from the load balancer's
 * own, which comes only while no task at all is registered (docs/decisions/edge-errors.md).
 */
export const edgeProblems: readonly EdgeProblem[] = [
  {
    type: 'about:blank',
    title: 'Bad Gateway',
    status: 502,
    detail:
      'The service broke off before it had answered. A change may have been made: read first.',
  },
  {
    type: 'about:blank',
    title: 'Gateway Timeout',
    status: 504,
    detail: 'The service did not answer in time. A change may have been made: read first.',
  },
];

/** Where in the bucket of static files the problem of that status is. */
export function problemPagePath(status: number): string {
  return `/errors/${status}.json`;
}

/** What the firewall answers instead of passing a request on. */
export const firewallProblems = {
  refused: {
    type: 'about:blank',
    title: 'Forbidden',
    status: 403,
    detail: 'The firewall took the request for an attack.',
  },
  tooManyRequests: {
    type: 'about:blank',
    title: 'Too Many Requests',
    status: 429,
    detail: 'Too many requests came from this address. Try again in some minutes.',
  },
  // As the user API says it, which reads no more either.
  contentTooLarge: {
    type: '/problems/content-too-large',
    title: 'Content too large',
    status: 413,
    detail: 'The body is larger than the API reads.',
  },
} as const satisfies Record<string, EdgeProblem>;

export type FirewallProblemName = keyof typeof firewallProblems;
