import type { Announcement } from '../ports-chat.ts';
import { sameLocalpart } from '../protocol/identity.ts';
import { labelsFor } from '../protocol/labels/languages.ts';
import { answerText, assignmentText, attentionText, completionText } from '../protocol/mention.ts';
import { taskPaths } from '../protocol/paths.ts';
import type { Actor, EventRecord, TaskMeta } from '../protocol/records/types.ts';
import { markdownText } from '../protocol/report-facts.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { leads } from '../protocol/roles.ts';
import { parseTime } from '../protocol/timestamps.ts';
import type { Finding } from '../rules/consistency.ts';
import { isTerminalTask } from '../rules/lifecycle.ts';
import type { RecordedRefusal } from './refusals.ts';

export interface NoticeRequest {
  readonly view: WorkspaceView;
  /** Those that were not told of yet. */
  readonly findings: readonly Finding[];
  /** Likewise. */
  readonly refusals: readonly RecordedRefusal[];
  /** Tasks of which there may be something new to say. */
  readonly tasks: readonly string[];
  /**
   * A time as records have it (protocol.md §1.2): what happened then or later is told also when more has happened, since no round may
   * have come between the two. Of what is older, what still stands; of a cancelled task nothing calls for anybody any more.
   */
  readonly since: string;
  readonly identity: Actor;
  readonly localRooms: boolean;
  readonly mode: 'solo' | 'team';
}

/**
 * What this node must say although no call of its own caused it: broken files, refused parts of lanes and, where
 * messages stay on one machine, the lines that other nodes would have written into a shared room. Every text comes
 * from state and every transaction id from the fact, so that saying it again makes no second message.
 */
export function noticesFor(request: NoticeRequest): readonly Announcement[] {
  const isLeaders = leads(request.identity);
  const mirrored = request.localRooms && request.mode === 'team';
  return [
    ...(isLeaders ? findingNotices(request) : ownFindingNotices(request)),
    // In a shared room the Leader's word is enough, and it names the Worker.
    ...(isLeaders || request.localRooms ? refusalNotices(request, isLeaders) : []),
    ...(mirrored
      ? isLeaders
        ? [...attentionLines(request), ...submissionLines(request)]
        : [...assignmentLines(request), ...answerLines(request)]
      : []),
  ];
}

/** What is wrong with the files of the team, and what only a person can settle. */
const TOLD: ReadonlySet<string> = new Set([
  'broken-file',
  'broken-graph',
  'foreign-task-record',
  'invalid-result',
  'marker-and-record-disagree',
  'missing-plan',
  'missing-task-record',
  'orphan-task',
  'other-assignee',
]);

/** The team's business: the Leader's node says so, once per defect. What the node mends itself is no news. */
function findingNotices({ view, findings }: NoticeRequest): readonly Announcement[] {
  return findings
    .filter(({ kind, repair }) => TOLD.has(kind) && repair === undefined)
    .map((finding) => findingNotice(view, finding));
}

/** A Worker hears why its own result cannot be read, by line (architecture.md, "One task, start to end"). */
function ownFindingNotices({ view, findings, identity }: NoticeRequest): readonly Announcement[] {
  return findings
    .filter(({ kind, taskId }) => kind === 'invalid-result' && isSelf(identity, assigneeOf(view, taskId)))
    .map((finding) => findingNotice(view, finding));
}

/** Localparts are compared without case (protocol.md §1.3). */
function isSelf({ localpart }: Actor, name: string | undefined): boolean {
  return name !== undefined && sameLocalpart(name, localpart);
}

function assigneeOf(view: WorkspaceView, taskId: string | undefined): string | undefined {
  return taskId === undefined ? undefined : view.task(taskId)?.meta?.assigned_to;
}

/**
 * Refused parts of lanes: told to the Leader by its own node, and to the Worker in its own clone. Only
 * those who integrate lanes are believed: a Worker may write what it likes into its own log.
 */
function refusalNotices(request: NoticeRequest, isLeaders: boolean): readonly Announcement[] {
  const { view, identity, refusals } = request;
  return refusals
    .filter(
      ({ writer, event }) => integrates(request, writer, isLeaders) && (isLeaders || isSelf(identity, workerOf(event))),
    )
    .map(({ event }) => {
      const worker = workerOf(event);
      const mention = view.agent(worker)?.matrix_user_id;
      const reason = event.note === undefined ? undefined : quoted(event.note);
      const text = labelsFor(view.team.policies.language).noticeLaneRefused(quoted(worker), reason);
      return notice(view, `refused-${event.id}`, text, mention === undefined ? [] : [mention]);
    });
}

function integrates({ view, identity }: NoticeRequest, writer: string, isLeaders: boolean): boolean {
  return view.agent(writer)?.role === 'leader' || (isLeaders && isSelf(identity, writer));
}

function workerOf({ data }: EventRecord): string {
  const worker = data?.['worker'];
  return typeof worker === 'string' ? worker : '';
}

function findingNotice(view: WorkspaceView, { key, message, remedy, file, line }: Finding): Announcement {
  const place = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`} `;
  const { noticeFinding } = labelsFor(view.team.policies.language);
  return notice(view, key, noticeFinding(`${quoted(place + message)}.`, quoted(remedy)), []);
}

/** Names of files and what stands in them are others' words, which the Leader's account only repeats. */
function quoted(text: string): string {
  return markdownText(text, 500);
}

function notice(view: WorkspaceView, txn: string, text: string, mentions: readonly string[]): Announcement {
  return { kind: 'notice', txn, room: view.team.teamRoomId, text, mentions };
}

/** Whether what happened to a task at that time is to be told although more has happened since. */
function isFresh({ since }: NoticeRequest, { status }: TaskMeta, time: string | undefined): boolean {
  if (time === undefined || status === 'cancelled') return false;
  // Mostly, and many thousand times in a look at everything.
  if (time.length === since.length && time[10] === 'T' && time.endsWith('Z')) return time >= since;
  return (parseTime(time) ?? 0) >= (parseTime(since) ?? 0);
}

const AT_WORK: ReadonlySet<string> = new Set(['prepared', 'assigned', 'in_progress']);

/** In a Worker's own room log: what the Leader has assigned to it, and once more what it was late to take on. */
function assignmentLines(request: NoticeRequest): readonly Announcement[] {
  const { view, identity } = request;
  return tasksOf(request)
    .filter((meta) => isSelf(identity, meta.assigned_to) && meta.notify_txn !== undefined)
    .filter((meta) => AT_WORK.has(meta.status) || isFresh(request, meta, meta.assigned_at))
    .flatMap((meta) => {
      const { notify_txn: txn = '', raised = [], status } = meta;
      const late = status === 'assigned' ? raised : [];
      const reminders = late.filter(({ key }) => key.startsWith('unacknowledged:')).map(({ key }) => `${txn}-${key}`);
      return [txn, ...reminders].map((each) => ({
        kind: 'assignment' as const,
        txn: each,
        room: meta.room_id ?? view.team.teamRoomId,
        text: assignmentText({
          assignee: identity.matrixUserId ?? identity.localpart,
          taskId: meta.task_id,
          title: meta.task_title,
          spec: view.text(taskPaths(meta.task_id).spec) ?? '',
          specPreviewChars: view.team.policies.specPreviewChars,
        }),
        mentions: identity.matrixUserId === undefined ? [] : [identity.matrixUserId],
      }));
    });
}

/** In a Worker's own room log: what it was told on its questions. */
function answerLines(request: NoticeRequest): readonly Announcement[] {
  const { view, identity } = request;
  const own = tasksOf(request).filter(({ assigned_to: name }) => isSelf(identity, name));
  return own.flatMap((meta) =>
    (meta.attention ?? []).flatMap(({ kind, attempt, answer, answeredBy = '', answeredAt }) =>
      answer === undefined || (isTerminalTask(meta.status) && !isFresh(request, meta, answeredAt))
        ? []
        : [
            {
              kind: 'attention' as const,
              txn: `answer-${meta.task_id}-${kind}-${attempt}`,
              room: meta.room_id ?? view.team.teamRoomId,
              text: answerText({
                assignee: identity.matrixUserId ?? identity.localpart,
                taskId: meta.task_id,
                kind,
                answer,
                by: answeredBy,
              }),
              mentions: identity.matrixUserId === undefined ? [] : [identity.matrixUserId],
            },
          ],
    ),
  );
}

/** In the Leader's own room log: what Workers ask. */
function attentionLines(request: NoticeRequest): readonly Announcement[] {
  const { view, identity } = request;
  const leader = identity.matrixUserId ?? identity.localpart;
  return tasksOf(request).flatMap((meta) =>
    (meta.attention ?? [])
      .filter(({ resolved, requestedAt }) => !resolved || isFresh(request, meta, requestedAt))
      .map(({ kind, question, attempt }) => ({
        kind: 'attention' as const,
        txn: `attention-${meta.task_id}-${kind}-${attempt}`,
        room: meta.room_id ?? view.team.teamRoomId,
        text: attentionText({
          leader,
          taskId: meta.task_id,
          kind,
          question,
          worker: meta.assigned_to_mxid ?? meta.assigned_to,
        }),
        mentions: identity.matrixUserId === undefined ? [] : [identity.matrixUserId],
        ...(meta.assigned_to_mxid === undefined ? {} : { sender: meta.assigned_to_mxid }),
      })),
  );
}

/** In the Leader's own room log: what Workers have submitted. */
function submissionLines(request: NoticeRequest): readonly Announcement[] {
  const { view, identity } = request;
  const leader = identity.matrixUserId ?? identity.localpart;
  return tasksOf(request)
    .filter(({ result_status }) => result_status !== undefined)
    .filter((meta) => meta.status === 'submitted' || isFresh(request, meta, meta.submitted_at))
    .map((meta) => ({
      kind: 'completion',
      txn: `submit-${meta.task_id}-${meta.result_status ?? ''}`,
      room: meta.room_id ?? view.team.teamRoomId,
      text: completionText({
        leader,
        taskId: meta.task_id,
        status: meta.result_status ?? 'SUCCESS',
        summary: meta.summary ?? '',
        worker: meta.assigned_to_mxid ?? meta.assigned_to,
      }),
      mentions: identity.matrixUserId === undefined ? [] : [identity.matrixUserId],
      ...(meta.assigned_to_mxid === undefined ? {} : { sender: meta.assigned_to_mxid }),
    }));
}

function tasksOf({ view, tasks }: NoticeRequest): readonly TaskMeta[] {
  return tasks.flatMap((id) => {
    const meta = view.task(id)?.meta;
    return meta === undefined ? [] : [meta];
  });
}
