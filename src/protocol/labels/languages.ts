import { en } from './en.ts';
import { ko } from './ko.ts';
import type { Labels } from './labels.ts';
import { zh } from './zh.ts';

const TABLE: ReadonlyMap<string, Labels> = new Map([
  ['en', en],
  ['zh', zh],
  ['ko', ko],
]);

/** The languages that Baton speaks, as they are written in `policies.language`. */
export const LANGUAGES: readonly string[] = [...TABLE.keys()];

/** The words of a language (`policies.language`); a regional tag falls back to its language, an unknown one to `en`. */
export function labelsFor(language: string): Labels {
  return TABLE.get(languageOf(language)) ?? en;
}

/** Whether a team that asks for this language gets it. */
export function speaks(language: string): boolean {
  return TABLE.has(languageOf(language));
}

/** `zh` for `zh-Hans`, `zh_TW` and `ZH`. */
export function languageOf(tag: string): string {
  return tag.trim().toLowerCase().split(/[-_]/)[0] ?? '';
}
