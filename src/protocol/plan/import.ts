import { z } from 'zod';
import { isReadableId } from '../ids.ts';
import { LOOP_STATUSES } from '../plan-types.ts';
import type { Loop, NodeStatus } from '../plan-types.ts';
import type { NodeContent } from './line.ts';
import { inOneLine } from '../one-line.ts';

export interface ImportedPlan {
  readonly nodes: readonly NodeContent[];
  readonly loop?: Loop;
}

const text = z.string().catch('');
const whole = z.number().int().nonnegative();

const taskShape = z.object({
  task_id: text,
  title: text,
  assigned_to: text,
  depends_on: z.array(z.string()).catch([]),
  status: text,
  type: z.string().optional().catch(undefined),
  cancel_reason: z.string().optional().catch(undefined),
});

const entryShape = z.object({ iteration: whole.catch(0), decision: text, summary: text, next_action: text });

const loopShape = z.object({
  goal: text,
  stop_condition: text,
  iteration_template: text,
  max_iterations: whole.min(1).catch(1),
  current_iteration: whole.catch(0),
  status: z.enum(LOOP_STATUSES).catch('running'),
  tasks: z.array(z.unknown()).catch([]),
  history: z.array(z.unknown()).catch([]),
});

const metaShape = z.object({ plan_type: text, tasks: z.array(z.unknown()).catch([]), loop: z.unknown().optional() });

const STATUSES: ReadonlyMap<string, NodeStatus> = new Map([
  ['planned', 'pending'],
  ['pending', 'pending'],
  ['prepared', 'delegated'],
  ['assigned', 'delegated'],
  ['in_progress', 'delegated'],
  ['submitted', 'delegated'],
  ['delegated', 'delegated'],
  ['completed', 'completed'],
  ['revision', 'revision'],
  ['blocked', 'blocked'],
  ['cancelled', 'cancelled'],
]);

/**
 * The plan that a project's meta.json carries in its own `tasks` and `loop` (protocol.md §16.3), for workspaces whose
 * plan.md has no task line. Keys in snake_case or camelCase; entries without a readable id are left out, as are
 * repeated ids. `undefined` when the meta carries no plan.
 */
export function importPlan(meta: unknown): ImportedPlan | undefined {
  const parsed = metaShape.safeParse(snakeCased(meta));
  if (!parsed.success) return undefined;
  const { plan_type: planType, tasks } = parsed.data;
  const loop = loopShape.safeParse(snakeCased(parsed.data.loop));
  if (loop.success && (planType.toLowerCase() === 'loop' || (planType === '' && loop.data.goal !== ''))) {
    const nodes = nodesOf(loop.data.tasks.length > 0 ? loop.data.tasks : tasks);
    return { nodes, loop: loopOf(loop.data) };
  }
  const nodes = nodesOf(tasks);
  return nodes.length === 0 ? undefined : { nodes };
}

function nodesOf(tasks: readonly unknown[]): readonly NodeContent[] {
  const nodes = new Map<string, NodeContent>();
  for (const task of tasks) {
    const parsed = taskShape.safeParse(snakeCased(task));
    if (!parsed.success || !isReadableId(parsed.data.task_id) || nodes.has(parsed.data.task_id)) continue;
    const {
      task_id: id,
      title,
      assigned_to: assignee,
      depends_on: dependsOn,
      type,
      cancel_reason: reason,
    } = parsed.data;
    const status = STATUSES.get(parsed.data.status) ?? 'pending';
    nodes.set(id, {
      id,
      title: inOneLine(title) === '' ? id : inOneLine(title),
      assignee: assignee === '-' ? '' : assignee,
      dependsOn,
      status,
      ...(type === undefined ? {} : { type }),
      ...(status === 'cancelled' && reason !== undefined ? { cancelled: reason } : {}),
    });
  }
  return [...nodes.values()];
}

function loopOf(data: z.output<typeof loopShape>): Loop {
  return {
    goal: inOneLine(data.goal),
    stopCondition: inOneLine(data.stop_condition),
    iterationTemplate: data.iteration_template,
    maxIterations: data.max_iterations,
    currentIteration: data.current_iteration,
    status: data.status,
    history: data.history.flatMap(historyText),
  };
}

function historyText(entry: unknown): readonly string[] {
  if (typeof entry === 'string') return [inOneLine(entry)];
  const parsed = entryShape.safeParse(snakeCased(entry));
  if (!parsed.success) return [];
  const { iteration, decision, summary, next_action: next } = parsed.data;
  return [inOneLine(`Iteration ${iteration}: ${decision} — ${summary}${next === '' ? '' : ` Next: ${next}`}`)];
}

/** First-level keys in the spelling of the files; where both spellings stand, snake_case counts. */
function snakeCased(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => [
    key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    inner,
  ]);
  return { ...Object.fromEntries(entries), ...value };
}
