import { markerOf } from '../plan-types.ts';
import type { Loop } from '../plan-types.ts';
import { trimBlankLines } from '../lines.ts';
import { isNoDependency, NO_REASON, withoutKey } from './line.ts';
import type { NodeContent } from './line.ts';
import { inOneLine } from '../one-line.ts';

const LONGEST_SLUG = 80;

/** A reason as the value of `cancelled:`, in any script (protocol.md §8.3). */
export function cancelSlug(reason: string): string {
  const words = reason.toLowerCase().match(/[\p{L}\p{M}\p{N}._]+/gu) ?? [];
  const slug = Array.from(words.join('-')).slice(0, LONGEST_SLUG).join('').replace(/-+$/, '');
  return slug === '' ? NO_REASON : slug;
}

/**
 * The canonical task line (protocol.md §6.1, Appendix A), without indentation or line end. The meta group is always
 * written, so that it is the last one whatever the title ends with; characters that would break the group are dropped
 * from its values.
 */
export function renderNodeLine(node: NodeContent): string {
  const title = inOneLine(node.title);
  const depends = dependencies(node.dependsOn);
  const meta = [
    `assigned: ${metaValue(node.assignee) || '-'}`,
    ...(node.type === undefined || metaValue(node.type) === '' ? [] : [`type: ${metaValue(node.type)}`]),
    ...(depends.length === 0 ? [] : [`depends: ${depends.join(', ')}`]),
    ...(node.status === 'cancelled' ? [`cancelled: ${metaValue(node.cancelled ?? '') || NO_REASON}`] : []),
  ];
  return `- [${markerOf(node.status)}] ${node.id} — ${title === '' ? node.id : title} (${meta.join(', ')})`;
}

/** What is left of an id that nobody could read may be nothing, or what means nothing. */
function dependencies(ids: readonly string[]): readonly string[] {
  const written = ids.map((id) => withoutKey(metaValue(id))).filter((id) => !isNoDependency(id));
  return [...new Set(written)];
}

function metaValue(value: string): string {
  return inOneLine(value.replaceAll(/[,;()]/g, ' '));
}

/** The plan of a project that was just created (protocol.md §4); `prose` stands where its tasks will stand below. */
export function initialPlan(project: {
  readonly title: string;
  readonly projectId: string;
  readonly createdAt: string;
  readonly prose?: readonly string[];
}): string {
  return [
    `# Team Project: ${inOneLine(project.title)}`,
    '',
    `**ID**: ${project.projectId}`,
    `**Created**: ${project.createdAt}`,
    '',
    ...dagSection(project.prose ?? [], []),
    '',
  ].join('\n');
}

/** `## DAG Task Plan` with its field, what stood before the first task, and the tasks; no blank line at the end. */
export function dagSection(prose: readonly string[], tasks: readonly string[]): readonly string[] {
  return ['## DAG Task Plan', '', '**Plan Type**: dag', ...paragraph(prose), ...paragraph(tasks)];
}

/** The loop's field lines by name, in the order in which they are written (protocol.md §6.3). */
export function loopFields(loop: Loop): ReadonlyMap<string, string> {
  return new Map([
    ['Plan Type', 'loop'],
    ['Loop Status', loop.status],
    ['Iteration', `${loop.currentIteration} / ${loop.maxIterations}`],
    ['Goal', inOneLine(loop.goal)],
    ['Stop Condition', inOneLine(loop.stopCondition)],
  ]);
}

export function fieldLine(name: string, value: string): string {
  return `**${name}**: ${value}`.trimEnd();
}

/** The four sections of a loop document; no blank line at the end. */
export function loopSections(
  loop: Loop,
  parts: { readonly prose: readonly string[]; readonly current: readonly string[]; readonly tasks: readonly string[] },
  history: readonly string[],
): readonly string[] {
  return [
    '## Loop Plan',
    '',
    ...[...loopFields(loop)].map(([name, value]) => fieldLine(name, value)),
    ...paragraph(parts.prose),
    '',
    '## Iteration Template',
    ...paragraph(templateLines(loop.iterationTemplate)),
    '',
    '## Current Iteration',
    ...paragraph(parts.current),
    ...paragraph(parts.tasks),
    '',
    '## Iteration History',
    ...paragraph(history),
  ];
}

export function historyLine(entry: string): string {
  return `- ${inOneLine(entry)}`;
}

/**
 * A template as it may stand in the document: what would read as a heading of level 1 or 2 becomes level 3, in fenced
 * code too, so that no line of it can end its section (protocol.md §6.4.4).
 */
function templateLines(template: string): readonly string[] {
  const lines = template.split(/\r\n|\n|\r/).map((line) => line.replace(/^(\s*)#{1,2}(?=\s|$)/, '$1###'));
  return trimBlankLines(lines);
}

function paragraph(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', ...lines];
}
