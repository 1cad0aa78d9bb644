/** Blanks and line breaks as one blank: a name is one line, whatever has been typed into it. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
