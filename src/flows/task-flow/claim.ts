import type { Change } from '../../protocol/changes.ts';
import { localpartOf, sameLocalpart } from '../../protocol/identity.ts';
import { assignmentText } from '../../protocol/mention.ts';
import { projectPaths, taskPaths } from '../../protocol/paths.ts';
import { setMarker } from '../../protocol/plan/edit.ts';
import type { PlanNode } from '../../protocol/plan-types.ts';
import { appendHistory } from '../../protocol/records/task.ts';
import type { TaskMeta } from '../../protocol/records/types.ts';
import { normaliseRoom } from '../../protocol/rooms.ts';
import { presentTask } from '../present.ts';
import { advanced } from '../project-flow/phases.ts';
import type { Stepped } from '../project-flow/phases.ts';
import { startedProject } from '../report-reach.ts';
import { historyEntry, writeProject } from '../shared.ts';
import type { OpenProject } from '../shared.ts';
import type { AnnouncementDraft, Decision, OperationContext } from '../types.ts';
import { statusWord, taskEvent, writeMeta } from './common.ts';

/** What a delegation was asked for, read and checked. */
export interface Claim {
  readonly context: OperationContext<unknown>;
  readonly project: OpenProject;
  readonly node: PlanNode;
  /** `''`: none is known, and nobody is written to. */
  readonly roomId: string;
  readonly spec: string;
  readonly title?: string | undefined;
  readonly sourceRoomId?: string | undefined;
  /** Given by the caller in place of the planned one. */
  readonly assignedTo?: string | undefined;
  readonly notify: boolean;
}

export interface DelegateOutput {
  readonly task: Readonly<Record<string, unknown>>;
  readonly notification: Readonly<Record<string, unknown>>;
  /** The text that the Leader may post itself, when nothing went to a homeserver. */
  readonly assignmentMessage?: string;
  /** Nobody is known under the name that it went to. */
  readonly warning?: string;
  readonly synced?: boolean;
  readonly remote?: null;
}

/** A new claim, or a new assignee or room for one that nobody has started (protocol.md §10.1 item 7). */
export function newClaim(claim: Claim, existing: TaskMeta | undefined, mxid: string): Decision<DelegateOutput> {
  const { node, spec, notify, context } = claim;
  const later = notify && isRemote(claim);
  const txn = notify ? newTxn(claim) : undefined;
  const again = existing !== undefined && existing.status !== 'pending';
  const step = { now: context.now, actor: context.actor, action: 'delegate_task' };
  const prepared = appendHistory(
    claimedMeta(claim, existing, mxid, txn),
    historyEntry({ ...step, from: statusWord(existing), to: 'prepared', ...(again ? { note: 're-delegate' } : {}) }),
  );
  const meta = later ? prepared : assigned(claim, prepared);
  const text = messageOf(claim, meta, spec);
  const begun = started(claim);
  return {
    changes: [
      { kind: 'write', path: taskPaths(node.id).spec, text: `${spec.trim()}\n` },
      writeMeta(meta),
      ...markDelegated(claim, claim.assignedTo),
      ...(begun.meta === claim.project.meta ? [] : [writeProject(begun.meta)]),
    ],
    events: [
      taskEvent(again ? 'task.redelegated' : 'task.delegated', 'delegate_task', meta, {
        from: statusWord(existing),
        to: meta.status,
        note: `to ${meta.assigned_to}`,
      }),
      ...begun.events,
    ],
    announcements: txn === undefined ? [] : [announcement(claim, meta, txn, text)],
    output: later ? outputOf(meta, { sent: false }) : outputOf(meta, skipped(notify), text),
  };
}

/** The retry of a claim that is told already: nothing is sent and nothing rewritten. */
export function sameClaim(claim: Claim, existing: TaskMeta): Decision<DelegateOutput> {
  const { event_id: eventId } = existing;
  const text = messageOf(claim, existing, storedSpec(claim));
  return {
    ...repaired(claim, existing, existing),
    announcements: [],
    output:
      eventId === undefined
        ? outputOf(existing, { ...skipped(claim.notify), reused: true }, text)
        : outputOf(existing, { sent: true, eventId, reused: true }),
  };
}

/** The retry of a claim that is not told yet, or not known to be: it goes on where it stopped, under the same id. */
export function resumeClaim(claim: Claim, existing: TaskMeta): Decision<DelegateOutput> {
  const { notify } = claim;
  const later = notify && isRemote(claim);
  const txn = existing.notify_txn ?? newTxn(claim);
  const known: TaskMeta = notify && existing.notify_txn === undefined ? { ...existing, notify_txn: txn } : existing;
  const meta = known.status === 'prepared' && !later ? assigned(claim, known) : known;
  const text = messageOf(claim, meta, storedSpec(claim));
  return {
    ...repaired(claim, existing, meta),
    announcements: notify ? [announcement(claim, meta, txn, text)] : [],
    output: later ? outputOf(meta, { sent: false }) : outputOf(meta, skipped(notify), text),
  };
}

function claimedMeta(
  { context, project, node, roomId, title, sourceRoomId }: Claim,
  existing: TaskMeta | undefined,
  mxid: string,
  txn: string | undefined,
): TaskMeta {
  const { event_id: _event, notify_txn: _txn, ...kept } = existing ?? {};
  return {
    ...kept,
    task_id: node.id,
    project_id: project.id,
    task_title: node.title === node.id ? (title ?? node.title) : node.title,
    assigned_to: localpartOf(mxid),
    assigned_to_mxid: mxid,
    ...earlierAssignees(existing, localpartOf(mxid)),
    ...(roomId === '' ? {} : { room_id: roomId }),
    status: 'prepared',
    depends_on: [...node.dependsOn],
    ...(node.type === undefined ? {} : { type: node.type }),
    assigned_at: existing?.assigned_at ?? context.now,
    ...(txn === undefined ? {} : { notify_txn: txn }),
    spec_path: taskPaths(node.id).spec,
    ...(sourceRoomId === undefined ? {} : { source_room_id: sourceRoomId }),
  };
}

/** Whoever had the task before may have handed it in by now, without anybody here knowing (docs/sync.md). */
function earlierAssignees(
  existing: TaskMeta | undefined,
  assignee: string,
): Pick<TaskMeta, 'earlier_assignees'> | undefined {
  if (existing === undefined || existing.status === 'pending') return undefined;
  const { assigned_to: before, earlier_assignees: known = [] } = existing;
  if (sameLocalpart(before, assignee) || known.some((name) => sameLocalpart(name, before))) return undefined;
  return { earlier_assignees: [...known, before] };
}

/** Where no message has to be confirmed, the claim is an assignment at once. */
function assigned({ context: { now, actor } }: Claim, meta: TaskMeta): TaskMeta {
  return appendHistory(
    { ...meta, status: 'assigned' },
    historyEntry({ now, actor, action: 'delegate_task', from: 'prepared', to: 'assigned' }),
  );
}

/** The first work of a project starts it and makes a report due. */
function started({ project: { meta, plan }, node, context }: Claim): Stepped {
  const nodes = plan.nodes.map((other) => (other.id === node.id ? { ...other, status: 'delegated' as const } : other));
  return advanced(startedProject(meta), { nodes }, context);
}

/** What a retry still has to write, if anything: the record, or a marker that was set back by hand. */
function repaired(
  claim: Claim,
  existing: TaskMeta,
  meta: TaskMeta,
): Pick<Decision<DelegateOutput>, 'changes' | 'events'> {
  const changes: readonly Change[] = [
    ...(meta === existing ? [] : [writeMeta(meta)]),
    ...(claim.node.status === 'pending' ? markDelegated(claim, undefined) : []),
  ];
  const event = taskEvent('task.assigned', 'delegate_task', meta, { from: existing.status, to: meta.status });
  return { changes, events: changes.length === 0 ? [] : [event] };
}

function markDelegated({ project, node }: Claim, assignee: string | undefined): readonly Change[] {
  const options = assignee === undefined || assignee === node.assignee ? {} : { assignee };
  const text = setMarker(project.planText, node.id, 'delegated', options);
  return text === project.planText ? [] : [{ kind: 'write', path: projectPaths(project.id).plan, text }];
}

function isRemote({ context: { facts } }: Claim): boolean {
  return facts.chat.kind === 'remote';
}

/** A new one for every assignment, so that a re-delegation is heard (protocol.md §10.1, "Transaction id"). */
function newTxn({ node, context: { ids } }: Claim): string {
  return `delegate-${node.id}-${ids.txn.slice(0, 12)}`;
}

function storedSpec({ context: { view }, node, spec }: Claim): string {
  return view.text(taskPaths(node.id).spec) ?? spec;
}

function messageOf({ context: { view } }: Claim, meta: TaskMeta, spec: string): string {
  const { specPreviewChars } = view.team.policies;
  return assignmentText({
    assignee: mxidOf(meta),
    taskId: meta.task_id,
    title: meta.task_title,
    spec,
    specPreviewChars,
  });
}

function announcement(claim: Claim, meta: TaskMeta, txn: string, text: string): AnnouncementDraft {
  const mxid = mxidOf(meta);
  const draft = { kind: 'assignment', txn, room: meta.room_id ?? claim.roomId, text, mentions: [mxid] } as const;
  if (!isRemote(claim)) return draft;
  const { actor } = claim.context;
  return {
    ...draft,
    mustHaveJoined: mxid,
    followUp: { operation: 'task.confirm_assignment', input: { taskId: meta.task_id, txn }, actor },
  };
}

function mxidOf(meta: TaskMeta): string {
  return meta.assigned_to_mxid ?? `@${meta.assigned_to}`;
}

function skipped(notify: boolean): { readonly sent: false; readonly skipped: true; readonly reason: string } {
  const reason = notify
    ? 'no homeserver is configured; the assignment is in the local room log'
    : 'notify is off; post the assignment message yourself';
  return { sent: false, skipped: true, reason };
}

function outputOf(
  meta: TaskMeta,
  notification: Readonly<Record<string, unknown>>,
  assignmentMessage?: string,
): DelegateOutput {
  const roomId = normaliseRoom(meta.room_id ?? '') ?? meta.room_id;
  return {
    task: presentTask(meta),
    notification: { ...notification, roomId, assignee: mxidOf(meta) },
    ...(assignmentMessage === undefined ? {} : { assignmentMessage }),
  };
}
