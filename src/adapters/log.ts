import { pino } from 'pino';
import type { Log } from '../ports.ts';
import { redactSecrets } from '../protocol/secrets/scan.ts';

type Redact = (text: string) => string;

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** A file to append to, `stderr`, or anything that takes lines. Standard output belongs to answers. */
  readonly destination?: string | { write(line: string): void };
  /** Takes secrets out of a text; absent: what has the form of one. */
  readonly redact?: Redact;
}

/** Fields that may hold a secret, in whatever object they come. */
const SECRET = /token|secret|password|passwd|authorization|cookie|api-?_?key|credential/i;
const REDACTED = '[redacted]';
/** Deeper values are cut: a log line is no place for whole documents. */
const MAX_DEPTH = 6;

/** Structured log lines as JSON, one per event; secrets are taken out before anything is written (quality.md S6). */
export function createLog({ level, destination = 'stderr', redact = redactSecrets }: LogOptions): Log {
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
  return withoutSecrets(
    {
      debug: (fields, message) => logger.debug(fields, message),
      info: (fields, message) => logger.info(fields, message),
      warn: (fields, message) => logger.warn(fields, message),
      error: (fields, message) => logger.error(fields, message),
    },
    redact,
  );
}

/** The log that writes to `log` what is left of each line once its secrets are taken out. */
export function withoutSecrets(log: Log, redact: Redact): Log {
  const clean = (fields: Record<string, unknown>): Record<string, unknown> => cleanRecord(fields, 0, new Set(), redact);
  return {
    debug: (fields, message) => log.debug(clean(fields), redact(message)),
    info: (fields, message) => log.info(clean(fields), redact(message)),
    warn: (fields, message) => log.warn(clean(fields), redact(message)),
    error: (fields, message) => log.error(clean(fields), redact(message)),
  };
}

function cleanRecord(
  record: object,
  depth: number,
  above: ReadonlySet<object>,
  redact: Redact,
): Record<string, unknown> {
  const path = new Set([...above, record]);
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [
      redact(key),
      SECRET.test(key) && typeof value !== 'number' && typeof value !== 'boolean'
        ? REDACTED
        : cleanValue(value, depth + 1, path, redact),
    ]),
  );
}

function cleanValue(value: unknown, depth: number, above: ReadonlySet<object>, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH || above.has(value)) return '[…]';
  if (value instanceof Error) return cleanError(value, depth, above, redact);
  if (Array.isArray(value)) return value.map((item) => cleanValue(item, depth + 1, new Set([...above, value]), redact));
  return cleanRecord(value, depth, above, redact);
}

function cleanError(error: Error, depth: number, above: ReadonlySet<object>, redact: Redact): Record<string, unknown> {
  const cause =
    error.cause === undefined ? {} : { cause: cleanValue(error.cause, depth + 1, new Set([...above, error]), redact) };
  return {
    name: error.name,
    message: redact(error.message),
    ...(error.stack === undefined ? {} : { stack: redact(error.stack) }),
    ...cleanRecord(error, depth, above, redact),
    ...cause,
  };
}
