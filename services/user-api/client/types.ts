import type { z } from 'zod';
import type { OperationId, Routes } from './operations.ts';

type Json<Part> = Part extends { content: { 'application/json': { schema: infer Schema } } }
  ? Schema
  : never;
type InputOf<Schema> = Schema extends z.ZodType ? z.input<Schema> : never;
type OutputOf<Schema> = Schema extends z.ZodType ? z.output<Schema> : never;

type BodyIn<Route> = Route extends { request: { body: infer Body } }
  ? { readonly body: InputOf<Json<Body>> }
  : unknown;
type ParametersIn<Route> = Route extends { request: { params: infer Schema } }
  ? { readonly parameters: InputOf<Schema> }
  : unknown;
/** Query parameters take numbers, too. */
type Loose<Query> = {
  readonly [Name in keyof Query]: string extends NonNullable<Query[Name]>
    ? Query[Name] | number
    : Query[Name];
};
type QueryIn<Route> = Route extends { request: { query: infer Schema } }
  ? { readonly query?: Loose<InputOf<Schema>> }
  : unknown;

export interface RequestOptions {
  /** Sent as If-Match: the `etag` of the response that the change starts from. */
  readonly ifMatch?: string;
  /** Sent as If-None-Match: then the response may be {@link NotModified}. */
  readonly ifNoneMatch?: string;
  /** Sent as Idempotency-Key by operations that take one. @default a new UUID for each call, the same for all its attempts */
  readonly idempotencyKey?: string;
  /** Aborts the call and its waits. */
  readonly signal?: AbortSignal;
}

export type Input<Id extends OperationId> = BodyIn<Routes[Id]> &
  ParametersIn<Routes[Id]> &
  QueryIn<Routes[Id]> &
  RequestOptions;

type Responses<Id extends OperationId> = Routes[Id]['responses'];
type SuccessStatus = 200 | 201;
type SuccessBody<Id extends OperationId> = {
  [Status in SuccessStatus]: Responses<Id> extends { [Key in Status]: infer Response }
    ? OutputOf<Json<Response>>
    : never;
}[SuccessStatus];

/** Null where a success has no body. */
export type Body<Id extends OperationId> = [SuccessBody<Id>] extends [never]
  ? null
  : SuccessBody<Id>;

export interface ApiResponse<Content> {
  readonly status: number;
  readonly body: Content;
  /** For If-Match and If-None-Match; null where the response has none. */
  readonly etag: string | null;
  readonly headers: Headers;
}

/** The version in If-None-Match is current. */
export type NotModified = ApiResponse<null> & { readonly status: 304 };

type Required<Given> = object extends Given ? false : true;
type Responded<Id extends OperationId, Given> = Given extends { readonly ifNoneMatch: string }
  ? (ApiResponse<Body<Id>> & { readonly status: 200 }) | NotModified
  : ApiResponse<Body<Id>>;

/** Operations without required input take no argument. */
export type OperationFunctions = {
  readonly [Id in OperationId]: Required<Input<Id>> extends true
    ? <const Given extends Input<Id>>(input: Given) => Promise<Responded<Id, Given>>
    : <const Given extends Input<Id>>(input?: Given) => Promise<Responded<Id, Given>>;
};
