import { localpartOf } from './identity.ts';
import { ATTENTION_KINDS } from './records/types.ts';
import type { AttentionKind } from './records/types.ts';

/** What a person may ask of the Leader's node in the Leader DM. The words are the protocol's, in every language. */
export const COMMAND_NAMES = [
  'status',
  'report',
  'pause',
  'resume',
  'accept',
  'reject',
  'answer',
  'approve',
  'deny',
  'help',
] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

export interface Command {
  readonly name: CommandName;
  /** The first word behind the name, without quotes and punctuation: a project or a task, if it is one. */
  readonly target: string | undefined;
  /** What follows the target. */
  readonly rest: string;
  /** Everything behind the name. */
  readonly said: string;
  /** The kind of question that an answer names before its text (`answer t-1 decision: the second`). */
  readonly attention?: AttentionKind;
}

/** Meant as a command, and none that is known. */
export interface UnknownCommand {
  readonly name: 'unknown';
  readonly word: string;
}

export interface CommandReader {
  /** How the node may be addressed in front of a command: its full id, its localpart, its display name. */
  readonly addressees?: readonly string[];
  /** Whether a word is the id of a project or a task; what follows `pause` or `accept` then is no ordinary talk. */
  readonly isKnown?: (word: string) => boolean;
}

const BEGINNING = /^([!！/／]?)[ \t]*([A-Za-z]+)(?![\p{L}\p{N}_\-/@'’])([.,:;!?。，：；！？…]*)[ \t]*/u;
/** A question mark at the end, also within quotes or marks. */
const QUESTION = /[?？][\s"'”’」)\]*_`.!！。…]*$/u;
const POLITE = /(?:^|[\s,，])(?:please|pls)$/iu;
/** Longer words are nobody's slip of the pen. */
const MAX_WORD = 24;
const MAX_ID = 200;

/**
 * Reads a command out of a message (docs/protocol.md, "Commands"): in any letter case, behind `!`, `/` or the node's
 * name, in code marks, with punctuation behind it. Quoted lines at the beginning, as clients put them in front of a reply,
 * are somebody else's words. `undefined` for ordinary talk. Never throws.
 */
export function parseCommand(text: string, reader: CommandReader = {}): Command | UnknownCommand | undefined {
  const { addressees = [], isKnown = () => false } = reader;
  const beginning = beginningOf(bare(unaddressed(ownWords(text), addressees)));
  if (beginning === undefined) return undefined;
  const { word, isPrefixed, isOrder, isQuestion, said } = beginning;
  const name = COMMAND_NAMES.find((known) => known === word.toLowerCase());
  if (name === undefined) return isPrefixed || (said === '' && isSlip(word)) ? { name: 'unknown', word } : undefined;
  if (DECIDING.has(name) && isQuestion) return undefined;
  const command = { name, said, ...targetOf(name, said) };
  if (name === 'accept' && isRunOn(said)) return isOrder ? { name, said, target: undefined, rest: '' } : undefined;
  return isOrder || isOrdered(command, isKnown) ? command : misunderstood(name, word);
}

/** Whoever begins with these means to stop or start the work, and must not believe it done when it was not understood. */
const STOPPING: ReadonlySet<CommandName> = new Set(['pause', 'resume']);

function misunderstood(
  name: CommandName,
  word: string,
): { readonly name: 'unknown'; readonly word: string } | undefined {
  return STOPPING.has(name) ? { name: 'unknown', word } : undefined;
}

/** These change something that nobody takes back: who asks about it has not decided. */
const DECIDING: ReadonlySet<CommandName> = new Set(['accept', 'reject', 'approve', 'deny', 'pause', 'resume']);

/**
 * Whether words follow the task as in a sentence ("accept t-1, or not", "accept t-1 no wait"). A summary is set apart from
 * the task by a dash, a colon or a new line.
 */
function isRunOn(said: string): boolean {
  const [written = ''] = /^\S+/.exec(said) ?? [];
  const behind = said.slice(written.length);
  return behind !== '' && !/[:：]$/.test(written) && !/^(?:[ \t]*[-—–:：]|[ \t]*\r?\n)/.test(behind);
}

interface Beginning {
  readonly word: string;
  readonly isPrefixed: boolean;
  /** Written so that it can only be meant as a command. */
  readonly isOrder: boolean;
  readonly isQuestion: boolean;
  readonly said: string;
}

function beginningOf(words: string): Beginning | undefined {
  const found = BEGINNING.exec(words);
  if (found === null) return undefined;
  const [beginning, prefix = '', word = '', punctuation = ''] = found;
  if (word.length > MAX_WORD) return undefined;
  const isPrefixed = prefix !== '';
  const said = words.slice(beginning.length).trim().replace(POLITE, '').trim();
  const isQuestion = QUESTION.test(words.trim().replace(POLITE, ''));
  return { word, isPrefixed, isOrder: isPrefixed || /[:：]/.test(punctuation), isQuestion, said };
}

/** The message without what it quotes at its beginning. */
function ownWords(text: string): string {
  const lines = text.trim().split('\n');
  const first = lines.findIndex((line) => !line.startsWith('>'));
  return first === -1 ? '' : lines.slice(first).join('\n').trim();
}

const LINK = /^\[[^\]\n]{0,200}\]\(https?:\/\/matrix\.to\/#\/([^)\s]{1,400})\)/;

/** Only the node's own name is taken off: who speaks to somebody else gives no command here. */
function unaddressed(text: string, addressees: readonly string[]): string {
  const link = LINK.exec(text);
  const isOwn = link !== null && addressees.some((name) => sameText(decoded(link[1] ?? ''), name));
  const forms = addressees.flatMap((name) =>
    name.startsWith('@') ? [name, `@${localpartOf(name)}`] : [name, `@${name}`],
  );
  const form = isOwn
    ? link[0]
    : forms
        .filter((candidate) => candidate.length > 1 && sameText(text.slice(0, candidate.length), candidate))
        .toSorted((a, b) => b.length - a.length)[0];
  if (form === undefined) return text;
  const rest = text.slice(form.length);
  const said = rest.replace(/^[ \t]*[:：,，]?\s*/u, '');
  // A longer name that begins like the node's, or nothing but the name.
  return said === rest || said === '' ? text : said;
}

function sameText(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Without the marks of code or emphasis around the whole. */
function bare(text: string): string {
  const marks = /^[`*_]{1,3}/.exec(text)?.[0] ?? '';
  return marks !== '' && text.length > 2 * marks.length && text.endsWith(marks)
    ? text.slice(marks.length, -marks.length).trim()
    : text;
}

function targetOf(name: CommandName, said: string): Omit<Command, 'name' | 'said'> {
  const [written = ''] = /^\S+/.exec(said) ?? [];
  const target = written
    .slice(0, MAX_ID)
    .replace(/^[`*"'“”«»]{1,3}/u, '')
    .replace(/[`*"'“”«».,:;!?。，：；！？…]+$/u, '');
  const rest = said
    .slice(written.length)
    .trim()
    .replace(/^[-—–:：]+\s+/u, '');
  const kind = name === 'answer' ? /^([a-z]+)[ \t]*[:：]\s*/i.exec(rest) : null;
  const attention = ATTENTION_KINDS.find((known) => known === kind?.[1]?.toLowerCase());
  return {
    target: target === '' ? undefined : target,
    rest: attention === undefined ? rest : rest.slice(kind?.[0].length ?? 0),
    ...(attention === undefined ? {} : { attention }),
  };
}

/** Tells an order from a sentence that only begins like one ("accept the offer", "report to me when it is done"). */
function isOrdered({ name, target, rest }: Command, isKnown: (word: string) => boolean): boolean {
  if (target === undefined || rest === '') return true;
  if (name === 'status' || name === 'report' || name === 'resume' || name === 'help') return false;
  return isKnown(target) || (/[\d_-]/.test(target) && /^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u.test(target));
}

function isSlip(word: string): boolean {
  return COMMAND_NAMES.some((known) => isAlmost(word.toLowerCase(), known));
}

/** One letter more, less, other, or two in the wrong order. */
function isAlmost(word: string, known: string): boolean {
  if (word === known || Math.abs(word.length - known.length) > 1) return false;
  const same = (a: string, b: string): number => {
    let index = 0;
    while (index < a.length && index < b.length && a[index] === b[index]) index += 1;
    return index;
  };
  const head = same(word, known);
  const [w, k] = [word.slice(head), known.slice(head)];
  const swapped = w.length > 1 && w.length === k.length && w[0] === k[1] && w[1] === k[0] && w.slice(2) === k.slice(2);
  return swapped || w.slice(1) === k.slice(1) || w.slice(1) === k || w === k.slice(1);
}
