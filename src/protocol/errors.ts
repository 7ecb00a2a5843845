/**
 * The closed set of refusals (protocol.md §9.3). Every door maps them through this one table:
 * `exit` for the CLI, `http` for REST, `retryable` for callers that may simply try again.
 */
export const ERROR_CODES = {
  'invalid-argument': { exit: 1, http: 400, retryable: false },
  'invalid-result': { exit: 1, http: 400, retryable: false },
  'not-found': { exit: 1, http: 404, retryable: false },
  'already-exists': { exit: 1, http: 409, retryable: false },
  'wrong-role': { exit: 1, http: 403, retryable: false },
  'wrong-worker': { exit: 1, http: 403, retryable: false },
  paused: { exit: 1, http: 409, retryable: false },
  'illegal-transition': { exit: 1, http: 409, retryable: false },
  'blocked-by-deps': { exit: 1, http: 409, retryable: false },
  'at-capacity': { exit: 1, http: 409, retryable: false },
  'no-report-route': { exit: 1, http: 409, retryable: false },
  'stale-submission': { exit: 1, http: 409, retryable: false },
  'sync-failed': { exit: 1, http: 502, retryable: true },
  'notify-failed': { exit: 1, http: 502, retryable: true },
  'message-blocked': { exit: 1, http: 400, retryable: false },
  'not-owner': { exit: 1, http: 403, retryable: false },
  'broken-file': { exit: 1, http: 409, retryable: false },
  'no-workspace': { exit: 1, http: 500, retryable: false },
  'bad-workspace': { exit: 1, http: 500, retryable: false },
  'bad-config': { exit: 1, http: 500, retryable: false },
  locked: { exit: 1, http: 503, retryable: true },
  'git-failed': { exit: 1, http: 500, retryable: false },
  internal: { exit: 1, http: 500, retryable: false },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface FlowErrorDetails {
  /** One line that says what to do now. */
  readonly remedy?: string;
  /** Machine-readable facts that doors pass on (`projectId`, `taskId`, `validationErrors`, …). */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  /** Overrides the table where a single case differs. */
  readonly retryable?: boolean;
}

/** A refusal: a stable code, what was wrong, and what to do. Never a bug; bugs become `internal`. */
export class FlowError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, details: FlowErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'FlowError';
    this.code = code;
    this.remedy = details.remedy;
    this.data = details.data ?? {};
    this.retryable = details.retryable ?? ERROR_CODES[code].retryable;
  }
}

/** The message alone, for whoever tells its remedy apart from it: some end with it (protocol.md §8.2). */
export function withoutRemedy(message: string, remedy: string): string {
  return message.endsWith(remedy) ? message.slice(0, message.length - remedy.length).replace(/[;:,]? *$/, '') : message;
}

/** Wraps whatever was thrown, once, so that doors only ever meet a `FlowError`. */
export function toFlowError(thrown: unknown, context: string): FlowError {
  if (thrown instanceof FlowError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new FlowError('internal', `${context} failed: ${reason}`, { cause: thrown });
}
