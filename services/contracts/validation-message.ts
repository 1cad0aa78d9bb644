/**
 * The message of a Zod schema for an absent value, null, or another type. It follows the name of the field.
 *
 * @param what - the valid type, such as `a string`.
 */
export function expects(what: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => {
    if (input === undefined) return `is required: ${what}`;
    if (input === null) return `cannot be null; it takes ${what}`;
    return `must be ${what}`;
  };
}
