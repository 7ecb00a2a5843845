import { readWhole } from './document.ts';
import type { PlanDocument } from './document.ts';
import { reread, withTaskLines } from './reread.ts';

/** Documents that are likely to be asked for again, or with one line changed, newest first. */
let recent: readonly PlanDocument[] = [];
/** So many, however large; and more, as many work on at once, while they have so many characters together. */
const LEAST = 8;
const RECENT = 64;
const CHARACTERS = 1_000_000;

/** As `readWhole`, without reading again what was read a moment ago. */
export function readDocument(text: string): PlanDocument {
  const known = recent.find((document) => document.text === text);
  const document = known ?? rereadRecent(text) ?? readWhole(text);
  recent = withinBounds([document, ...recent.filter((other) => other !== document)]);
  return document;
}

/**
 * As if `text` had been read: it is what `before` becomes when one of its lines is written anew, and whoever has written it
 * asks what it says next.
 */
export function foresee(before: PlanDocument, text: string, [index, line]: readonly [number, string]): void {
  const document = withTaskLines(before, text, new Map([[index, line]]));
  if (document !== undefined) recent = withinBounds([document, ...recent]);
}

/** The newest, and those after them as long as there is room. */
function withinBounds(documents: readonly PlanDocument[]): readonly PlanDocument[] {
  let left = CHARACTERS;
  return documents.slice(0, RECENT).filter(({ text }, index) => {
    left -= text.length;
    return index < LEAST || left >= 0;
  });
}

/** Plans of different projects differ in their first lines, so a text is compared with its own earlier ones only. */
function rereadRecent(text: string): PlanDocument | undefined {
  const opening = text.slice(0, OPENING);
  const before = recent.find((document) => document.text.startsWith(opening));
  return before === undefined ? undefined : reread(before, text);
}

const OPENING = 64;
