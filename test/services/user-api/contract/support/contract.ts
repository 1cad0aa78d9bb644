import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { generalHeaders } from '../../../../../services/user-api/reference/headers.ts';
import {
  METHODS,
  type OpenApiDocument,
  type OperationObject,
} from '../../../../../services/user-api/reference/open-api.ts';

/** One operation of the document. */
export interface DocumentedOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: OperationObject;
}

/** What came back, as far as it is compared with the document. */
export interface ObservedResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

type Node = Record<string, unknown>;

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A copy in which objects with properties have no others. Clients must take fields that they do not know, so the document leaves
 * objects open; what the service sends today must all be documented.
 */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (!isNode(value)) return value;
  const copy: Node = Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, closed(child)]),
  );
  const isSchema = copy.type === 'object' && isNode(copy.properties);
  // Parts of an allOf see only their own properties.
  if (isSchema && copy.additionalProperties === undefined && !('allOf' in copy)) {
    copy.additionalProperties = false;
  }
  if (Array.isArray(copy.allOf)) {
    copy.allOf = copy.allOf.map((part) => {
      if (!isNode(part) || part.additionalProperties !== false) return part;
      const { additionalProperties: _, ...open } = part;
      return open;
    });
  }
  return copy;
}

const pointer = (...parts: string[]) =>
  parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

function shown(errors: ErrorObject[] | null | undefined): string {
  return (errors ?? [])
    .map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    )
    .join('; ');
}

/** The document, as what answers are compared with. */
export class Contract {
  readonly operations: readonly DocumentedOperation[];
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
  readonly #validators = new Map<string, ValidateFunction>();
  /** `METHOD /path status` of every response that was checked. */
  readonly seen = new Set<string>();

  constructor(document: OpenApiDocument) {
    formats.default(this.#ajv);
    this.#ajv.addSchema(closed(document) as object, 'openapi');
    this.operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
      METHODS.flatMap((method) => {
        const operation = item[method];
        return operation === undefined ? [] : [{ method: method.toUpperCase(), path, operation }];
      }),
    );
  }

  /** @throws when the document has no such operation. */
  operation(operationId: string): DocumentedOperation {
    const found = this.operations.find(({ operation }) => operation.operationId === operationId);
    if (found === undefined) throw new Error(`The document has no operation ${operationId}`);
    return found;
  }

  /**
   * Everything about a response that the document does not allow; empty when there is nothing.
   *
   * @param method - the one that was sent; HEAD is compared with GET, without its body.
   */
  faults(
    { operation, path, method }: DocumentedOperation,
    answer: ObservedResponse,
    sent = method,
  ): string[] {
    const status = String(answer.status);
    const response = operation.responses?.[status];
    this.seen.add(`${method} ${path} ${status}`);
    if (response === undefined) return [`status ${status} is not documented: ${answer.text}`];
    const documented = new Set([
      ...Object.keys(response.headers ?? {}).map((name) => name.toLowerCase()),
      ...generalHeaders,
    ]);
    const faults = [...answer.headers.keys()]
      .filter((name) => !documented.has(name))
      .map((name) => `the header ${name} is not documented for ${status}`);
    if (sent === 'HEAD') return faults;
    const content: Record<string, unknown> = response.content ?? {};
    const [mediaType = ''] = (answer.headers.get('content-type') ?? '').split(';');
    if (Object.keys(content).length === 0) {
      return answer.text === '' ? faults : [...faults, `status ${status} has a body`];
    }
    if (!(mediaType in content)) {
      return [...faults, `${mediaType} is not documented for ${status}`];
    }
    const body: unknown = mediaType.endsWith('json') ? JSON.parse(answer.text) : answer.text;
    const validate = this.#validator(
      pointer(
        'paths',
        path,
        method.toLowerCase(),
        'responses',
        status,
        'content',
        mediaType,
        'schema',
      ),
    );
    if (!validate(body))
      faults.push(`${status}: ${shown(validate.errors)} in ${answer.text.slice(0, 500)}`);
    return faults;
  }

  /** Whether a body is one that the operation takes, by the document. */
  takes({ method, path }: DocumentedOperation, mediaType: string, body: unknown): boolean {
    const validate = this.#validator(
      pointer('paths', path, method.toLowerCase(), 'requestBody', 'content', mediaType, 'schema'),
    );
    return validate(body);
  }

  #validator(place: string): ValidateFunction {
    let validate = this.#validators.get(place);
    if (validate === undefined) {
      validate = this.#ajv.compile({
        $ref: `openapi#${place.replaceAll('{', '%7B').replaceAll('}', '%7D')}`,
      });
      this.#validators.set(place, validate);
    }
    return validate;
  }
}
