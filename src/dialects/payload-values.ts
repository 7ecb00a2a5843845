import { FlowError } from '../protocol/errors.ts';

const YES = new Set(['true', '1', 'yes', 'y', 'accepted']);
const NO = new Set(['false', '0', 'no', 'n', 'rejected']);

/** A JSON integer, or its digits as text; booleans are no numbers (protocol.md §9.2). */
export function wholeNumberOf(value: unknown, label: string): number {
  const number = typeof value === 'string' && /^[+-]?\d+$/.test(value.trim()) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  throw new FlowError('invalid-argument', `${label} must be an integer`);
}

/** A JSON number, or one as text. */
export function numberOf(value: unknown, label: string): number {
  const number =
    typeof value === 'string' && /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/.test(value.trim()) ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw new FlowError('invalid-argument', `${label} must be a number`);
}

/** A boolean, or one of the protocol's words for it. */
export function wordOf(value: unknown, label: string): boolean {
  if (typeof value === 'boolean') return value;
  const word = typeof value === 'string' || typeof value === 'number' ? String(value).trim().toLowerCase() : '';
  if (YES.has(word)) return true;
  if (NO.has(word)) return false;
  throw new FlowError('invalid-argument', `${label} must be a boolean`, { remedy: `use true or false for ${label}` });
}

/** A list, or a JSON string of one. */
export function listOf(value: unknown, label: string): readonly unknown[] {
  let list = value;
  if (typeof value === 'string') {
    try {
      list = JSON.parse(value);
    } catch {
      list = undefined;
    }
  }
  if (Array.isArray(list)) return list as readonly unknown[];
  throw new FlowError('invalid-argument', `${label} must be a list`);
}
