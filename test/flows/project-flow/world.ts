import { expect } from 'vitest';
import type { z } from 'zod';
import type { AnnouncementDraft, Decision, Facts, Operation, Settlement } from '../../../src/flows/types.ts';
import { renderTaskMeta } from '../../../src/protocol/records/task.ts';
import { renderTeam } from '../../../src/protocol/records/team.ts';
import type { Actor, EventDraft, TaskMeta } from '../../../src/protocol/records/types.ts';
import type { WorkspaceView } from '../../../src/protocol/view.ts';
import { memoryReader } from '../../../src/workspace/readers.ts';
import { createView } from '../../../src/workspace/snapshot.ts';

export const NOW = '2026-09-01T10:15:00Z';
export const lead: Actor = { localpart: 'lead', role: 'leader', matrixUserId: '@lead:hs.local' };

/** A tree of files on which decisions are run and applied one after the other, as `execute` would. */
export interface World {
  readonly files: Record<string, string>;
  readonly events: EventDraft[];
  readonly announcements: AnnouncementDraft[];
  now: string;
  view(): WorkspaceView;
  call<Schema extends z.ZodType, Output extends object>(
    operation: Operation<Schema, Output>,
    input: z.input<Schema>,
    actor?: Actor,
  ): Record<string, unknown>;
  /** The answer once every announcement was delivered as `$event`, or not at all. */
  settled<Schema extends z.ZodType, Output extends object>(
    operation: Operation<Schema, Output>,
    input: z.input<Schema>,
    delivered: boolean,
  ): Record<string, unknown>;
  /** What a call would write, without applying it. */
  changed<Schema extends z.ZodType, Output extends object>(
    operation: Operation<Schema, Output>,
    input: z.input<Schema>,
  ): readonly string[];
  putTask(meta: Partial<TaskMeta> & { readonly task_id: string; readonly project_id: string }): void;
}

export function createWorld(files: Readonly<Record<string, string>> = {}, chat: 'local' | 'remote' = 'remote'): World {
  const facts: Facts = { chat: { kind: chat, self: '@lead:hs.local' } };
  const tree: Record<string, string> = {
    'shared/team.json': renderTeam({
      name: 'demo',
      teamRoomId: '!team:hs.local',
      leaderDmRoomId: '!dm:hs.local',
      admin: { name: 'Admin', matrixUserId: '@admin:hs.local' },
    }),
    ...files,
  };
  const world: World = {
    files: tree,
    events: [],
    announcements: [],
    now: NOW,
    view: () => createView(memoryReader(tree)),
    call: (operation, input, actor) => apply(decide(operation, input, actor)).output as Record<string, unknown>,
    settled(operation, input, delivered) {
      const decision = apply(decide(operation, input));
      const settlement: Settlement = {
        synced: true,
        remote: true,
        commit: 'c0ffee',
        durability: 'replicated',
        deliveries: decision.announcements.map(({ txn }) =>
          delivered
            ? { txn, sent: true, eventId: '$event', reused: false }
            : { txn, sent: false, error: 'room is away' },
        ),
      };
      const output = operation.settle?.(decision.output, settlement, operation.input.parse(input)) ?? decision.output;
      return output as Record<string, unknown>;
    },
    changed: (operation, input) => decide(operation, input).changes.map(({ path }) => path),
    putTask(meta) {
      const full: TaskMeta = { task_title: meta.task_id, assigned_to: 'ana', status: 'assigned', ...meta };
      tree[`shared/tasks/${meta.task_id}/meta.json`] = renderTaskMeta(full);
    },
  };

  function decide<Schema extends z.ZodType, Output extends object>(
    operation: Operation<Schema, Output>,
    input: unknown,
    actor: Actor = lead,
  ) {
    const context = {
      view: world.view(),
      input: operation.input.parse(input),
      actor,
      now: world.now,
      ids: { submission: 'sub-1', txn: 'abcdefabcdef', localTime: '20260901-101500' },
      facts,
    };
    operation.precheck?.(context);
    return operation.run(context, undefined);
  }

  function apply<Decided extends Decision<object>>(decision: Decided): Decided {
    for (const change of decision.changes) {
      if (change.kind === 'write') tree[change.path] = change.text;
      else if (change.kind === 'remove') delete tree[change.path];
    }
    world.events.push(...decision.events);
    world.announcements.push(...decision.announcements);
    return decision;
  }

  return world;
}

/** What a refusal looks like, for `toThrow`. */
export function refusal(code: string, message: string): unknown {
  return expect.objectContaining({ code, message });
}

/** The ids in a list of presented nodes. */
export function idsOf(nodes: unknown): readonly unknown[] {
  return (nodes as readonly { readonly task_id: string }[]).map((node) => node.task_id);
}
