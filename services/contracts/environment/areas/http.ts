import { z } from 'zod';
import { listOf, urlOf, variable, wholeNumber } from '../variable.ts';

const httpUrl = urlOf('http:', 'https:');

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
      'Number of proxies in front of the API that append to X-Forwarded-For. 0: the address of the socket counts. Behind CloudFront and a load balancer: 2. See docs/rate-limiting.md.',
    takes: 'a whole number from 0 to 10',
    readBy: ['user-api'],
  }),
  TRUSTED_PROXY_NETWORKS: variable({
    type: listOf(z.union([z.cidrv4(), z.cidrv6()])),
    description:
      'Networks of those proxies, separated by commas; entries that others appended are not trusted. Unset: hops are only counted.',
    takes: 'one or more networks such as 10.0.0.0/16 or 2001:db8::/56, separated by commas',
    readBy: ['user-api'],
  }),
  CORS_ALLOWED_ORIGINS: variable({
    type: listOf(
      z.string().refine((text) => httpUrl.safeParse(text).success && new URL(text).origin === text),
    ),
    description:
      'Web origins whose pages may call the API, separated by commas. Unset: only its own.',
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
      'Maximum time for the headers of a request, in milliseconds; a slower client gets 408 within a fifth more. Applies also to the rest of a refused body and, after the deadline, to reading a response.',
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
      'Idle timeout of client connections, in milliseconds; longer than that of the load balancer (60 s), or clients see 502s.',
    takes: 'a whole number from 0 to 600000',
    readBy: ['user-api'],
  }),
  SHUTDOWN_DELAY_MILLISECONDS: variable({
    type: wholeNumber(0, 300_000).default(5_000),
    description:
      'How long the service responds after SIGTERM while readiness fails, in milliseconds, until the load balancer has deregistered it; else requests fail with 502. Longer than the interval of health checks times the failures that deregister (10 s on AWS, where it is 15000). 0 with `npm start`.',
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
