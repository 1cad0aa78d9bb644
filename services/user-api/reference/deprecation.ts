import type { Operation } from '../http/operations.ts';

/** When an operation stops being recommended, and when it stops. */
export interface Deprecation {
  /** Sent as `Deprecation` (RFC 9745). */
  readonly since: Date;
  /** Sent as `Sunset` (RFC 8594): it may be removed from then on. @default not planned yet */
  readonly sunset?: Date;
  /** Page about the replacement; sent as `Link` with `rel="deprecation"`. */
  readonly information: string;
}

/**
 * By `METHOD /path`, the operations that are deprecated. An entry sends the header fields and marks the operation in the document; nothing
 * else has to be done. `docs/client.md` has the rules.
 */
export const deprecations: Readonly<Record<string, Deprecation>> = {};

/** The header fields of a deprecated operation's responses, by lower-case name. */
function deprecationHeaders(
  deprecation: Deprecation,
): Readonly<Record<string, string>> & { link: string } {
  const { information, since, sunset } = deprecation;
  return {
    deprecation: `@${Math.floor(since.getTime() / 1_000)}`,
    ...(sunset === undefined ? {} : { sunset: sunset.toUTCString() }),
    link: `<${information}>; rel="deprecation"`,
  };
}

export function deprecationOf(
  { method, path }: Pick<Operation['route'], 'method' | 'path'>,
  table: Readonly<Record<string, Deprecation>> = deprecations,
): Deprecation | undefined {
  return table[`${method.toUpperCase()} ${path}`];
}

/**
 * Puts the header fields of their deprecation on all answers of the operations that `table` names, and leaves the others as they
 * are, at no cost.
 */
export function withDeprecation(
  operations: readonly Operation[],
  table: Readonly<Record<string, Deprecation>> = deprecations,
): Operation[] {
  return operations.map((operation) => {
    const deprecation = deprecationOf(operation.route, table);
    if (deprecation === undefined) return operation;
    const headers = deprecationHeaders(deprecation);
    return {
      route: operation.route,
      handler: async (context) => {
        // On the response of Node.js, which problems go out by as well.
        for (const [name, value] of Object.entries(headers))
          context.env.outgoing.setHeader(name, value);
        const response = await operation.handler(context);
        const own = response.headers.get('link');
        if (own !== null) response.headers.set('link', `${own}, ${headers.link}`);
        return response;
      },
    };
  });
}
