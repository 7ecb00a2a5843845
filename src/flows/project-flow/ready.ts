import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { projectPaths } from '../../protocol/paths.ts';
import { readyNodes } from '../../rules/dag.ts';
import { readyLoopNodes } from '../../rules/loop.ts';
import { ANYONE, checkBrokenPlan, requireProject } from '../shared.ts';
import type { OpenProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { presentNodes } from './planned-tasks.ts';

const input = z.object({ projectId: z.string().min(1).describe('id of the project') });

/** protocol.md §10.13. */
export const readyDagNodes = defineOperation({
  name: 'project.ready_nodes',
  kind: 'query',
  roles: ANYONE,
  summary: 'List the tasks of a DAG that may be delegated now.',
  input,
  fresh: 'best-effort',
  run({ view, input: { projectId } }) {
    const project = requireProject(view, projectId);
    if (project.plan.kind !== 'dag') {
      throw new FlowError('invalid-argument', `project plan is not a DAG: ${projectId}`, {
        remedy: 'call ready_loop_nodes',
        data: { projectId },
      });
    }
    checkBrokenPlan(project);
    const ready = presentNodes(readyNodes(project.plan, project.meta));
    return { changes: [], events: [], announcements: [], output: { readyNodes: ready } };
  },
});

/** protocol.md §10.13. */
export const readyIterationNodes = defineOperation({
  name: 'project.ready_loop_nodes',
  kind: 'query',
  roles: ANYONE,
  summary: 'List the tasks of the current loop iteration that may be delegated now.',
  input,
  fresh: 'best-effort',
  run({ view, input: { projectId } }) {
    const project = requireProject(view, projectId);
    if (project.plan.kind !== 'loop') throw noLoop(projectId);
    checkBrokenPlan(project);
    checkBrokenLoop(project);
    const ready = presentNodes(readyLoopNodes(project.plan, project.meta));
    return { changes: [], events: [], announcements: [], output: { readyNodes: ready, readyLoopNodes: ready } };
  },
});

/** protocol.md §6.3: a count or a status that cannot be read says nothing about what to do next. Throws `broken-file`. */
export function checkBrokenLoop({ id, plan }: OpenProject): void {
  const broken = plan.diagnostics.find(({ rule }) => rule === 'plan-loop-iteration' || rule === 'plan-loop-status');
  if (broken === undefined) return;
  const file = projectPaths(id).plan;
  throw new FlowError('broken-file', `${broken.message}, at ${file}:${broken.line}`, {
    remedy: `write ${broken.expected ?? 'what is expected'} there, or plan the loop anew with plan_loop`,
    data: { projectId: id },
  });
}

/** The refusal for a loop action on a project without one. */
export function noLoop(projectId: string): FlowError {
  return new FlowError('invalid-argument', `project has no loop plan: ${projectId}`, {
    remedy: 'plan one with plan_loop',
    data: { projectId },
  });
}
