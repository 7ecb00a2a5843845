import type { App, AppIdentity, Envelope, Happening, Marks, RunningNode, ToolCall } from '../../src/app-types.ts';

/**
 * The app as a door sees it, for tests of the doors themselves: it answers from a table and remembers what it was
 * asked. What the real app answers is tested where the app is.
 */
export interface FakeApp extends RunningNode {
  readonly calls: ToolCall[];
  readonly state: { closed: number; stopped: number };
  /** Those who follow it now, each with the marks that it was given. */
  readonly followers: Map<(happening: Happening) => void, Marks | undefined>;
}

export interface FakeAppOptions {
  readonly root?: string;
  readonly identity?: AppIdentity;
  readonly mode?: App['mode'];
  readonly files?: Readonly<Record<string, string>>;
  readonly answer?: (call: ToolCall) => Envelope | Promise<Envelope>;
  readonly indexed?: () => Promise<void>;
}

export const LEAD: AppIdentity = { localpart: 'lead', role: 'leader', matrixUserId: '@lead:local' };

export function fakeApp({
  root = '/nowhere',
  identity = LEAD,
  mode = 'solo',
  files = {},
  answer,
  indexed = () => Promise.resolve(),
}: FakeAppOptions = {}): FakeApp {
  const calls: ToolCall[] = [];
  const state = { closed: 0, stopped: 0 };
  const followers: FakeApp['followers'] = new Map();
  const stopped = Promise.withResolvers<void>();
  return {
    root,
    identity,
    mode,
    calls,
    state,
    followers,
    follow: (marks, tell) => {
      followers.set(tell, marks);
      return { marks: marks ?? {}, stop: () => void followers.delete(tell) };
    },
    call: async (call) => {
      calls.push(call);
      return (await answer?.(call)) ?? { ok: true, tool: call.tool, action: call.action };
    },
    sync: () => Promise.resolve({ ok: true, action: 'sync' }),
    text: (path) => Promise.resolve(files[path]),
    close: () => {
      state.closed += 1;
      return Promise.resolve();
    },
    stopped: stopped.promise,
    indexed,
    hurry: () => undefined,
    quietFor: () => Number.POSITIVE_INFINITY,
    stop: () => {
      state.stopped += 1;
      stopped.resolve();
      return Promise.resolve();
    },
  };
}
