import type { LaneRefusal, Transaction } from '../ports.ts';
import type { Change } from '../protocol/changes.ts';
import { parseJson } from '../protocol/json.ts';
import { taskPaths } from '../protocol/paths.ts';

/** One step of a commit, as its message tells it. */
export interface Step {
  readonly transaction: Pick<Transaction<unknown>, 'actor' | 'label' | 'subject'>;
  readonly changes: readonly Change[];
}

/**
 * protocol.md §11.2: the step itself for one, a summary line and one block of trailers per step for a group.
 * Values come from files and callers, so none may hold a line break.
 */
export function commitMessage(steps: readonly Step[]): string {
  const [first] = steps;
  const subject = steps.length === 1 && first !== undefined ? line(first.transaction.label) : summary(steps);
  return `${[subject, ...steps.map(trailers)].join('\n\n')}\n`;
}

function summary(steps: readonly Step[]): string {
  const counts = new Map<string, number>();
  for (const { transaction } of steps) {
    const name = operationOf(transaction.label);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return `taskflow: ${[...counts].map(([name, count]) => (count === 1 ? name : `${count} ${name}`)).join(', ')}`;
}

function trailers({ transaction, changes }: Step): string {
  const { actor, label, subject } = transaction;
  const submission = submissionOf(subject.task, changes);
  return [
    `Actor: ${line(`${actor.role}:${actor.localpart}`)}`,
    `Op: ${line(operationOf(label))}`,
    ...(subject.project === undefined ? [] : [`Project: ${line(subject.project)}`]),
    ...(subject.task === undefined ? [] : [`Task: ${line(subject.task)}`]),
    ...(submission === undefined ? [] : [`Submission: ${line(submission)}`]),
  ].join('\n');
}

/** `delegate_task` of `taskflow(delegate_task): t-01`. */
function operationOf(label: string): string {
  return /^[\w-]+\(([^)]*)\)/.exec(label)?.[1] ?? label;
}

/** The submission that a step wrote into the task's record. */
function submissionOf(task: string | undefined, changes: readonly Change[]): string | undefined {
  if (task === undefined) return undefined;
  const path = taskPaths(task).meta;
  const change = changes.find((candidate) => candidate.path === path);
  if (change?.kind !== 'write') return undefined;
  const parsed = parseJson(change.text, path);
  const id = 'value' in parsed ? parsed.value['submission_id'] : undefined;
  return typeof id === 'string' ? id : undefined;
}

/** A lane that is merged into main. */
interface MergedLane {
  readonly lane: string;
  readonly localpart: string;
}

/** architecture.md, "Lanes": whose work it is, and what was not taken of it, stands in the merge itself. */
export function integrationMessage(lanes: readonly MergedLane[], refusals: readonly LaneRefusal[] = []): string {
  const isOne = lanes.length === 1;
  const named = `integrate ${lanes.map(({ lane }) => line(lane)).join(', ')}`;
  const subject = isOne || named.length <= LONGEST_SUBJECT ? named : `integrate ${lanes.length} lanes`;
  const blocks = lanes.map(
    ({ lane, localpart }) => `${isOne ? '' : `Lane: ${line(lane)}\n`}Actor: worker:${line(localpart)}`,
  );
  const refused = refusals.map(({ path, reason }) => `\nRefused: ${line(path)} ${line(reason)}`);
  return `${[subject, ...blocks].join('\n\n')}${refused.join('')}\n`;
}

/** Characters of a first line that every program shows whole. */
const LONGEST_SUBJECT = 72;

const LONGEST_LINE = 300;

function line(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, LONGEST_LINE);
}
