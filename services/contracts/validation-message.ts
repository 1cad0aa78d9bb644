/**
 * The message of a zod schema for a value that is absent, null or of another type: it completes the sentence that the field's name
 * begins.
 *
 * @param what - what the field takes, such as `a string`.
 */
export function expects(what: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => {
    if (input === undefined) return `is required: ${what}`;
    if (input === null) return `cannot be null; it takes ${what}`;
    return `must be ${what}`;
  };
}
