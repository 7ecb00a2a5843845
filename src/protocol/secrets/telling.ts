import { isSample } from './shapes.ts';
import type { SecretSpan } from './shapes.ts';

/** Words of which one stands in every telling key; where none stands, nothing else is looked at. */
const TELLING_WORD =
  /token|secret|passw|passphrase|pwd|authorization|credential|cookie|bearer|(?:api|access|private|signing|encryption|auth|client|session|shared|account|master|deploy|license|service)[ _.-]?key/gi;

/** Last words of a key whose value is a secret itself: `matrix_access_token`, but not `token_url` or `passwordFile`. */
const SECRET_WORDS: ReadonlySet<string> = new Set(
  'token secret password passwd passphrase pwd authorization credential credentials cookie bearer apikey accesskey secretkey privatekey authkey'.split(
    ' ',
  ),
);

/** What before `key` makes it one that opens something. */
const KEY_WORDS: ReadonlySet<string> = new Set(
  'api access secret private signing encryption auth client session shared account master deploy license service'.split(
    ' ',
  ),
);

/** What may stand behind a telling word without changing its meaning: `PASSWORD_PROD`, `token2`. */
const TRAILING: ReadonlySet<string> = new Set(
  'value prod production dev staging test live base64 b64 hex old new'.split(' '),
);

const KEY_LEFT = /[\w.$-]*$/;
const KEY_RIGHT = /[\w.$-]*/y;

/** From the key to its value: `": "`, ` = '`, `: Bearer `, ` | `, ` is `, `>`; all on one line. */
const BETWEEN =
  /\\*["'`*_\]]*(?:[ \t]*(?::=|=>|[:=|>])[ \t]*|[ \t]+(?:is|to)[ \t]+)(?:[|<>][ \t]*)?\\*["'`*]*(?:(?:bearer|basic|token|bot)[ \t]+)?/iy;

/** A flag takes its value after a space: `--password VALUE`. */
const AFTER_FLAG = /[ =][ \t]*\\*["']?/y;

const VALUE = /[^\s"'`,;<>(){}[\]\\|]{8,512}/y;

/** No key of a person is longer; more letters without a break are a block of data. */
const LONGEST_KEY = 80;

/** Values of high entropy behind keys that say that they are secret, in whatever notation the text is. */
export function tellingIn(text: string): readonly SecretSpan[] {
  const spans: SecretSpan[] = [];
  let last = 0;
  for (const { index, 0: word } of text.matchAll(TELLING_WORD)) {
    // Two telling words in one key, or one in a value that was looked at.
    if (index < last) continue;
    const left = KEY_LEFT.exec(text.slice(Math.max(last, index - LONGEST_KEY), index))?.[0] ?? '';
    const keyEnd = endOf(KEY_RIGHT, text, index + word.length) ?? index + word.length;
    const key = left + text.slice(index, keyEnd);
    last = keyEnd;
    if (key.length > LONGEST_KEY || !isTellingKey(key)) continue;
    const start = endOf(BETWEEN, text, keyEnd) ?? (left.startsWith('--') ? endOf(AFTER_FLAG, text, keyEnd) : undefined);
    const end = start === undefined ? undefined : endOf(VALUE, text, start);
    // What is called is code that gets the value.
    if (start === undefined || end === undefined || text[end] === '(') continue;
    const value = text.slice(start, end).replace(/[.:!?*]+$/, '');
    last = start;
    if (isHardToGuess(value)) spans.push({ kind: `value of ${shownKey(key)}`, start, end: start + value.length });
  }
  return spans;
}

function endOf(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

const shownKey = (key: string): string => key.replace(/^[-.$]+/, '').slice(0, 40);

/** Whether a key says that its value is a secret; by its last words, in whatever spelling. */
export function isTellingKey(key: string): boolean {
  const words = key
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+|(?<=[a-z])(?=\d+$)/)
    .filter((word) => word !== '' && !/^\d+$/.test(word));
  while (words.length > 1 && TRAILING.has(words.at(-1) ?? '')) words.pop();
  const [before = '', last = ''] = words.slice(-2).length === 2 ? words.slice(-2) : ['', words[0]];
  return SECRET_WORDS.has(last) || (last === 'key' && KEY_WORDS.has(before));
}

/** What stands for a secret that is somewhere else, or for none. */
const PLACEHOLDER =
  /^(?:\$|%|<|\{|env[:.]|process\.|os\.|secrets?\.|vault:|file:|ref:|op:\/\/|arn:|sha\d+[:-]|[./~]*\/(?:run|etc|var|home|usr)\/)|example|placeholder|change[_-]?me|redacted|dummy|your[_-]|_here\b|\*\*\*|\.\.\.|…/i;

/** Bits of a character that a value needs; words and numbers people choose have less for their length. */
const ENTROPY = 2.8;

/** At least so long, and of letters and digits, is what a program made up. */
const SHORTEST = 10;

/**
 * Whether a value was made up to be hard to guess. Names (`my-service-2024`), addresses, references to a secret kept
 * elsewhere, and samples are not. What has no digit is a word or a name, since programs that make secrets use both.
 */
export function isHardToGuess(value: string): boolean {
  if (value.length < SHORTEST || !/\d/.test(value) || !/[A-Za-z]/.test(value)) return false;
  if (PLACEHOLDER.test(value) || isSample(value) || value.includes('://')) return false;
  return entropyOf(value) >= ENTROPY && shareOfWords(value) < 0.6;
}

/** Shannon's, in bits a character. */
function entropyOf(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / value.length) * Math.log2(count / value.length), 0);
}

/** Which part of a value is made of what can be pronounced, and of the short numbers behind it. */
function shareOfWords(value: string): number {
  const parts = value.match(/[A-Z]?[a-z]+|[A-Z]+|\d+|[^A-Za-z\d]+/g) ?? [];
  let told = 0;
  let afterWord = false;
  for (const part of parts) {
    const isWord = /^[A-Za-z]{3,}$/.test(part) && isPronounced(part.toLowerCase());
    const isNumber = /^\d{1,4}$/.test(part) && afterWord;
    if (isWord || isNumber || !/^[A-Za-z\d]/.test(part)) told += part.length;
    if (/^[A-Za-z]/.test(part)) afterWord = isWord;
  }
  return told / value.length;
}

/** Words have vowels, and few consonants in a row. */
function isPronounced(word: string): boolean {
  const vowels = word.match(/[aeiouy]/g)?.length ?? 0;
  return vowels / word.length >= 0.2 && !/[^aeiouy]{5}/.test(word);
}
