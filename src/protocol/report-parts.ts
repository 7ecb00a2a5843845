import type { Labels } from './labels/labels.ts';
import { plainText } from './plain-text.ts';
import type { NodeStatus } from './plan-types.ts';
import { isOpen, isReady, isSubmitted, markdownText } from './report-facts.ts';
import type { ReportFacts, ReportTask } from './report-facts.ts';
import { drawGraph, drawLoop, isDecided, shortId } from './report-drawing.ts';
import { NODE_MARKS, symbolOf } from './report-marks.ts';

const TITLE_MAX = 80;
const CONTEXT_MAX = 120;
const QUESTION_MAX = 200;
const MOST_ROWS = 30;
const MOST_ITEMS = 20;
const FEW = 5;
/** Of what is new nothing is left out, short of a flood. */
const MOST_CHANGES = 200;
/** The urgency of what neither has changed nor can be acted on. */
const SETTLED = 3;

const COUNTED: readonly NodeStatus[] = ['completed', 'delegated', 'revision', 'blocked', 'cancelled', 'pending'];

/** What is being worked on: a node, a decision, or an iteration and its topic (protocol.md §14.3). */
export function focusOf(facts: ReportFacts): string {
  const { meta, plan, items, labels } = facts;
  if (meta.status === 'completed') return labels.focusComplete;
  if (meta.status === 'paused') return labels.focusPaused;
  if (plan.loop !== undefined) {
    const { currentIteration, maxIterations } = plan.loop;
    const topic = markdownText(topicOf(facts), TITLE_MAX);
    return `${labels.iteration} ${currentIteration} / ${maxIterations}${topic === '' ? '' : `${labels.colon}${topic}`}`;
  }
  if (items.length === 0) return labels.focusPlanning;
  const active = items.filter(({ node }) => node.status === 'delegated');
  if (active.length > 0) return named(active, facts);
  const ready = items.filter(isReady);
  if (ready.length > 0) return labels.focusReady(named(ready, facts));
  const stuck = items.filter(isOpen);
  if (stuck.length > 0) return labels.focusDecision(named(stuck, facts));
  return items.some(({ node }) => node.status === 'pending') ? labels.focusPlanning : labels.focusAllDone;
}

/** One to three sentences. */
export function summaryOf({ meta, items, labels, isPartial }: ReportFacts): string {
  if (items.length === 0) return labels.nothingPlanned;
  const counts = COUNTED.map((status) => [status, items.filter(({ node }) => node.status === status).length] as const);
  const changed = isPartial ? items.filter(({ isChanged }) => isChanged) : [];
  const submitted = items.filter(isSubmitted);
  const changes = changed.map(({ node }) => `${node.id} (${labels.nodeStatus[node.status]})`);
  return [
    labels.counts(items.length, counts),
    ...(changed.length === 0 ? [] : [labels.changed(few(changes, labels, MOST_CHANGES))]),
    ...(submitted.length === 0
      ? []
      : [labels.waitingForCheck(few(idsOf(submitted), labels), meta.status === 'paused')]),
  ].join(labels.gap);
}

/** The task table; of a large plan, or between the first report and the last, the rows that matter now. */
export function tableOf(facts: ReportFacts): readonly string[] {
  const { items, labels, style, isPartial } = facts;
  if (items.length === 0) return [];
  const current = isPartial ? items.filter((item) => urgency(item) < SETTLED) : items;
  const shown = current.length <= MOST_ROWS ? current : mostRelevant(current);
  const rows = shown.map((item) => {
    const { node, owner } = item;
    const status = `${symbolOf(NODE_MARKS[node.status], style)} ${labels.nodeStatus[node.status]}`;
    return [node.id, markdownText(node.title, TITLE_MAX), owner, status, contextOf(item, facts)];
  });
  const lines = [labels.columns, labels.columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return shown.length < items.length ? [...lines, '', labels.more(items.length - shown.length)] : lines;
}

/** The progress drawing, without its fence. */
export function drawingOf(facts: ReportFacts): readonly string[] {
  const { plan, items, meta } = facts;
  if (plan.loop !== undefined) return drawLoop(plan.loop, topicOf(facts), facts);
  if (items.length === 0) return [];
  const changed = items.filter(({ isChanged }) => isChanged);
  const open = items.filter((item) => isOpen(item) || isReady(item));
  return drawGraph(plan.nodes, new Set(idsOf(changed.length > 0 ? changed : open)), meta.project_id, facts);
}

/** Paths of accepted work; of the changed tasks only, while the project goes on. */
export function deliverablesOf({ items, tasks, labels, isPartial }: ReportFacts): readonly string[] {
  const planned = new Map(items.map((item) => [item.node.id, item]));
  const accepted = tasks.filter((task) => {
    const item = planned.get(task.task_id);
    if (isPartial && item?.isChanged !== true) return false;
    return item === undefined ? task.status === 'completed' : item.node.status === 'completed';
  });
  const paths = [...new Set(accepted.flatMap(({ deliverables = [] }) => deliverables))].map((path) => codeSpan(path));
  return capped(paths, labels.more);
}

/** What happens next, the urgent first. */
export function nextStepsOf(facts: ReportFacts): readonly string[] {
  const { meta, plan, items, labels } = facts;
  if (meta.status === 'completed') return [labels.stepNone];
  const paused = meta.status === 'paused';
  const loop = plan.loop;
  const going = loop === undefined || !['completed', 'blocked', 'waiting_user'].includes(loop.status);
  const steps = [
    ...(paused ? [labels.stepResume] : []),
    ...(loop?.status === 'waiting_user' ? [labels.stepAskUser] : []),
    ...items.flatMap(({ node, question }) =>
      question === undefined ? [] : [labels.stepAnswer(node.id, markdownText(question, QUESTION_MAX))],
    ),
    ...idsOf(items.filter(isSubmitted)).map(labels.stepCheck),
    ...idsOf(items.filter(({ node }) => node.status === 'blocked')).map(labels.stepUnblock),
    ...idsOf(items.filter(({ node }) => node.status === 'revision')).map(labels.stepReplan),
    ...(paused || !going ? [] : items.filter(isReady)).map(({ node, owner }) =>
      labels.stepStart(node.id, markdownText(node.title, TITLE_MAX), owner),
    ),
    ...items
      .filter((item) => item.node.status === 'delegated' && !isSubmitted(item))
      .map(({ node, owner }) => labels.stepWait(node.id, owner)),
  ];
  if (steps.length > 0) return capped(steps, labels.more);
  if (loop !== undefined && going && !isDecided(loop) && items.length > 0)
    return [labels.stepDecideLoop(loop.currentIteration)];
  const isOver = loop === undefined ? items.length > 0 && items.every(({ node }) => node.status !== 'pending') : !going;
  return [isOver ? labels.stepComplete : labels.stepPlan];
}

/** What the other parts have no place for. */
export function notesOf({ meta, plan, items, labels, isPartial }: ReportFacts): readonly string[] {
  const withNotes = items.filter(
    ({ node, task, isChanged }) =>
      node.status === 'completed' && task?.result_status === 'SUCCESS_WITH_NOTES' && (!isPartial || isChanged),
  );
  const problems = plan.diagnostics.filter(({ severity }) => severity === 'error').length;
  const reason = meta.status === 'paused' ? markdownText(meta.pause_reason ?? '', QUESTION_MAX) : '';
  const results = withNotes.map(({ node, task }) =>
    labels.noteResult(node.id, codeSpan(task?.result_path ?? `shared/tasks/${node.id}/result.md`)),
  );
  return [
    ...(reason === '' ? [] : [labels.notePause(reason)]),
    ...capped(results, labels.more),
    ...(problems === 0 ? [] : [labels.notePlanProblems(problems)]),
  ];
}

function contextOf(item: ReportTask, facts: ReportFacts): string {
  const { node, task, missing } = item;
  const { labels, meta } = facts;
  if (node.status === 'delegated') return workingContext(item, facts);
  if (node.status === 'cancelled') return cancelledContext(item, facts);
  if (node.status !== 'pending') return markdownText(decidedWords(task) ?? task?.summary ?? '', CONTEXT_MAX);
  const waitsFor = missing.map((id) => shortId(id, meta.project_id));
  return missing.length === 0 ? labels.ready : labels.after(few(waitsFor, labels));
}

/** What the Leader or the admin said on deciding, such as why a result was rejected (protocol.md §10.16, `summary`). */
function decidedWords(task: ReportTask['task']): string | undefined {
  return task?.history?.findLast(({ action }) => action === 'accept_task_result')?.note;
}

function workingContext({ task, question }: ReportTask, { labels }: ReportFacts): string {
  if (question !== undefined) return labels.asks(markdownText(question, CONTEXT_MAX));
  if (task?.status === 'submitted') return labels.submitted;
  if (task?.status !== 'in_progress') return labels.notAcknowledged;
  const note = task.history?.findLast(({ action }) => action === 'progress')?.note ?? '';
  return note === '' ? labels.working : markdownText(note, CONTEXT_MAX);
}

function cancelledContext({ node, task }: ReportTask, { labels }: ReportFacts): string {
  const reason = markdownText(task?.cancel_reason ?? node.cancelled ?? '', CONTEXT_MAX);
  const replacement = markdownText(task?.replacement_task_id ?? '', TITLE_MAX);
  return [reason, replacement === '' ? '' : labels.replacedBy(replacement)]
    .filter((part) => part !== '')
    .join(labels.semicolon);
}

/** A loop's first open task says what it is about now; between tasks, its goal does. */
function topicOf({ plan, items }: ReportFacts): string {
  const open = items.find(({ node }) => node.status === 'delegated' || node.status === 'pending');
  return open?.node.title ?? plan.loop?.goal ?? '';
}

function mostRelevant(items: readonly ReportTask[]): readonly ReportTask[] {
  const chosen = new Set([...items].sort((a, b) => urgency(a) - urgency(b)).slice(0, MOST_ROWS));
  return items.filter((item) => chosen.has(item));
}

function urgency(item: ReportTask): number {
  if (item.isChanged) return 0;
  if (isOpen(item)) return 1;
  return isReady(item) ? 2 : SETTLED;
}

function idsOf(items: readonly ReportTask[]): readonly string[] {
  return items.map(({ node }) => node.id);
}

function named(items: readonly ReportTask[], { labels }: ReportFacts): string {
  return few(
    items.map(({ node }) => `${node.id} ${markdownText(node.title, TITLE_MAX)}`),
    labels,
  );
}

function few(parts: readonly string[], { more, comma }: Labels, most = FEW): string {
  const shown = parts.slice(0, most);
  return [...shown, ...(shown.length < parts.length ? [more(parts.length - shown.length)] : [])].join(comma);
}

function capped(parts: readonly string[], more: (count: number) => string): readonly string[] {
  return parts.length <= MOST_ITEMS ? parts : [...parts.slice(0, MOST_ITEMS), more(parts.length - MOST_ITEMS)];
}

/** A path as it is, except for what would end the span or wake somebody. */
function codeSpan(path: string): string {
  return `\`${plainText(path.replaceAll('`', "'"), 300)}\``;
}
