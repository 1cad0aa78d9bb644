import type { ParameterObject } from './open-api.ts';

/** By name, what a parameter of a path or a query is. */
const descriptions: Readonly<Record<string, string>> = {
  id: 'Id of the user.',
  apiKeyId: 'Id of the API key: a number, not the key.',
  slug: 'The last part of a `type` of a problem.',
  asset: 'Name of the file.',
  limit: 'Users on a page, 20 unless given.',
  cursor: '`nextCursor` of the page before, as it was. What is in it is not part of the contract.',
  page: 'Number of a page, from 1: for simple clients, and near the beginning only.',
  per_page: 'Users on a page that `page` counts.',
  status: 'Only users with this status.',
  name_prefix: 'Only users whose names begin so, without regard to case, in order of name.',
  sort: 'By creation time: the oldest first, or with a minus the newest.',
};

/** Says of a parameter what it is, where its schema does not. */
export function describeParameter<Parameter extends object>(parameter: Parameter): Parameter {
  if (!('name' in parameter) || 'description' in parameter) return parameter;
  const { name } = parameter as Pick<ParameterObject, 'name'>;
  const description = descriptions[name];
  return description === undefined ? parameter : { ...parameter, description };
}
