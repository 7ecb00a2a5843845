import { setTimeout as wait } from 'node:timers/promises';
import type { App, Envelope } from '../app-types.ts';

/** A call that must succeed: the demo's programs handle what they expect and stop at everything else. */
export async function call(app: App, tool: string, action: string, payload: object = {}): Promise<Envelope> {
  const envelope = await tryCall(app, tool, action, payload);
  if (!envelope.ok) throw new Error(`${tool} ${action}: ${envelope.error ?? 'failed'} (${envelope.code ?? 'no code'})`);
  return envelope;
}

export function tryCall(app: App, tool: string, action: string, payload: object = {}): Promise<Envelope> {
  return app.call({ tool, action, payload });
}

/** Asks `attempt` until it answers something; the pace of programs that are not told when to look. */
export async function until<Value>(
  attempt: () => Promise<Value | undefined>,
  signal: AbortSignal,
  pause = 120,
): Promise<Value> {
  for (;;) {
    signal.throwIfAborted();
    const value = await attempt();
    if (value !== undefined) return value;
    await wait(pause, undefined, { signal });
  }
}
