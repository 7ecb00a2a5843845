import { isReadableId } from './ids.ts';
import { taskPaths } from './paths.ts';
import { clip, plainText, withoutNoReply } from './plain-text.ts';
import { ATTENTION_KINDS } from './records/types.ts';
import type { AttentionKind, ResultStatus } from './records/types.ts';
import { isEffective } from './result/digest.ts';

const TITLE_MAX = 200;
const REASON_MAX = 160;
const PREVIEW_MAX = 500;

const MATRIX_ID = /(?<![A-Za-z0-9._=+-])@[A-Za-z0-9._=+/-]+:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?/g;

/** Full Matrix ids in a text, in order, without duplicates (protocol.md §1.4, §13.1). */
export function mentionsIn(text: string): readonly string[] {
  return [...new Set([...text.matchAll(MATRIX_ID)].map(([id]) => id))];
}

/** Text with its full Matrix ids taken out. */
export function withoutMatrixIds(text: string): string {
  return text.replaceAll(MATRIX_ID, '');
}

export interface AssignmentFacts {
  /** Full Matrix id of the Worker. */
  readonly assignee: string;
  readonly taskId: string;
  readonly title: string;
  readonly spec?: string;
  /** How much of the spec is shown; 0, the default, shows nothing, because specs may hold what a room should not see. */
  readonly specPreviewChars?: number;
}

/** What wakes the Worker (protocol.md §13.2). */
export function assignmentText({ assignee, taskId, title, spec = '', specPreviewChars = 0 }: AssignmentFacts): string {
  const line = `${assignee} TASK_ASSIGNED: ${taskId} - ${plainText(title, TITLE_MAX)}. Please start; spec: ${taskPaths(taskId).spec}`;
  const text = withoutNoReply(spec).replaceAll('@', '＠').trim();
  if (specPreviewChars <= 0 || text === '') return line;
  const preview = clip(text, specPreviewChars);
  return `${line}\n\n${preview === text ? text : `${preview.slice(0, -1)}...`}`;
}

export interface CompletionFacts {
  /** Full Matrix id of the Leader. */
  readonly leader: string;
  readonly taskId: string;
  readonly status: ResultStatus;
  readonly summary: string;
  readonly worker?: string | undefined;
  /** Where the result stands; the task's own `result.md` unless given. */
  readonly resultPath?: string;
}

const RESULT_TOKENS: Readonly<Record<ResultStatus, string>> = {
  SUCCESS: 'TASK_COMPLETED',
  SUCCESS_WITH_NOTES: 'TASK_COMPLETED',
  REVISION_NEEDED: 'TASK_REVISION_NEEDED',
  BLOCKED: 'TASK_BLOCKED',
  INTERRUPTED: 'TASK_INTERRUPTED',
};

/** What tells the Leader of a submission (protocol.md §13.3); the first line is the one that is parsed. */
export function completionText({ leader, taskId, status, summary, worker, resultPath }: CompletionFacts): string {
  const effective = isEffective(status);
  const reason = plainText(summary, REASON_MAX);
  const preview = plainText(summary, PREVIEW_MAX);
  const outcome = effective ? `Result: ${resultPath ?? taskPaths(taskId).result}` : reason;
  return [
    `${leader} ${RESULT_TOKENS[status]}: ${taskId} - ${outcome}`,
    ...(worker === undefined ? [] : [`- Worker: ${worker}`]),
    ...(status === 'SUCCESS' ? [] : [`- Status: ${status}`]),
    ...(preview === '' || preview === outcome ? [] : [`- Summary: ${preview}`]),
  ].join('\n');
}

export interface AttentionFacts {
  /** Full Matrix id of who is asked. */
  readonly leader: string;
  readonly taskId: string;
  readonly kind: AttentionKind;
  readonly question: string;
  readonly worker?: string | undefined;
}

/** A Worker's call for a person (protocol.md §10.7). */
export function attentionText({ leader, taskId, kind, question, worker }: AttentionFacts): string {
  const line = `${leader} ATTENTION_${kind.toUpperCase()}: ${taskId} - ${plainText(question, PREVIEW_MAX)}`;
  return worker === undefined ? line : `${line}\n- Worker: ${worker}`;
}

export interface AnswerFacts {
  /** Full Matrix id of the Worker who asked. */
  readonly assignee: string;
  readonly taskId: string;
  readonly kind: AttentionKind;
  readonly answer: string;
  /** Localpart of who answered. */
  readonly by: string;
}

/** What tells a Worker that its question has been answered; the answer in full stands in the task's record. */
export function answerText({ assignee, taskId, kind, answer, by }: AnswerFacts): string {
  const line = `${assignee} ATTENTION_ANSWERED: ${taskId} - ${plainText(answer, PREVIEW_MAX)}`;
  return `${line}\n- Kind: ${kind}\n- By: ${plainText(by)}`;
}

/** The announcement of a project's end (protocol.md §13.3). `addressee` is mentioned when given. */
export function projectCompletedText(facts: {
  readonly projectId: string;
  readonly title: string;
  readonly addressee?: string | undefined;
}): string {
  const { projectId, title, addressee } = facts;
  const line = `PROJECT_COMPLETED: ${projectId} - ${plainText(title, TITLE_MAX)}`;
  return addressee === undefined ? line : `${addressee} ${line}`;
}

type LineKind =
  | 'assigned'
  | 'completed'
  | 'blocked'
  | 'revision'
  | 'interrupted'
  | 'failed'
  | 'partial'
  | 'question'
  | 'attention'
  | 'answered'
  | 'project-completed'
  | 'phase-done';

export interface ProtocolLine {
  readonly kind: LineKind;
  readonly taskId?: string;
  readonly projectId?: string;
  readonly attention?: AttentionKind;
  readonly phase?: number;
  /** What follows the id, or the whole text of a question. */
  readonly text: string;
}

const KINDS: ReadonlyMap<string, LineKind> = new Map([
  ['TASK_ASSIGNED', 'assigned'],
  ['TASK_COMPLETED', 'completed'],
  ['TASK_BLOCKED', 'blocked'],
  ['BLOCKED', 'blocked'],
  ['TASK_REVISION_NEEDED', 'revision'],
  ['TASK_INTERRUPTED', 'interrupted'],
  ['TASK_FAILED', 'failed'],
  ['TASK_PARTIAL', 'partial'],
  ['ATTENTION_ANSWERED', 'answered'],
  ['PROJECT_COMPLETED', 'project-completed'],
]);

/** Mentions, or the bare name that a room without Matrix uses, before what is said. */
const ADDRESS = /^(?:@\S+[ \t]+)*(?:[A-Za-z0-9._=+/-]+[ \t]+)??(?=[A-Z]+\d*_?[A-Z_]*(?:[:：]|$)|You are assigned)/;

/**
 * Reads the first line of a message in any known spelling (protocol.md §13.2, §13.3, §10.7). It is a hint to look at
 * the files and proves nothing by itself. `undefined` for ordinary talk.
 */
export function parseLine(text: string): ProtocolLine | undefined {
  const [first = ''] = text.trim().split('\n', 1);
  const line = clip(first, 2_000).trim().replace(ADDRESS, '');

  const legacy = /^You are assigned task \*\*([^*\s]+)\*\*[:：]?[ \t]*(.*)$/.exec(line);
  if (legacy !== null) return withId('assigned', legacy[1] ?? '', legacy[2] ?? '');

  const phase = /^PHASE(\d{1,4})_DONE(?:[:：][ \t]*(.*))?$/.exec(line);
  if (phase !== null) return { kind: 'phase-done', phase: Number(phase[1]), ...idAndText(phase[2] ?? '') };

  const [, token = '', rest = ''] = /^([A-Z_]+)[:：][ \t]*(.*)$/.exec(line) ?? [];
  if (token === 'QUESTION') return { kind: 'question', text: rest };
  return lineAboutId(token, rest);
}

/**
 * Every protocol line of a message: a digest gathers several messages, each of which is a paragraph of its own or more
 * (protocol.md §13). Ordinary talk among them is passed over.
 */
export function parseLines(text: string): readonly ProtocolLine[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const begins = line.trim() !== '' && (index === 0 || lines[index - 1]?.trim() === '');
    return begins ? (parseLine(line) ?? []) : [];
  });
}

function lineAboutId(token: string, rest: string): ProtocolLine | undefined {
  const { taskId: id, text } = idAndText(rest);
  const kind = KINDS.get(token);
  const attention = ATTENTION_KINDS.find((known) => token === `ATTENTION_${known.toUpperCase()}`);
  if (id === undefined) return undefined;
  if (attention !== undefined) return { kind: 'attention', taskId: id, attention, text };
  if (kind === undefined) return undefined;
  return kind === 'project-completed' ? { kind, projectId: id, text } : { kind, taskId: id, text };
}

function withId(kind: LineKind, id: string, text: string): ProtocolLine | undefined {
  return isReadableId(id) ? { kind, taskId: id, text: text.trim() } : undefined;
}

/** `<id> - <text>`; the id is the first token, whatever punctuation a person put behind it. */
function idAndText(rest: string): { readonly taskId?: string; readonly text: string } {
  const [, written = '', after = ''] = /^(\S+)[ \t]*(.*)$/.exec(rest) ?? [];
  const id = written.replace(/^[`*]{1,3}/, '').replace(/[`*.,;:]{1,5}$/, '');
  if (!isReadableId(id)) return { text: rest.trim() };
  return { taskId: id, text: after.replace(/^(?:[-—–]+|:)[ \t]*/, '').trim() };
}
