import { withoutMatrixIds } from './mention.ts';
import { withoutNoReply } from './plain-text.ts';

export type OutgoingVerdict =
  | { readonly send: true; readonly text: string }
  | { readonly send: false; readonly reason: string };

export interface OutgoingOptions {
  /** More words that say nothing (team.json `policies.lowInformationWords`). */
  readonly extraWords?: readonly string[];
  /**
   * `tool`, the default, takes `NO_REPLY` out of the text. `reply` is for a channel that posts what an agent answers:
   * a last line `NO_REPLY` holds back the whole answer, and the word in the middle of a sentence stays.
   */
  readonly origin?: 'tool' | 'reply';
}

const LOW_INFORMATION = [
  'ack',
  'acknowledged',
  'done',
  'ok',
  'okay',
  'received',
  '收到',
  '好的',
  '好',
  '完成',
  '已完成',
];

const SHORT_MENTION = /(?<![A-Za-z0-9._=+/-])@[A-Za-z0-9._=+/-]+/g;
const MATRIX_LINK = /(?:\[[^\]\n]{0,300}\]\()?https?:\/\/matrix\.to\/#\/(?:@|%40)[^\s)>]*\)?/gi;

/** Decides whether a message may go out, and how it reads then (protocol.md §13.4, §13.5). */
export function filterOutgoing(text: string, options: OutgoingOptions = {}): OutgoingVerdict {
  const { extraWords = [], origin = 'tool' } = options;
  if (text.trim() === '') return { send: false, reason: 'message is required' };
  if (isSilent(text, origin)) return { send: false, reason: 'message suppressed: NO_REPLY' };
  const kept = origin === 'reply' ? text : stripToken(text);
  if (kept.trim() === '') return { send: false, reason: 'message suppressed: NO_REPLY' };
  const reason = pingPong(kept, extraWords);
  return reason === undefined ? { send: true, text: kept } : { send: false, reason: `message blocked: ${reason}` };
}

function isSilent(text: string, origin: 'tool' | 'reply'): boolean {
  const trimmed = text.trim();
  if (origin === 'tool') return trimmed === 'NO_REPLY';
  return trimmed.slice(trimmed.lastIndexOf('\n') + 1).trim() === 'NO_REPLY';
}

/** A name glued before the token was an address for nobody, and goes with it. */
function stripToken(text: string): string {
  if (!text.includes('NO_REPLY')) return text;
  return withoutNoReply(text.replaceAll(/@[A-Za-z0-9._=+/-]*?NO_REPLY/g, '')).trim();
}

function pingPong(text: string, extraWords: readonly string[]): string | undefined {
  const rest = withoutMatrixIds(text.replaceAll(MATRIX_LINK, '')).replaceAll(SHORT_MENTION, '').trim();
  if (rest === text.trim()) return undefined;
  if (rest === '') return 'mention-only messages can create ping-pong loops';
  const word = bareWord(rest);
  if (word === '') {
    return rest.length <= 32 && Array.from(rest).length <= 8
      ? 'mention plus status symbol can create ping-pong loops'
      : undefined;
  }
  const isLowInformation = [...LOW_INFORMATION, ...extraWords].some((known) => bareWord(known) === word);
  return isLowInformation ? 'low-information mention acknowledgements can create ping-pong loops' : undefined;
}

/** Letters and digits of any script, in one spelling. */
function bareWord(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '');
}
