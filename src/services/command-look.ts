import type { CommandTexts } from '../protocol/command-texts.ts';
import { isReadableId } from '../protocol/ids.ts';
import type { PlanNode } from '../protocol/plan-types.ts';
import type { ProjectStatus } from '../protocol/records/types.ts';
import { markdownText } from '../protocol/report-facts.ts';
import { labelsFor } from '../protocol/labels/languages.ts';
import type { WorkspaceView } from '../protocol/view.ts';

/** More projects, or things that wait in one, are counted and not listed: a message has to be read. */
const MOST = 15;

const OVER: ReadonlySet<ProjectStatus> = new Set(['completed', 'failed', 'rejected']);

export function isOpenProject(view: WorkspaceView, id: string): boolean {
  const status = view.project(id)?.meta?.status;
  return status !== undefined && !OVER.has(status);
}

/** The id of a project as it is written in the files; people are free in the use of capitals. */
export function findProject(view: WorkspaceView, word: string): string | undefined {
  if (!isReadableId(word)) return undefined;
  return view.project(word) === undefined ? alike(view.projectIds(), word) : word;
}

/** The id of a task that has a record, or stands in a plan. */
export function findTask(view: WorkspaceView, word: string): string | undefined {
  if (!isReadableId(word)) return undefined;
  if (view.task(word) !== undefined) return word;
  const planned = view.projectIds().flatMap((id) => view.project(id)?.plan.nodes.map((node) => node.id) ?? []);
  return planned.includes(word) ? word : alike([...new Set([...view.taskIds(), ...planned])], word);
}

function alike(ids: readonly string[], word: string): string | undefined {
  const found = ids.filter((id) => id.toLowerCase() === word.toLowerCase());
  return found.length === 1 ? found[0] : undefined;
}

/** An id, or what was meant as one, in code marks. */
export function code(word: string): string {
  return `\`${markdownText(word.replaceAll(/[`\\*[\]<>|~]/g, ''), 130)}\``;
}

/** Ids in code marks, the first few of them. */
export function listed(ids: readonly string[], texts: CommandTexts): string {
  const more = ids.length > MOST ? [texts.more(ids.length - MOST)] : [];
  return [...ids.slice(0, MOST).map(code), ...more].join(', ');
}

/** How far projects are and what waits for the admin, as a list in Markdown. */
export function statusOf(view: WorkspaceView, ids: readonly string[], texts: CommandTexts): string {
  const more = ids.length > MOST ? [`- ${texts.more(ids.length - MOST)}`] : [];
  return [...ids.slice(0, MOST).flatMap((id) => projectLines(view, id, texts)), ...more].join('\n');
}

function projectLines(view: WorkspaceView, id: string, texts: CommandTexts): readonly string[] {
  const entry = view.project(id);
  if (entry?.meta === undefined) return [];
  const { meta, plan } = entry;
  const { projectStatus } = labelsFor(view.team.policies.language);
  const done = plan.nodes.filter(({ status }) => status === 'completed').length;
  const open = plan.nodes.filter(({ status }) => status === 'delegated');
  const taskOf = ({ id: taskId }: PlanNode) => view.task(taskId)?.meta;
  const working = open.filter((node) => taskOf(node)?.status !== 'submitted').map((node) => node.id);
  const waiting = open.flatMap((node) => {
    const task = taskOf(node);
    return task?.status === 'submitted' ? [texts.waits(code(node.id), task.result_status ?? '?')] : [];
  });
  const asking = open.flatMap((node) =>
    (taskOf(node)?.attention ?? [])
      .filter(({ resolved }) => !resolved)
      .map(({ kind, question }) => texts.asks(code(node.id), kind, markdownText(question, 300))),
  );
  const details = [
    ...(meta.pause_reason === undefined ? [] : [texts.pausedFor(markdownText(meta.pause_reason, 200))]),
    ...(working.length === 0 ? [] : [texts.underWay(listed(working, texts))]),
    ...first(waiting, texts),
    ...first(asking, texts),
  ];
  const progress = texts.progress(projectStatus[meta.status], done, plan.nodes.length);
  return [`- **${markdownText(meta.title, 200)}** (${code(id)}): ${progress}`, ...details.map((line) => `  - ${line}`)];
}

function first(lines: readonly string[], texts: CommandTexts): readonly string[] {
  return lines.length <= MOST ? lines : [...lines.slice(0, MOST), texts.more(lines.length - MOST)];
}
