import { getTableColumns } from 'drizzle-orm';
import { type UserFields, userFields } from '../../contracts/users.ts';
import { users } from '../database/schema.ts';

interface UserColumn<Field extends string = string> {
  /** Name in JSON and in this code. */
  readonly field: Field;
  /** Name in the table. */
  readonly name: string;
  /** Type of the column without its length: a cast to one with a length would cut a longer value off. */
  readonly type: string;
}

const isField = (field: string): field is keyof UserFields => field in userFields;

/** All columns of a user, in the order in which the table has them. */
export const allColumns: readonly UserColumn[] = Object.entries(getTableColumns(users)).map(
  ([field, column]) => ({
    field,
    name: column.name,
    type: column.getSQLType().replace(/\(\d+\)$/, ''),
  }),
);

/** Those that clients set: every statement that writes users is made of them. */
export const settableColumns: readonly UserColumn<keyof UserFields>[] = allColumns.flatMap(
  ({ field, ...column }) => (isField(field) ? [{ field, ...column }] : []),
);

/** Their names, as a list in SQL. */
export const SETTABLE_NAMES = settableColumns.map(({ name }) => name).join(', ');
/** Their fields, as a list in SQL: what a JSON record of a user has. */
export const SETTABLE_FIELDS = settableColumns.map(({ field }) => `"${field}"`).join(', ');
/** The same with types, for `json_to_recordset`. */
export const SETTABLE_RECORD = settableColumns
  .map(({ field, type }) => `"${field}" ${type}`)
  .join(', ');
