import { createHash } from 'node:crypto';
import { isHardToGuess, tellingIn } from './telling.ts';
import { isSample, shapesIn } from './shapes.ts';
import type { SecretSpan } from './shapes.ts';

/** A secret in a text. What it is itself is never passed on. */
export interface FoundSecret {
  /** In words: `GitHub token`, `password in an address`, `value of api_key`. */
  readonly kind: string;
  /** From 1. */
  readonly line: number;
  /** `sha256:` and twelve hex digits of the hash of the value: how `policies.allowedSecrets` names it. */
  readonly fingerprint: string;
}

export interface ScanOptions {
  /** The text that this one replaces: only what is new is looked at. */
  readonly before?: string | undefined;
  /** Values that this process knows to be secret. */
  readonly known?: readonly string[];
  /** Fingerprints, or longer parts of the hash, that the team allows. */
  readonly allowed?: readonly string[];
}

/**
 * The secrets that a text would publish, in order (protocol.md §11.6, quality.md S6): forms that only secrets have,
 * values hard to guess where a key says that they are secret, passwords in addresses, and what the process knows.
 */
export function findSecrets(
  text: string,
  { before = '', known = [], allowed = [] }: ScanOptions = {},
): readonly FoundSecret[] {
  const changed = changedPart(before, text);
  if (changed.from === changed.to) return [];
  const { from, to } = withWholeKey(text, changed);
  const part = text.slice(from, to);
  return spansIn(part, known).flatMap(({ kind, start, end }) => {
    const value = part.slice(start, end);
    const digest = createHash('sha256').update(value).digest('hex');
    if (before.includes(value) || allowed.some((hash) => isPartOf(hash, digest))) return [];
    return [{ kind, line: lineAt(text, from + start), fingerprint: `sha256:${digest.slice(0, 12)}` }];
  });
}

/** What to do about it, with the way to publish it knowingly. */
export function remedyFor(found: FoundSecret): string {
  return `take it out, and make it worthless where it opens something if others may have seen it; ${allowing(found)}`;
}

/** How the team allows it all the same. */
export function allowing({ fingerprint }: FoundSecret): string {
  return `what may be published, whoever leads the team allows by adding "${fingerprint}" to policies.allowedSecrets in shared/team.json`;
}

const isPartOf = (fingerprint: string, digest: string): boolean =>
  digest.startsWith(fingerprint.replace(/^sha256:/, ''));

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

const REDACTED = '[redacted]';

/** The text with every secret replaced, for logs, errors and events: here one too many is better than one too few. */
export function redactSecrets(text: string, known: readonly string[] = []): string {
  let shown = '';
  let at = 0;
  for (const { start, end } of spansIn(text, known)) {
    shown += text.slice(at, start) + REDACTED;
    at = end;
  }
  return (shown + text.slice(at))
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^/\s@]+@/gi, `$1${REDACTED}@`)
    .replace(/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${REDACTED}`)
    .replace(/([?&](?:access_)?(?:token|key|secret|password)=)[^&\s]+/gi, `$1${REDACTED}`);
}

/** A value short or plain enough to stand in ordinary texts would make those unreadable, and hide nothing. */
export function isTelltale(value: string): boolean {
  return value.length >= 8 && (isHardToGuess(value) || value.length >= 20 || shapesIn(value).length > 0);
}

/** Every secret in the text, without overlaps. */
function spansIn(text: string, known: readonly string[]): readonly SecretSpan[] {
  const found = [
    ...knownIn(text, known),
    ...shapesIn(text),
    ...addressesIn(text),
    ...headersIn(text),
    ...tellingIn(text),
  ];
  if (found.length < 2) return found;
  // Of two at one place the more telling kind comes first in the list above.
  found.sort((a, b) => a.start - b.start);
  let last = 0;
  return found.filter(({ start, end }) => {
    const apart = start >= last;
    if (apart) last = end;
    return apart;
  });
}

function knownIn(text: string, known: readonly string[]): readonly SecretSpan[] {
  return known.flatMap((value) => {
    const spans: SecretSpan[] = [];
    for (let start = text.indexOf(value); start !== -1; start = text.indexOf(value, start + value.length)) {
      spans.push({ kind: 'secret of this node', start, end: start + value.length });
    }
    return spans;
  });
}

/** `https://user:password@host`, and tokens among the parameters of an address. */
const PASSWORD_IN_ADDRESS =
  /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@"'`<>]{0,200}:([^\s/:@"'`<>]{3,300})@(?!(?:[\w-]+\.)*example\b)[\w[]/dgi;
const TOKEN_IN_ADDRESS =
  /[?&](?:access_token|auth_token|token|api_?key|key|secret|client_secret|password|sig|x-amz-signature)=([\w.~+/%=-]{10,})/dgi;

function addressesIn(text: string): readonly SecretSpan[] {
  if (!text.includes('://') && !text.includes('=')) return [];
  const passwords = groupsOf(PASSWORD_IN_ADDRESS, text).filter(({ value }) => !isStandIn(value));
  const tokens = groupsOf(TOKEN_IN_ADDRESS, text).filter(({ value }) => isHardToGuess(value));
  return [
    ...passwords.map((place) => ({ kind: 'password in an address', ...place })),
    ...tokens.map((place) => ({ kind: 'token in an address', ...place })),
  ];
}

const BEARER = /\b(?:bearer|basic)[ \t]+([\w.~+/-]{16,}={0,2})/dgi;

function headersIn(text: string): readonly SecretSpan[] {
  const found = groupsOf(BEARER, text).filter(({ value }) => isHardToGuess(value));
  return found.map((place) => ({ kind: 'authorization header', ...place }));
}

function groupsOf(pattern: RegExp, text: string): readonly { start: number; end: number; value: string }[] {
  return [...text.matchAll(pattern)].flatMap(({ indices }) => {
    const [start, end] = indices?.[1] ?? [0, 0];
    return start === end ? [] : [{ start, end, value: text.slice(start, end) }];
  });
}

/** What documents write in the place of a password: `user:password@host`, `$USER:$PASS@host`. */
function isStandIn(password: string): boolean {
  return (
    isSample(password) ||
    /^(?:\$|%[A-Z(]|<|\{|\*+$|\.+$|…|x+$|(?:your|my)[_-])|^(?:pass(?:word|wd)?|pwd|pw|secret|token|changeme|example|port|\[redacted\])$/i.test(
      password,
    )
  );
}

/** So many characters are compared at once. */
const STRIDE = 4096;

interface Part {
  readonly from: number;
  readonly to: number;
}

/**
 * The lines of `after` that `before` does not have at the same end of the text. Most texts grow or change in one
 * place, and a log of a month is not read again for each of its lines.
 */
function changedPart(before: string, after: string): Part {
  const most = Math.min(before.length, after.length);
  const head = sameLength(most, (from, to) => before.slice(from, to) === after.slice(from, to));
  if (head === after.length && head === before.length) return { from: head, to: head };
  const [endBefore, endAfter] = [before.length, after.length];
  const tail = sameLength(
    most - head,
    (from, to) => before.slice(endBefore - to, endBefore - from) === after.slice(endAfter - to, endAfter - from),
  );
  const from = after.lastIndexOf('\n', head - 1) + 1;
  const next = after.indexOf('\n', endAfter - tail);
  return { from: head === 0 ? 0 : from, to: next === -1 ? endAfter : next };
}

/** Private keys are shorter: one of RSA with 16384 bits has 13,000 characters. */
const LONGEST_KEY = 16_384;

/** Lines within a private key say nothing without its first and last one, such as those put in the place of a sample. */
function withWholeKey(text: string, { from, to }: Part): Part {
  const above = text.slice(Math.max(0, from - LONGEST_KEY), from);
  const begin = above.lastIndexOf('-----BEGIN ');
  if (begin === -1 || above.includes('-----END ', begin)) return { from, to };
  const end = /-----END [A-Z0-9 ]+-----/.exec(text.slice(from, from + LONGEST_KEY));
  return { from: from - above.length + begin, to: end === null ? to : Math.max(to, from + end.index + end[0].length) };
}

/** How far two texts are alike, up to `most`: in large steps first, then in ever smaller ones. */
function sameLength(most: number, alike: (from: number, to: number) => boolean): number {
  let at = 0;
  for (let stride = STRIDE; stride >= 1; stride = Math.floor(stride / 2)) {
    while (at + stride <= most && alike(at, at + stride)) at += stride;
  }
  return at;
}
