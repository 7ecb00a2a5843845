import { FlowError, ERROR_CODES, toFlowError, type ErrorCode } from '../../protocol/errors.ts';
import type { AppIdentity, Envelope, Marks, ToolCall } from '../../app-types.ts';

/**
 * What is said on the local socket: JSON-RPC with `Content-Length` framing, one object as the parameter of every
 * request. A refusal of a tool call is an `Envelope`; what cannot be said as one is an `RpcFailure`.
 */
export const METHODS = {
  hello: 'baton/hello',
  call: 'baton/call',
  sync: 'baton/sync',
  text: 'baton/text',
  follow: 'baton/follow',
  indexed: 'baton/indexed',
} as const;

/** Sent by a node to whoever follows it, for each `Happening`; nothing answers it. */
export const HAPPENED = 'baton/happened';

export interface Hello {
  /** Bumped when an older client could not understand a newer node. */
  readonly protocol: 1;
  readonly root: string;
  readonly identity: AppIdentity;
  readonly mode: 'solo' | 'team';
  readonly pid: number;
}

export interface CallRequest {
  readonly call: ToolCall;
}

export interface TextRequest {
  readonly path: string;
}

/** What happens from now on is told as notifications; what the logs gained since `marks` is told before the answer. */
export interface FollowRequest {
  readonly marks?: Marks;
}

/** Every answer is either a value or a refusal, so that no error has to survive the library's own error classes. */
export type Answer<Value> = { readonly value: Value } | { readonly failure: RpcFailure };

export interface RpcFailure {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly retryable?: boolean;
}

export type CallAnswer = Answer<Envelope>;
export type TextAnswer = Answer<string | null>;
export type IndexedAnswer = Answer<null>;
export type FollowAnswer = Answer<Marks>;

/** A thrown thing as it travels. */
export function toFailure(thrown: unknown, context: string): RpcFailure {
  const error = toFlowError(thrown, context);
  return {
    code: error.code,
    message: error.message,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    ...(Object.keys(error.data).length === 0 ? {} : { data: error.data }),
    retryable: error.retryable,
  };
}

/** The refusal as the caller's own error. */
export function fromFailure(failure: RpcFailure): FlowError {
  const code: ErrorCode = isErrorCode(failure.code) ? failure.code : 'internal';
  return new FlowError(code, failure.message, {
    ...(failure.remedy === undefined ? {} : { remedy: failure.remedy }),
    ...(failure.data === undefined ? {} : { data: failure.data }),
    ...(failure.retryable === undefined ? {} : { retryable: failure.retryable }),
  });
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}
