import { z } from 'zod';
import { fraction, keysAndValues, urlOf, variable, wholeNumber } from '../variable.ts';

const httpUrl = urlOf('http:', 'https:');

export const observabilityVariables = {
  LOG_LEVEL: variable({
    type: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    description: 'Least severe level that is logged.',
    takes: 'one of trace, debug, info, warn, error, fatal, silent',
    readBy: ['user-api', 'migrate', 'queue-worker', 'maintenance'],
  }),
  ACCESS_LOG_ONE_HIT_IN: variable({
    type: wholeNumber(1, 1_000_000).default(1_000),
    description:
      'One of so many successful cache hits is logged; 1 logs all of them. All other requests are always logged.',
    takes: 'a whole number from 1 to 1000000',
    readBy: ['user-api'],
  }),
  SLOW_REQUEST_MILLISECONDS: variable({
    type: wholeNumber(1, 600_000).default(500),
    description: 'A request that takes longer, in milliseconds, is logged as a warning.',
    takes: 'a whole number from 1 to 600000',
    readBy: ['user-api'],
  }),
  INTERNAL_HOST: variable({
    type: z.string().default('127.0.0.1'),
    description:
      'Address of the internal port: loopback by default. On AWS, too: the collector of metrics is in the same task.',
    takes: 'an IP address or a host name',
    readBy: ['user-api'],
  }),
  INTERNAL_PORT: variable({
    type: wholeNumber(0, 65_535).optional(),
    description:
      'Internal port, for metrics and, from the machine itself, the log level and diagnostics; 0 takes any free one. Never behind the load balancer. Unset: no internal port; `npm start` takes a free one.',
    takes: 'a whole number from 0 to 65535',
    readBy: ['user-api', 'start'],
    example: '9464',
  }),
  DIAGNOSTICS_DIRECTORY: variable({
    type: z.string().optional(),
    description:
      'Folder for heap snapshots and CPU profiles, which hold personal data and secrets: only this user may read the files. Unset: none can be taken.',
    takes: 'the path of a folder that may be written to',
    readBy: ['user-api'],
    example: '/tmp/diagnostics',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: variable({
    type: httpUrl.optional(),
    description:
      'Collector of traces, by the OpenTelemetry Protocol over HTTP; spans go to `/v1/traces` below it. Unset: no traces are recorded.',
    takes: 'a URL such as http://127.0.0.1:4318',
    readBy: ['user-api', 'queue-worker'],
  }),
  OTEL_EXPORTER_OTLP_HEADERS: variable({
    type: keysAndValues(),
    description: 'Headers for the collector of traces, such as an API key.',
    takes: '<name>=<value>, separated by commas, such as x-api-key=secret',
    readBy: ['user-api', 'queue-worker'],
    secret: true,
  }),
  OTEL_TRACES_SAMPLER_ARG: variable({
    type: fraction().default(0.01),
    description:
      'Fraction of requests that are traced, of those without a sampling decision in `traceparent`. A process records at most 100 traces a second in any case.',
    takes: 'a number from 0 to 1',
    readBy: ['user-api'],
  }),
} as const;
