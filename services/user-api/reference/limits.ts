import type { OpenApiDocument } from './open-api.ts';

/** Greatest value that PostgreSQL's integer and `format: int32` hold. */
const INT32_MAXIMUM = 2_147_483_647;
/** `2026-01-31T12:00:00.000Z`; some more for those who write an offset. */
const DATE_TIME_MAXIMUM_LENGTH = 35;

type Node = Record<string, unknown>;

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What zod's `z.int()` accepts: no more than what a double holds exactly. */
function limitInteger(schema: Node): void {
  const { exclusiveMinimum } = schema;
  if (typeof exclusiveMinimum === 'number') {
    schema.minimum = exclusiveMinimum + 1;
    delete schema.exclusiveMinimum;
  }
  schema.minimum ??= Number.MIN_SAFE_INTEGER;
  schema.maximum ??= Number.MAX_SAFE_INTEGER;
  schema.format ??= Number(schema.maximum) <= INT32_MAXIMUM ? 'int32' : 'int64';
}

const isType = (schema: Node, type: string) =>
  schema.type === type || (Array.isArray(schema.type) && schema.type.includes(type));

function limit(value: unknown): void {
  if (Array.isArray(value)) {
    value.forEach(limit);
    return;
  }
  if (!isNode(value)) return;
  if (isType(value, 'integer')) limitInteger(value);
  if (isType(value, 'string') && value.format === 'date-time') {
    value.maxLength ??= DATE_TIME_MAXIMUM_LENGTH;
  }
  Object.values(value).forEach(limit);
}

/** Says of numbers and times what the schemas imply and their translation leaves out: between what limits they are. */
export function limitSchemas(document: OpenApiDocument): void {
  limit(document.components?.schemas);
  limit(document.paths);
}
