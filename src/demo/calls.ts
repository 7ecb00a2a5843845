import { setTimeout as wait } from 'node:timers/promises';
import type { App, Envelope } from '../app-types.ts';
import { ERROR_CODES, FlowError } from '../protocol/errors.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import { parseLine } from '../protocol/mention.ts';
import type { ProtocolLine } from '../protocol/mention.ts';

/** More than a demo says in a room. */
export const MESSAGES = 500;

/** A call that must succeed: the demo's programs handle what they expect and stop at everything else. */
export async function call(app: App, tool: string, action: string, payload: object = {}): Promise<Envelope> {
  const envelope = await tryCall(app, tool, action, payload);
  if (envelope.ok) return envelope;
  throw refusal(app, tool, action, envelope);
}

/**
 * A call that also has something said. Where the room cannot take it now, because its homeserver limits how much is
 * said at once, the call has done its work all the same, and the node says it later.
 */
export async function callAndSay(app: App, tool: string, action: string, payload: object): Promise<void> {
  const envelope = await tryCall(app, tool, action, payload);
  if (envelope.ok || (envelope.code === 'notify-failed' && envelope['retryable'] === true)) return;
  throw refusal(app, tool, action, envelope);
}

export function tryCall(app: App, tool: string, action: string, payload: object = {}): Promise<Envelope> {
  return app.call({ tool, action, payload });
}

function refusal(app: App, tool: string, action: string, envelope: Envelope): FlowError {
  const { error = 'refused without a reason', remedy } = envelope;
  const message = `${app.identity.localpart}'s ${tool} ${action} was refused: ${error}`;
  return new FlowError(codeOf(envelope), message, typeof remedy === 'string' ? { remedy } : {});
}

function codeOf({ code = '' }: Envelope): ErrorCode {
  return Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'internal';
}

/** What a room's answer (`message list`) holds, oldest first. */
export function textsOf(answer: Envelope): readonly string[] {
  return (answer['messages'] as readonly { readonly text: string }[]).map(({ text }) => text);
}

/** The lines of the protocol among messages; a message that gathers several has each in a paragraph of its own. */
export function linesOf(texts: readonly string[]): readonly ProtocolLine[] {
  return texts.flatMap((text) => text.split(/\n{2,}/)).flatMap((paragraph) => parseLine(paragraph) ?? []);
}

/** The lines among messages that name a task. */
export function taskLinesOf(texts: readonly string[]): readonly (ProtocolLine & { readonly taskId: string })[] {
  return linesOf(texts).flatMap((line) => (line.taskId === undefined ? [] : [{ ...line, taskId: line.taskId }]));
}

/** What a Worker says of a task that it has handed in. */
export const RESULT_LINES: ReadonlySet<string> = new Set(['completed', 'revision', 'blocked', 'interrupted']);

/** How often a program looks for something in files of its own machine; milliseconds. */
const PACE = 100;

/** Asks `attempt` until it answers something, every `pace` milliseconds. Throws the signal's reason once that aborts. */
export async function until<Value>(
  attempt: () => Promise<Value | undefined>,
  signal: AbortSignal,
  pace = PACE,
): Promise<Value> {
  for (;;) {
    signal.throwIfAborted();
    const value = await attempt();
    if (value !== undefined) return value;
    await wait(pace, undefined, { signal }).catch(() => undefined);
  }
}
