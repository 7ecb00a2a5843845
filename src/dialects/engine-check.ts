import { subtaskOfNode } from '../protocol/ids.ts';
import { recordsIn } from '../protocol/json.ts';
import { wordOfState } from './engine-refusal.ts';
import { listAnswer } from './engine.ts';
import type { Envelope } from './taskflow.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A step that a project has taken by itself, as `project.advance` answered. */
export interface Advance {
  readonly id: string;
  readonly answer: Envelope;
}

/**
 * `baton check` (features.md S002-18): `{alerts, summary, transitions, skipped, checked, tasks}`. An alert of a subtask names
 * its task and `subtask_id`; all others name themselves. What could not be taken on is told in `skipped`.
 */
export function checkAnswer(envelope: Envelope, advances: readonly Advance[]): Envelope {
  const { tasks = [], ...rest } = listAnswer(envelope);
  if (!envelope.ok) return rest;
  const transitions = advances.flatMap(({ id, answer }) => transitionOf(id, answer));
  const composites = new Set(recordsIn(tasks).flatMap(({ kind, task_id: id }) => (kind === 'composite' ? [id] : [])));
  return {
    ok: true,
    alerts: recordsIn(envelope['alerts']).map((alert) => alertOf(alert, composites)),
    summary: envelope['summary'],
    transitions,
    skipped: [...recordsIn(envelope['skipped']), ...advances.flatMap(({ id, answer }) => refusalOf(id, answer))],
    checked: envelope['checked'],
    tasks,
  };
}

function alertOf({ projectId, taskId, ...rest }: Fields, composites: ReadonlySet<unknown>): Fields {
  const project = String(projectId);
  const task = typeof taskId === 'string' ? taskId : undefined;
  const about =
    task === undefined
      ? { task_id: project }
      : composites.has(project)
        ? { task_id: project, subtask_id: subtaskOfNode(project, task) }
        : { task_id: task, project_id: project };
  const { type, ...said } = rest;
  return { type, ...about, ...said };
}

function transitionOf(id: string, { ok, from, state, steps }: Envelope): readonly Fields[] {
  if (!ok || typeof from !== 'string' || typeof state !== 'string' || from === state) return [];
  return [{ task_id: id, from: wordOfState(from), to: wordOfState(state), events: steps }];
}

/** Another node of a Leader, or the same one, may have been quicker. */
function refusalOf(id: string, { ok, error }: Envelope): readonly Fields[] {
  return ok ? [] : [{ path: `shared/projects/${id}/plan.md`, reason: error }];
}
