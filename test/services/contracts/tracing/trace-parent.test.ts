import fastCheck from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatTraceParent,
  parseTraceParent,
} from '../../../../services/contracts/tracing/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('parseTraceParent', () => {
  it('reads the example of the recommendation', () => {
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-01`)).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      sampled: true,
    });
  });

  it.each([
    ['00', false],
    ['01', true],
    ['02', false],
    ['03', true],
    ['ff', true],
  ])('takes the flags %s, of which only the last bit is ours, as sampled: %s', (flags, sampled) => {
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-${flags}`)?.sampled).toBe(sampled);
  });

  it('reads a later version with additional fields', () => {
    expect(parseTraceParent(`cc-${TRACE}-${SPAN}-01-what-the-future-brings`)?.traceId).toBe(TRACE);
    expect(parseTraceParent(`cc-${TRACE}-${SPAN}-01`)?.traceId).toBe(TRACE);
  });

  it.each([
    ['nothing', ''],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['the version that is none', `ff-${TRACE}-${SPAN}-01`],
    ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['more than version 00 has', `00-${TRACE}-${SPAN}-01-more`],
    ['more without a hyphen', `cc-${TRACE}-${SPAN}-01more`],
    ['too short a trace', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['blanks around it', ` 00-${TRACE}-${SPAN}-01 `],
    ['no end', `cc-${TRACE}-${SPAN}-01-${'x'.repeat(10_000)}`],
  ])('refuses %s', (_what, text) => {
    expect(parseTraceParent(text)).toBeNull();
  });

  it('reads what formatTraceParent writes, whatever the ids', () => {
    const id = (digits: number) =>
      fastCheck
        .stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`))
        .filter((text) => !/^0+$/.test(text));
    fastCheck.assert(
      fastCheck.property(id(32), id(16), fastCheck.boolean(), (traceId, spanId, sampled) => {
        const parent = { traceId, spanId, sampled };
        expect(parseTraceParent(formatTraceParent(parent))).toEqual(parent);
      }),
    );
  });
});
