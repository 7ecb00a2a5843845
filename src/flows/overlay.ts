import type { Change } from '../protocol/changes.ts';
import { projectPaths, taskPaths } from '../protocol/paths.ts';
import { parsePlan } from '../protocol/plan/parse.ts';
import { parseProjectMeta } from '../protocol/records/project.ts';
import { parseTaskMeta } from '../protocol/records/task.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { passing } from '../protocol/passing.ts';
import type { Decision, OperationContext } from './types.ts';

/** Several steps of one call, each decided on what the ones before it leave behind. */
export interface Story {
  readonly context: OperationContext<unknown>;
  readonly decision: Decision<unknown>;
}

export function beginStory(context: OperationContext<unknown>): Story {
  return { context, decision: { changes: [], events: [], announcements: [], output: undefined } };
}

/** The story with one more step; its files are written once, as the last step leaves them. */
export function nextStep(
  { context, decision }: Story,
  step: Pick<Decision<unknown>, 'changes' | 'events' | 'announcements'>,
): Story {
  const paths = new Set(step.changes.map(({ kind, path }) => `${kind} ${path}`));
  return {
    context: { ...context, view: viewAfter(context.view, step.changes) },
    decision: {
      changes: [...decision.changes.filter(({ kind, path }) => !paths.has(`${kind} ${path}`)), ...step.changes],
      events: [...decision.events, ...step.events],
      announcements: [...decision.announcements, ...step.announcements],
      output: undefined,
    },
  };
}

/** The view as it will be once records, specs, results and plans are written. */
function viewAfter(view: WorkspaceView, changes: readonly Change[]): WorkspaceView {
  const texts = new Map<string, string>();
  for (const change of changes) if (change.kind === 'write') texts.set(change.path, change.text);
  const text = (path: string): string | undefined => texts.get(path) ?? view.text(path);
  return {
    ...passing(view),
    text,
    exists: (path) => texts.has(path) || view.exists(path),
    project(id) {
      const { meta, plan } = projectPaths(id);
      const before = view.project(id);
      if (!texts.has(meta) && !texts.has(plan)) return before;
      const record = parseProjectMeta(text(meta) ?? '', id);
      const planText = text(plan) ?? '';
      return {
        id,
        meta: record.meta,
        plan: texts.has(plan) || before === undefined ? parsePlan(planText) : before.plan,
        planText,
        diagnostics: record.diagnostics,
      };
    },
    task(id) {
      const { meta } = taskPaths(id);
      if (!texts.has(meta)) return view.task(id);
      return { id, meta: undefined, ...parseTaskMeta(text(meta) ?? '', id) };
    },
  };
}
