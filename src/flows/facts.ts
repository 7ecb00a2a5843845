import type { Announcer, Chat } from '../ports-chat.ts';
import type { Clock, Heartbeats, Histories, Sync, WorkIndex, WorkTree } from '../ports.ts';
import type { Actor } from '../protocol/records/types.ts';
import { redactedAll } from '../protocol/secrets/known.ts';
import type { Secrets } from '../protocol/secrets/known.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { roomsToExamine } from '../rules/chat-findings.ts';
import type { ChatFacts } from '../rules/chat-findings.ts';
import type { Attendance } from './attendance.ts';
import type { Facts, Operation, OperationContext } from './types.ts';

/** What the facts of an operation are gathered from. */
export interface FactSources {
  readonly sync: Sync;
  readonly workTree: WorkTree;
  readonly announcer: Announcer;
  readonly chat: Chat;
  readonly clock: Clock;
  /** The node's own agent: the writer of its event file. */
  readonly identity: Actor;
  /** Absent: no history can be asked for. */
  readonly histories?: Histories;
  /** Absent: lists of work are read from the files. */
  readonly index?: WorkIndex;
  /** Absent: nothing is known of heartbeats, and none is counted. */
  readonly heartbeats?: Heartbeats;
  /** What the node knows to be secret, beside what has the form of it; absent: nothing. */
  readonly secrets?: Secrets;
}

/** All that a decision depends on, with the files as a view has them. */
export type ContextOf = (view: WorkspaceView) => OperationContext<unknown>;

/** Gathers the facts that an operation asks for by name, once for every view that it is decided on. */
export async function contextFactory(
  sources: FactSources,
  attendance: Attendance,
  operation: Operation,
  input: unknown,
  actor: Actor,
): Promise<ContextOf> {
  const { chat, clock, sync, workTree, identity, index, heartbeats } = sources;
  const wanted = operation.facts ?? [];
  const request = input as { roomId?: string; id?: string; limit?: number };
  // Rooms on this machine need nobody to join them, and reports leave from the Leader's node or the admin's.
  const mayTell = chat.kind === 'remote' && (identity.role === 'leader' || identity.role === 'admin');
  const audience = mayTell ? operation.audience?.({ view: workTree.view(), input }) : undefined;
  const absent = audience === undefined ? undefined : await attendance(audience);
  const facts: Facts = {
    chat: { kind: chat.kind, self: chat.self },
    lanes: () => sync.lanes(),
    ...(absent === undefined ? {} : { absent }),
    ...(wanted.includes('sync') ? { sync: { ...(await sync.status()) } } : {}),
    ...(wanted.includes('messages') ? { messages: await chat.history(request.roomId, request.limit ?? 50) } : {}),
    ...(wanted.includes('unfit') ? { unfit: await sync.unfit() } : {}),
    ...(wanted.includes('history') ? await historyOf(sources, request) : {}),
    ...(index === undefined ? {} : indexFacts(index, wanted)),
    ...(heartbeats === undefined ? {} : beatFacts(heartbeats, wanted)),
    ...(wanted.includes('rooms') ? { rooms: await chatFacts(sources) } : {}),
  };
  const ids = { submission: clock.hex(16), txn: clock.hex(6), localTime: clock.localStamp() };
  const now = clock.now();
  return (view) => ({ view, input, actor, now, ids, facts });
}

async function historyOf(
  { histories }: FactSources,
  { id = '', limit = 50 }: { readonly id?: string; readonly limit?: number },
): Promise<Pick<Facts, 'history'>> {
  const history = await histories?.of(id, limit);
  return history === undefined ? {} : { history };
}

/** What is asked of the index only when it is needed: it looks at every folder. */
function indexFacts(index: WorkIndex, wanted: readonly string[]): Pick<Facts, 'work' | 'rebuilt'> {
  return {
    ...(wanted.includes('work') ? { work: () => index.facts() } : {}),
    ...(wanted.includes('rebuilt') ? { rebuilt: () => index.rebuild() } : {}),
  };
}

function beatFacts(heartbeats: Heartbeats, wanted: readonly string[]): Pick<Facts, 'beats' | 'heartbeat'> {
  return {
    ...(wanted.includes('beats') ? { beats: () => heartbeats.seen() } : {}),
    ...(wanted.includes('heartbeat') ? { heartbeat: () => heartbeats.beat() } : {}),
  };
}

/** How messages stand, seen from the node's own account whoever asks. */
async function chatFacts({ chat, announcer, identity, workTree, secrets }: FactSources): Promise<ChatFacts> {
  const rooms = roomsToExamine(workTree.view().team, identity).flatMap(({ room }) => room ?? []);
  const report = await chat.examine?.(rooms);
  const owed = (announcer.pending?.() ?? []).map(({ announcement: { room, kind }, state, since, error }) => ({
    room,
    kind,
    state,
    since,
    ...(error === undefined ? {} : { error }),
  }));
  // A homeserver says what it likes of what it refuses.
  const told = report === undefined || secrets === undefined ? report : redactedAll(report, secrets.redact);
  return { owed, ...(told === undefined ? {} : { report: told }) };
}
