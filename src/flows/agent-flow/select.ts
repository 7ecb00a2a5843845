import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { TASK_TYPES } from '../../protocol/records/types.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { requiredFor, selectAgent } from '../../rules/selection.ts';
import type { Wanted } from '../../rules/selection.ts';
import { ANYONE } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { optional, words } from '../work-fields.ts';
import { projectOf } from '../work-flow/source.ts';
import { waitingIn } from '../work-flow/waiting.ts';
import type { Waiting } from '../work-flow/waiting.ts';
import { poolOf, requireKnownAgent } from './roster.ts';

const input = z.object({
  taskId: z.string().min(1).optional().describe('the task that it is for; the other fields change what is asked'),
  projectId: z.string().min(1).optional().describe('project of the task, where it has no record yet'),
  type: z.enum(TASK_TYPES).optional().describe('kind of task'),
  agentType: z.string().min(1).optional().describe('kind of agent'),
  capability: words('what it must be able to do'),
  prefer: z.string().min(1).optional().describe('agent that is taken if it is free and able'),
  agent: z.string().min(1).optional().describe('agent that is taken whatever it can'),
  exclude: words('agents that are not taken'),
  fallback: z.boolean().optional().describe('no: the fallback agent stays out of it; default yes'),
});

type Given = z.output<typeof input>;

/** features.md §4: whom a task would go to, and why. Nothing is given out. */
export const selectFor = defineOperation({
  name: 'agent.select',
  kind: 'query',
  roles: ANYONE,
  summary: 'Tell which agent a task would go to, and why.',
  input,
  fresh: 'best-effort',
  run({ view, input: given }) {
    for (const name of [given.prefer, given.agent, ...(given.exclude ?? [])]) {
      if (name !== undefined) requireKnownAgent(view, name);
    }
    const wanted = wantedOf(view, given);
    const { agent, by, candidates } = selectAgent(wanted, poolOf(view));
    const { type, agentType, capabilities, preferred, ordered, excluded } = wanted;
    const asked = { type, agentType, capabilities, preferred, ordered, excluded };
    const output = {
      agent: agent ?? null,
      ...(by === undefined ? {} : { by }),
      ...(given.taskId === undefined ? {} : { taskId: given.taskId }),
      wanted: Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)),
      candidates,
    };
    return { changes: [], events: [], announcements: [], output };
  },
});

function wantedOf(view: WorkspaceView, given: Given): Wanted {
  const { taskId, prefer: preferred } = given;
  const task = taskId === undefined ? undefined : taskOf(view, taskId, given.projectId);
  const type = given.type ?? task?.type;
  const own = given.capability ?? task?.meta?.required_capabilities;
  return {
    type,
    agentType: given.agentType ?? task?.agentType,
    capabilities: requiredFor(
      { ...optional('taskId', taskId), ...optional('type', type), ...optional('own', own) },
      view.team.policies.capabilityMap,
    ),
    preferred,
    ordered: given.agent ?? (preferred === undefined ? ownerOf(task) : undefined),
    excluded: given.exclude ?? [],
    withFallback: given.fallback ?? true,
  };
}

function ownerOf(task: Waiting | undefined): string | undefined {
  return task === undefined || task.owner === '' ? undefined : task.owner;
}

/** Throws `not-found`. */
function taskOf(view: WorkspaceView, taskId: string, projectId: string | undefined): Waiting | undefined {
  const home = projectId ?? projectOf(view, taskId)?.id;
  if (home === undefined) throw new FlowError('not-found', `task not found: ${taskId}`, { data: { taskId } });
  return waitingIn(view, home, taskId).nodes[0];
}
