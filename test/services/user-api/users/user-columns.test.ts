import { expect, it } from 'vitest';
import { userFieldNames, userFields } from '../../../../services/contracts/users.ts';
import { allColumns, settableColumns } from '../../../../services/user-api/users/user-columns.ts';

it('the columns of a user, are the fields of a response, in the same order', () => {
  expect(allColumns.map(({ field }) => field)).toEqual(userFieldNames);
});

it('the columns that statements write, are the fields that requests set', () => {
  expect(settableColumns.map(({ field }) => field)).toEqual(Object.keys(userFields));
});
