import type { OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnvironment } from '../http/environment.ts';
import { deprecationOf } from './deprecation.ts';
import { bodyExamples } from './examples.ts';
import { requestHeaders, responseHeaderNames, responseHeaders } from './headers.ts';
import { introduction } from './introduction.ts';
import { limitSchemas } from './limits.ts';
import { METHODS, type OpenApiDocument, type OperationObject } from './open-api.ts';
import { operationDetails, tags } from './operation-details.ts';
import { describeParameter } from './parameters.ts';
import { describeProblems } from './problem-responses.ts';
import { securitySchemes } from './security-schemes.ts';

/** Of the contract, not of the program: raised with each change that clients can see. `docs/client.md` has the rules. */
export const CONTRACT_VERSION = '1.0.0';

export interface DocumentOptions {
  /** The public URL of the API, without a slash at its end. */
  readonly publicUrl: string;
  /** Further paths that answer as a path of the document does, by that path. */
  readonly aliases: Readonly<Record<string, readonly string[]>>;
}

function complete(operation: OperationObject, method: string, path: string): OperationObject {
  const name = `${method.toUpperCase()} ${path}`;
  const details = operationDetails[name];
  if (details === undefined) {
    throw new Error(
      `${name} is not in the reference. Add it to services/user-api/reference/operation-details.ts.`,
    );
  }
  const { description, operationId, requestHeaders: heeded = [], tag } = details;
  const parameters = [
    ...(operation.parameters ?? []).map(describeParameter),
    ...heeded.map((header) => ({ $ref: `#/components/parameters/${header}` })),
  ];
  const isDeprecated = deprecationOf({ method: method as 'get', path }) !== undefined;
  const responses = Object.entries(operation.responses ?? {}).map(([status, response]) => {
    const names = [
      ...Object.keys(response.headers ?? {}),
      ...responseHeaderNames(operationId, status),
    ];
    const headers = Object.fromEntries(
      [...new Set(names)].map((header) => [header, { $ref: `#/components/headers/${header}` }]),
    );
    return [status, describeProblems({ ...response, headers }, Number(status))] as const;
  });
  return {
    operationId,
    tags: [tag],
    summary: operation.summary ?? operationId,
    description,
    ...(isDeprecated ? { deprecated: true } : {}),
    ...(operation.security === undefined ? {} : { security: operation.security }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(operation.requestBody === undefined ? {} : { requestBody: operation.requestBody }),
    responses: Object.fromEntries(responses),
  };
}

/**
 * The OpenAPI 3.1 document of the operations that are mounted on `app`: their paths, parameters, bodies and answers come from the schemas
 * that validate and from the tables that decide, and what only people need from the files beside this one.
 *
 * @throws when an operation is not in `operationDetails`, naming it.
 */
export function createOpenApiDocument(
  app: Pick<OpenAPIHono<ApiEnvironment>, 'getOpenAPI31Document'>,
  { aliases, publicUrl }: DocumentOptions,
): OpenApiDocument {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Headroom user API',
      version: CONTRACT_VERSION,
      description: introduction(aliases),
      license: { name: 'Apache 2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      contact: { name: 'Whoever runs this API', url: `${publicUrl}/docs` },
    },
    servers: [
      { url: '/', description: 'This one: local, test or production', 'x-internal': false },
    ],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    externalDocs: { description: 'Every type of problem', url: `${publicUrl}/problems` },
  });
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation !== undefined) item[method] = complete(operation, method, path);
    }
  }
  document.components = {
    ...document.components,
    headers: responseHeaders,
    parameters: requestHeaders,
    securitySchemes,
  };
  limitSchemas(document);
  bodyExamples(document);
  return document;
}
