import { z } from 'zod';
import { listOf, urlOf, variable, wholeNumber } from '../variable.ts';

const httpUrl = urlOf('http:', 'https:');

/** Listening, limits of requests, and shutdown. */
export const httpVariables = {
  HOST: variable({
    type: z.string().default('127.0.0.1'),
    description:
      'Address that the API listens on: loopback by default; `0.0.0.0` in the container.',
    takes: 'an IP address or a host name',
    readBy: ['user-api', 'start'],
  }),
  PORT: variable({
    type: wholeNumber(0, 65_535).default(3000),
    description: 'Port that the API listens on; 0 takes any free one.',
    takes: 'a whole number from 0 to 65535',
    readBy: ['user-api', 'start'],
  }),
  TRUSTED_PROXY_HOPS: variable({
    type: wholeNumber(0, 10).default(0),
    description:
      'Number of proxies in front of the API that append the address of their client to X-Forwarded-For; the client is that many entries from the right. 0: the header is ignored, and the address of the socket counts. Behind CloudFront and a load balancer: 2.',
    takes: 'a whole number from 0 to 10',
    readBy: ['user-api'],
  }),
  TRUSTED_PROXY_NETWORKS: variable({
    type: listOf(z.union([z.cidrv4(), z.cidrv6()])),
    description:
      'Networks of those proxies, separated by commas: an entry of X-Forwarded-For is trusted only if a proxy in one of them appended it. Unset: hops are only counted.',
    takes: 'one or more networks such as 10.0.0.0/16 or 2001:db8::/56, separated by commas',
    readBy: ['user-api'],
  }),
  CORS_ALLOWED_ORIGINS: variable({
    type: listOf(
      z.string().refine((text) => httpUrl.safeParse(text).success && new URL(text).origin === text),
    ),
    description:
      'Web origins whose pages may call the API from a browser, separated by commas. Unset: none but its own.',
    takes:
      'one or more origins such as https://www.example.com, without a path, separated by commas',
    readBy: ['user-api'],
  }),
  REQUEST_BODY_LIMIT_BYTES: variable({
    type: wholeNumber(1_024, 10_485_760).default(65_536),
    description: 'Maximum size of a request body, in bytes; a larger one gets 413.',
    takes: 'a whole number from 1024 to 10485760',
    readBy: ['user-api'],
  }),
  REQUEST_HEADERS_TIMEOUT_MILLISECONDS: variable({
    type: wholeNumber(100, 60_000).default(10_000),
    description:
      'Maximum time for the headers of a request, in milliseconds; a slower client gets 408 within a fifth more, and the connection is closed. The same limit applies to the rest of a refused body and, after the deadline, to reading a response.',
    takes: 'a whole number from 100 to 60000',
    readBy: ['user-api'],
  }),
  REQUEST_DEADLINE_MILLISECONDS: variable({
    type: wholeNumber(1, 600_000).default(10_000),
    description:
      'Maximum time of a request, in milliseconds, from the end of its headers; then it gets 503, or 408 if its body is incomplete.',
    takes: 'a whole number from 1 to 600000',
    readBy: ['user-api'],
  }),
  KEEP_ALIVE_TIMEOUT_MILLISECONDS: variable({
    type: wholeNumber(0, 600_000).default(72_000),
    description:
      'Idle timeout of client connections, in milliseconds. It must be longer than the idle timeout of the load balancer (60 s), or clients see 502s.',
    takes: 'a whole number from 0 to 600000',
    readBy: ['user-api'],
  }),
  SHUTDOWN_DELAY_MILLISECONDS: variable({
    type: wholeNumber(0, 300_000).default(5_000),
    description:
      'How long the service responds after SIGTERM while readiness fails, in milliseconds, so that the load balancer deregisters it first; each response closes its connection. It must be longer than the interval of the health checks times the failures that deregister a target, or requests fail with 502: 10 s behind the load balancer of the stacks, which set 15000. 0 with `npm start`, which has one process.',
    takes: 'a whole number from 0 to 300000',
    readBy: ['user-api'],
  }),
  SHUTDOWN_TIMEOUT_MILLISECONDS: variable({
    type: wholeNumber(100, 300_000).default(10_000),
    description:
      'Maximum wait for requests in flight after the delay, in milliseconds, before connections are closed.',
    takes: 'a whole number from 100 to 300000',
    readBy: ['user-api'],
  }),
} as const;
