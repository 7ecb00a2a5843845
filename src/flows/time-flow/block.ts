import { z } from 'zod';
import { dueToBlock } from '../../rules/lateness/halting.ts';
import { word } from '../../rules/shell.ts';
import { presentTask } from '../present.ts';
import { LEADERS, requireTask } from '../shared.ts';
import { halted, settle } from '../task-flow/halt.ts';
import type { HaltOutput } from '../task-flow/halt.ts';
import { taskStepped } from '../task-flow/steps.ts';
import { defineOperation } from '../types.ts';
import type { Decision } from '../types.ts';
import { toLeader } from './tell.ts';

/**
 * features.md S002-21: work that has not changed for `policies.blockBeats` heartbeats is blocked by the step of the table, and
 * the Leader is told. Nothing happens when that is not so any more, so every node of a Leader may try.
 */
export const blockStuckTask = defineOperation({
  name: 'lateness.block',
  kind: 'command',
  roles: LEADERS,
  internal: true,
  summary: 'Block a task that too many heartbeats have found the same.',
  input: z.object({ taskId: z.string().min(1).describe('id of the task') }),
  fresh: 'required',
  facts: ['beats'],
  run(context): Decision<HaltOutput> {
    const { view, input, now, actor, facts } = context;
    const meta = requireTask(view, input.taskId);
    const beat = facts.beats?.().get(meta.task_id);
    const isDue = beat !== undefined && dueToBlock(view, new Map([[meta.task_id, beat]])).length > 0;
    if (!isDue) return { changes: [], events: [], announcements: [], output: { task: presentTask(meta) } };
    const id = meta.task_id;
    const reason = `nothing has changed in it over ${beat.count} heartbeats`;
    const note = `by the tick: ${reason}`;
    const next = taskStepped(meta, 'block', { now, actor, action: 'block_task', note });
    const decision = halted(context, meta, { ...next, blocked_reason: reason }, 'blocked', 'block_task', note);
    const said = {
      fact: `blocked:${id}:${beat.context}`,
      message: `${id} is blocked: ${reason}`,
      command: `baton task unblock ${word(id)}`,
    };
    return {
      ...decision,
      events: decision.events.map((event) => ({ ...event, data: { cause: 'tick', beats: beat.count } })),
      announcements: toLeader(context, [said]),
    };
  },
  settle,
});
