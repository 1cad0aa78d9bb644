import { getTableColumns } from 'drizzle-orm';
import { type UserFields, userFields } from '../../contracts/users.ts';
import { users } from '../database/schema.ts';

interface UserColumn<Field extends string = string> {
  /** Name in JSON and in TypeScript. */
  readonly field: Field;
  /** Name in the table. */
  readonly name: string;
  /** Type without its length: a cast with a length would truncate longer values. */
  readonly type: string;
}

const isField = (field: string): field is keyof UserFields => field in userFields;

/** In the order of the table. */
export const allColumns: readonly UserColumn[] = Object.entries(getTableColumns(users)).map(
  ([field, column]) => ({
    field,
    name: column.name,
    type: column.getSQLType().replace(/\(\d+\)$/, ''),
  }),
);

/** Columns that clients set: all writing statements derive from them. */
export const settableColumns: readonly UserColumn<keyof UserFields>[] = allColumns.flatMap(
  ({ field, ...column }) => (isField(field) ? [{ field, ...column }] : []),
);

/** Names as a list in SQL. */
export const SETTABLE_NAMES = settableColumns.map(({ name }) => name).join(', ');
/** Fields as a list in SQL, as in a JSON record of a user. */
export const SETTABLE_FIELDS = settableColumns.map(({ field }) => `"${field}"`).join(', ');
/** Names with types, for `json_to_recordset`. */
export const SETTABLE_RECORD = settableColumns
  .map(({ field, type }) => `"${field}" ${type}`)
  .join(', ');
