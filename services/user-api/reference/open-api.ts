import type { OpenAPIHono } from '@hono/zod-openapi';

/** An OpenAPI 3.1 document, by the types of the library that makes it. */
export type OpenApiDocument = ReturnType<OpenAPIHono['getOpenAPI31Document']>;
export type Registry = OpenAPIHono['openAPIRegistry'];

type Components = NonNullable<OpenApiDocument['components']>;
type Entry<Name extends keyof Components> = NonNullable<Components[Name]>[string];
type WithoutReference<Value> = Exclude<Value, { $ref: string }>;

export type PathItemObject = NonNullable<OpenApiDocument['paths']>[string];
export type OperationObject = NonNullable<PathItemObject['get']>;
export type ParameterObject = WithoutReference<Entry<'parameters'>>;
export type SchemaObject = WithoutReference<Entry<'schemas'>>;
export type HeadersObject = Record<string, WithoutReference<Entry<'headers'>>>;
export type SecuritySchemeObject = WithoutReference<Entry<'securitySchemes'>>;

/** Methods that a path of a document may have, in the order in which they are shown. */
export const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
