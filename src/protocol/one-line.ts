/**
 * A text as one line, with one blank where white space was, and nothing else of it changed: the structure of a record must not
 * depend on what somebody wrote into a title or a goal. What a person is shown goes through `plain-text.ts`. U+0085 ends a line for some who read it, though JavaScript
 * does not count it as white space.
 */
export function inOneLine(text: string): string {
  return text.replaceAll(/[\s\u0085]+/g, ' ').trim();
}
