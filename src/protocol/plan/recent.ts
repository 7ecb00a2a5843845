import { readWhole } from './document.ts';
import type { PlanDocument } from './document.ts';
import { reread } from './reread.ts';

/** Documents that are likely to be asked for again, or with one line changed, newest first. */
let recent: readonly PlanDocument[] = [];
const RECENT = 8;

/** As `readWhole`, without reading again what was read a moment ago. */
export function readDocument(text: string): PlanDocument {
  const known = recent.find((document) => document.text === text);
  const document = known ?? rereadRecent(text) ?? readWhole(text);
  recent = [document, ...recent.filter((other) => other !== document)].slice(0, RECENT);
  return document;
}

/** Plans of different projects differ in their first lines, so a text is compared with its own earlier ones only. */
function rereadRecent(text: string): PlanDocument | undefined {
  const opening = text.slice(0, OPENING);
  const before = recent.find((document) => document.text.startsWith(opening));
  return before === undefined ? undefined : reread(before, text);
}

const OPENING = 64;
