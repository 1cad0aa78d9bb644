import { z } from 'zod';
import { listOf, urlOf, variable, wholeNumber } from '../variable.ts';

const httpUrl = urlOf('http:', 'https:');

/** How the API is reached, what it takes, and how it ends. */
export const httpVariables = {
  HOST: variable({
    type: z.string().default('127.0.0.1'),
    description:
      'Address the API listens on: loopback unless told otherwise; `0.0.0.0` in the container.',
    takes: 'an IP address or a host name',
    readBy: ['user-api', 'start'],
  }),
  PORT: variable({
    type: wholeNumber(0, 65_535).default(3000),
    description: 'Port the API listens on; 0 takes any free one.',
    takes: 'a whole number from 0 to 65535',
    readBy: ['user-api', 'start'],
  }),
  TRUSTED_PROXY_HOPS: variable({
    type: wholeNumber(0, 10).default(0),
    description:
      'Proxies in front of the API that each append to X-Forwarded-For the address that called them; the client is looked for so many entries from the right. 0: the header is not read, and the address of the socket counts. Behind CloudFront and a load balancer: 2.',
    takes: 'a whole number from 0 to 10',
    readBy: ['user-api'],
  }),
  TRUSTED_PROXY_NETWORKS: variable({
    type: listOf(z.union([z.cidrv4(), z.cidrv6()])),
    description:
      'Networks that those proxies call from, separated by commas: an entry of X-Forwarded-For is believed only if it was appended by a hop in one of them. Unset: hops are only counted.',
    takes: 'one or more networks such as 10.0.0.0/16 or 2001:db8::/56, separated by commas',
    readBy: ['user-api'],
  }),
  CORS_ALLOWED_ORIGINS: variable({
    type: listOf(
      z.string().refine((text) => httpUrl.safeParse(text).success && new URL(text).origin === text),
    ),
    description:
      'Web origins whose pages may call the API from a browser, separated by commas. Unset: those of other origins may not.',
    takes:
      'one or more origins such as https://www.example.com, without a path, separated by commas',
    readBy: ['user-api'],
  }),
  REQUEST_BODY_LIMIT_BYTES: variable({
    type: wholeNumber(1_024, 10_485_760).default(65_536),
    description: 'Largest request body that is read, in bytes; a larger one is answered with 413.',
    takes: 'a whole number from 1024 to 10485760',
    readBy: ['user-api'],
  }),
  REQUEST_HEADERS_TIMEOUT_MILLISECONDS: variable({
    type: wholeNumber(100, 60_000).default(10_000),
    description:
      'Longest that a client may take to send the headers of a request, in milliseconds; one that trickles them is answered with 408 within a fifth more, and the connection is closed. A client has as long for the rest of a body that was refused, and, on top of the deadline, to take a response.',
    takes: 'a whole number from 100 to 60000',
    readBy: ['user-api'],
  }),
  REQUEST_DEADLINE_MILLISECONDS: variable({
    type: wholeNumber(1, 600_000).default(10_000),
    description:
      'Longest that a request may take, in milliseconds, from the end of its headers; then it is answered with 503, or 408 if its body is not there yet.',
    takes: 'a whole number from 1 to 600000',
    readBy: ['user-api'],
  }),
  KEEP_ALIVE_TIMEOUT_MILLISECONDS: variable({
    type: wholeNumber(0, 600_000).default(72_000),
    description:
      'How long an idle client connection stays open, in milliseconds. It must be longer than the idle timeout of the load balancer in front (60 s), or clients see 502s.',
    takes: 'a whole number from 0 to 600000',
    readBy: ['user-api'],
  }),
  SHUTDOWN_DELAY_MILLISECONDS: variable({
    type: wholeNumber(0, 300_000).default(5_000),
    description:
      'How long the service goes on answering after SIGTERM with readiness failing, in milliseconds, so that a load balancer can take it out first; each response closes its connection. It must be longer than the interval of its health checks times the failures that take a target out, or requests fail with 502: 10 s behind the load balancer of the stacks, which set 15000. 0 with `npm start`, which has one process.',
    takes: 'a whole number from 0 to 300000',
    readBy: ['user-api'],
  }),
  SHUTDOWN_TIMEOUT_MILLISECONDS: variable({
    type: wholeNumber(100, 300_000).default(10_000),
    description:
      'Longest that requests in flight are waited for after the delay, in milliseconds, before connections are cut.',
    takes: 'a whole number from 100 to 300000',
    readBy: ['user-api'],
  }),
} as const;
