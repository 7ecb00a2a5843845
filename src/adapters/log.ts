import { pino } from 'pino';
import type { Log } from '../ports.ts';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** A file to append to, `stderr`, or anything that takes lines. Standard output belongs to answers. */
  readonly destination?: string | { write(line: string): void };
}

/** Fields that may hold a secret, in whatever object they come. */
const SECRET = /token|secret|password|passwd|authorization|cookie|api-?_?key|credential/i;
const REDACTED = '[redacted]';
/** Deeper values are cut: a log line is no place for whole documents. */
const MAX_DEPTH = 6;

/** Structured log lines as JSON, one per event; secrets are taken out before anything is written (quality.md S6). */
export function createLog({ level, destination = 'stderr' }: LogOptions): Log {
  const target =
    typeof destination === 'object'
      ? destination
      : pino.destination({ dest: destination === 'stderr' ? 2 : destination, sync: true, mkdir: true });
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
    },
    target,
  );
  return {
    debug: (fields, message) => logger.debug(clean(fields), scrub(message)),
    info: (fields, message) => logger.info(clean(fields), scrub(message)),
    warn: (fields, message) => logger.warn(clean(fields), scrub(message)),
    error: (fields, message) => logger.error(clean(fields), scrub(message)),
  };
}

function clean(fields: Record<string, unknown>): Record<string, unknown> {
  return cleanRecord(fields, 0, new Set());
}

function cleanRecord(record: object, depth: number, above: ReadonlySet<object>): Record<string, unknown> {
  const path = new Set([...above, record]);
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [
      key,
      SECRET.test(key) && typeof value !== 'number' && typeof value !== 'boolean'
        ? REDACTED
        : cleanValue(value, depth + 1, path),
    ]),
  );
}

function cleanValue(value: unknown, depth: number, above: ReadonlySet<object>): unknown {
  if (typeof value === 'string') return scrub(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH || above.has(value)) return '[…]';
  if (value instanceof Error) return cleanError(value, depth, above);
  if (Array.isArray(value)) return value.map((item) => cleanValue(item, depth + 1, new Set([...above, value])));
  return cleanRecord(value, depth, above);
}

function cleanError(error: Error, depth: number, above: ReadonlySet<object>): Record<string, unknown> {
  return {
    name: error.name,
    message: scrub(error.message),
    ...(error.stack === undefined ? {} : { stack: scrub(error.stack) }),
    ...cleanRecord(error, depth, above),
    ...(error.cause === undefined ? {} : { cause: cleanValue(error.cause, depth + 1, new Set([...above, error])) }),
  };
}

/** Secrets that travel inside texts: user names and passwords in addresses, bearer tokens, query parameters. */
function scrub(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^/\s@]+@/gi, `$1${REDACTED}@`)
    .replace(/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${REDACTED}`)
    .replace(/([?&](?:access_)?(?:token|key|secret|password)=)[^&\s]+/gi, `$1${REDACTED}`);
}
