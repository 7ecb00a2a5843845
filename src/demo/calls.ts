import { setTimeout as wait } from 'node:timers/promises';
import type { App, Envelope } from '../app-types.ts';
import { ERROR_CODES, FlowError } from '../protocol/errors.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import { parseLines } from '../protocol/mention.ts';
import type { ProtocolLine } from '../protocol/mention.ts';

/** More than a demo says in a room. */
export const MESSAGES = 500;

/** A call that must succeed: the demo's programs handle what they expect and stop at everything else. */
export async function call(app: App, tool: string, action: string, payload: object = {}): Promise<Envelope> {
  const envelope = await tryCall(app, tool, action, payload);
  if (envelope.ok) return envelope;
  const { error = 'refused without a reason', remedy } = envelope;
  const message = `${app.identity.localpart}'s ${tool} ${action} was refused: ${error}`;
  throw new FlowError(codeOf(envelope), message, typeof remedy === 'string' ? { remedy } : {});
}

export function tryCall(app: App, tool: string, action: string, payload: object = {}): Promise<Envelope> {
  return app.call({ tool, action, payload });
}

function codeOf({ code = '' }: Envelope): ErrorCode {
  return Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'internal';
}

/** What a room's answer (`message list`) holds, oldest first. */
export function textsOf(answer: Envelope): readonly string[] {
  return (answer['messages'] as readonly { readonly text: string }[]).map(({ text }) => text);
}

/** The lines among messages that name a task. */
export function taskLinesOf(texts: readonly string[]): readonly (ProtocolLine & { readonly taskId: string })[] {
  return texts
    .flatMap(parseLines)
    .flatMap((line) => (line.taskId === undefined ? [] : [{ ...line, taskId: line.taskId }]));
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
