import fc from 'fast-check';
import type {
  OpenApiDocument,
  SchemaObject,
} from '../../../../../services/user-api/reference/open-api.ts';
import type { DocumentedOperation } from './contract.ts';

/** A request that a client may send, well-made or not. */
export interface AnyRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer> | undefined;
}

type Schema = SchemaObject | { $ref: string };

/** Text with everything that text can have: NUL, lone surrogates, controls, emoji, markup. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 120 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 10 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '\ud800',
    '\u202e',
    "'; drop table users; --",
    'é'.repeat(101),
  ),
);

/** What a header may hold; a client's own library refuses the rest. */
const anyHeader = fc
  .oneof(
    fc.string({ maxLength: 40 }),
    fc.constantFrom(
      '*',
      '"v1"',
      'W/"v1"',
      '"v0"',
      '"v2147483648"',
      '"v1", "v2"',
      '"',
      'application/json',
    ),
  )
  .map((text) => text.replace(/[^\x21-\x7e ]/g, '').trim());

function resolve(document: OpenApiDocument, schema: Schema): SchemaObject {
  if (!('$ref' in schema) || schema.$ref === undefined) return schema as SchemaObject;
  const name = schema.$ref.replace('#/components/schemas/', '');
  return resolve(document, document.components?.schemas?.[name] ?? {});
}

function textOf({ format, maxLength = 50, minLength = 0 }: SchemaObject): fc.Arbitrary<string> {
  if (format === 'email') return fc.uuid().map((id) => `${id}@example.com`);
  return fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 60) });
}

/** Requests to paths of all kinds, the known ones among them, with methods of all kinds, but for those that such a path takes bodies with. */
export function anyRequest(knownPaths: readonly string[]): fc.Arbitrary<AnyRequest> {
  return fc
    .record({
      method: fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE', 'PURGE'),
      path: fc.oneof(
        fc.webPath().map((path) => `/${path.replace(/^\/+/, '')}`),
        fc.webPath().map((path) => `/api${path}`),
        fc.constantFrom(...knownPaths),
        fc
          .tuple(
            fc.constantFrom(...knownPaths),
            fc.constantFrom('/', '//', '?', '?x=%', '%00', ';a'),
          )
          .map(([path, end]) => path + end),
      ),
      headers: fc.dictionary(
        fc.constantFrom('accept', 'range', 'expect-ct', 'te', 'cookie'),
        anyHeader,
        {
          maxKeys: 2,
        },
      ),
    })
    .map(({ headers, method, path }) => ({
      method,
      path,
      headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== '')),
      body: undefined,
    }));
}

/** Values that a schema takes. */
function valuesFor(document: OpenApiDocument, given: Schema): fc.Arbitrary<unknown> {
  const schema = resolve(document, given);
  if (schema.enum !== undefined) return fc.constantFrom(...(schema.enum as unknown[]));
  switch (schema.type) {
    case 'string':
      return textOf(schema);
    case 'integer':
      return fc.integer({
        min: Math.max(schema.minimum ?? 0, -(2 ** 31)),
        max: Math.min(schema.maximum ?? 100, 2 ** 31 - 1),
      });
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(valuesFor(document, schema.items ?? {}), { maxLength: schema.maxItems ?? 5 });
    case 'object': {
      const fields = Object.entries(schema.properties ?? {}).map(
        ([name, field]) => [name, valuesFor(document, field)] as const,
      );
      return fc.record(Object.fromEntries(fields), { requiredKeys: schema.required ?? [] });
    }
    default:
      return fc.jsonValue();
  }
}

/** Bodies from what is right to what is not even JSON: near enough to get far, and far enough to break what is careless. */
function bodyOf(document: OpenApiDocument, schema: Schema): fc.Arbitrary<AnyRequest['body']> {
  const right = valuesFor(document, schema);
  const names = Object.keys(resolve(document, schema).properties ?? {});
  const spoilt = fc
    .tuple(
      right,
      fc.oneof(fc.constantFrom('extra', ...names), anyText),
      fc.oneof(fc.jsonValue(), anyText),
    )
    .map(([body, name, value]) => ({ ...(body as object), [name]: value }));
  return fc.oneof(
    { weight: 5, arbitrary: right.map((body) => JSON.stringify(body)) },
    { weight: 4, arbitrary: spoilt.map((body) => JSON.stringify(body)) },
    { weight: 1, arbitrary: fc.jsonValue().map((body) => JSON.stringify(body)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('', '{', '{"a":1e400}', '{"name":1,"name":2}', '{"__proto__":{}}'),
    },
  );
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema?: Schema;
}

export interface InputOptions {
  /** Values that lead to something, by the parameter's name. */
  readonly known: Readonly<Record<string, readonly string[]>>;
  /** Header fields that say who one is, from nobody to an administrator. */
  readonly credentials: readonly Readonly<Record<string, string>>[];
}

/** Requests to one operation, with everything that the document says it heeds, and with what it does not. */
export function requestsTo(
  document: OpenApiDocument,
  { method, operation, path }: DocumentedOperation,
  { credentials, known }: InputOptions,
): fc.Arbitrary<AnyRequest> {
  const parameters = (operation.parameters ?? []).map((parameter) => {
    if (!('$ref' in parameter)) return parameter as Parameter;
    const name = parameter.$ref.replace('#/components/parameters/', '');
    return document.components?.parameters?.[name] as Parameter;
  });
  const inPlace = (place: string) => parameters.filter((parameter) => parameter.in === place);
  const valuesOf = ({ name, schema = {} }: Parameter) =>
    fc.oneof(
      { weight: 3, arbitrary: valuesFor(document, schema).map(String) },
      { weight: 2, arbitrary: anyText },
      { weight: 4, arbitrary: fc.constantFrom(...(known[name] ?? ['1'])) },
    );
  const record = (those: Parameter[], requiredKeys?: string[]) =>
    fc.record(
      Object.fromEntries(those.map((parameter) => [parameter.name, valuesOf(parameter)])),
      requiredKeys === undefined ? {} : { requiredKeys },
    );
  const content =
    operation.requestBody !== undefined && 'content' in operation.requestBody
      ? operation.requestBody.content
      : {};
  const [mediaType, media] = Object.entries(content)[0] ?? [];
  return fc
    .record({
      inPath: record(inPlace('path')),
      inQuery: record(inPlace('query'), []),
      strayQuery: fc.oneof({ weight: 9, arbitrary: fc.constant('') }, fc.webQueryParameters()),
      inHeader: fc.dictionary(
        fc.constantFrom(
          'if-match',
          'if-none-match',
          'idempotency-key',
          'accept-encoding',
          'x-request-id',
          'origin',
          'traceparent',
        ),
        anyHeader,
        { maxKeys: 3 },
      ),
      contentType: fc.oneof(
        { weight: 9, arbitrary: fc.constant(mediaType ?? 'application/json') },
        anyHeader,
      ),
      credential: fc.constantFrom(...credentials),
      body:
        media?.schema === undefined
          ? fc.constant(undefined)
          : bodyOf(document, media.schema as Schema),
    })
    .map(({ body, contentType, credential, inHeader, inPath, inQuery, strayQuery }) => {
      const query = [
        ...Object.entries(inQuery).map(
          ([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`,
        ),
        ...(strayQuery === '' ? [] : [strayQuery]),
      ].join('&');
      const target = path.replace(/\{(\w+)\}/g, (_, name: string) =>
        // An empty part, and dots alone, would be another path.
        encodeURIComponent((inPath[name] ?? '').toWellFormed().replace(/^\.{0,2}$/, '0')),
      );
      return {
        method,
        path: query === '' ? target : `${target}?${query}`,
        headers: {
          ...Object.fromEntries(Object.entries(inHeader).filter(([, value]) => value !== '')),
          ...(body === undefined || contentType === '' ? {} : { 'content-type': contentType }),
          ...credential,
        },
        body,
      };
    });
}
