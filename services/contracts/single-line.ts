import { z } from 'zod';
import { expects } from './validation-message.ts';

const CONTROL_OR_LINE_SEPARATOR = /[\p{Cc}\u2028\u2029]/u;
/**
 * At least one visible character. Invisible are Unicode's spaces, format characters and ignorable ones (Hangul fillers, variation selectors),
 * and three more
 * with empty glyphs: the empty Braille pattern, a musical null notehead, and a Khitan filler.
 */
const VISIBLE = /[^\p{Z}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800\u{1D159}\u{16FE4}]/u;

/** Texts that look the same are stored as the same characters (Unicode Standard Annex 15), so that lookups match. */
const NORMAL_FORM = 'NFC';

/**
 * Text for display, 1 to `maximum` characters (code points, as in PostgreSQL) in one line: without control characters, with a visible one,
 * trimmed, in
 * normal form C.
 */
export function singleLine(maximum: number, examples: readonly string[]) {
  const length = `1 to ${maximum} characters long, not counting blanks around it`;
  return z
    .string({ error: expects('a string') })
    .refine((text) => text.isWellFormed(), {
      error: 'must be valid Unicode: it has half of a surrogate pair',
      abort: true,
    })
    .trim()
    .normalize(NORMAL_FORM)
    .refine((text) => !CONTROL_OR_LINE_SEPARATOR.test(text), {
      error: 'must be one line without control characters',
      abort: true,
    })
    .refine((text) => VISIBLE.test(text) && [...text].length <= maximum, {
      error: `must be ${length}, and not only invisible ones`,
    })
    .meta({
      description: `One line, ${length}.`,
      minLength: 1,
      maxLength: maximum,
      examples: [...examples],
    });
}

/** A prefix of a {@link singleLine}, in the same normal form; it may end with a blank. */
export function prefixOfLine(maximum: number, examples: readonly string[]) {
  return z
    .string()
    .normalize(NORMAL_FORM)
    .refine(
      (text) =>
        text.isWellFormed() &&
        text !== '' &&
        [...text].length <= maximum &&
        !CONTROL_OR_LINE_SEPARATOR.test(text),
      { error: `must be 1 to ${maximum} characters of a name` },
    )
    .meta({ minLength: 1, maxLength: maximum, examples: [...examples] });
}
