import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { acceptTaskResult } from '../../../src/flows/project-flow/accept.ts';
import { createProject } from '../../../src/flows/project-flow/create.ts';
import { completeProject, pauseProject, resumeProject } from '../../../src/flows/project-flow/lifecycle.ts';
import { planDag } from '../../../src/flows/project-flow/plan.ts';
import { repairState } from '../../../src/flows/project-flow/repair.ts';
import { acknowledge } from '../../../src/flows/task-flow/acknowledge.ts';
import { cancel } from '../../../src/flows/task-flow/cancel.ts';
import { delegate } from '../../../src/flows/task-flow/delegate.ts';
import { submit } from '../../../src/flows/task-flow/submit.ts';
import { FlowError } from '../../../src/protocol/errors.ts';
import { setMarker } from '../../../src/protocol/plan/edit.ts';
import type { Plan } from '../../../src/protocol/plan-types.ts';
import { RESULT_STATUSES } from '../../../src/protocol/records/types.ts';
import type { Actor, TaskStatus } from '../../../src/protocol/records/types.ts';
import { findInconsistencies } from '../../../src/rules/consistency.ts';
import { isLegalPath } from '../../../src/rules/lifecycle.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const PLAN = 'shared/projects/p/plan.md';
const ana: Actor = { localpart: 'ana', role: 'worker' };
const GRAPH = { a: [], b: ['a'], c: ['a', 'b'], d: ['c'] } as const;
const IDS = Object.keys(GRAPH) as (keyof typeof GRAPH)[];

type Step = (world: World) => void;
interface Command {
  readonly name: string;
  /** Done by a person in an editor, and not by an operation. */
  readonly byHand?: true;
  readonly step: Step;
}

const submissionOf = (world: World, taskId: string): { submissionId?: string } => {
  const id = world.view().task(taskId)?.meta?.submission_id;
  return id === undefined ? {} : { submissionId: id };
};

const resultOf = (world: World, taskId: string) => world.view().task(taskId)?.meta?.result_status ?? 'SUCCESS';

type TaskCommands = readonly [delegate: Any, ack: Any, submit: Any, accept: Any, cancel: Any];
type Any = fc.Arbitrary<Command>;

const taskCommands = (id: string): TaskCommands => [
  fc.constant({
    name: `delegate ${id}`,
    step: (world) => world.call(delegate, { projectId: 'p', taskId: id, roomId: '!team:hs.local', spec: 'do it' }),
  }),
  fc.constant({ name: `ack ${id}`, step: (world) => world.call(acknowledge, { taskId: id }, ana) }),
  fc.constantFrom(...RESULT_STATUSES).map((status) => ({
    name: `submit ${id} ${status}`,
    step: (world: World) => world.call(submit, { taskId: id, status, summary: 'so it is' }, ana),
  })),
  fc.boolean().map((accepted) => ({
    name: `accept ${id} ${accepted}`,
    step: (world: World) =>
      world.call(acceptTaskResult, {
        projectId: 'p',
        taskId: id,
        accepted,
        resultStatus: resultOf(world, id),
        ...submissionOf(world, id),
      }),
  })),
  fc.constant({
    name: `cancel ${id}`,
    step: (world) => world.call(cancel, { taskId: id, reason: 'no longer wanted', ...submissionOf(world, id) }),
  }),
];

const projectCommands: readonly fc.Arbitrary<Command>[] = [
  fc.constant({ name: 'pause', step: (world) => world.call(pauseProject, { projectId: 'p' }) }),
  fc.constant({ name: 'resume', step: (world) => world.call(resumeProject, { projectId: 'p' }) }),
  fc.constant({ name: 'complete', step: (world) => world.call(completeProject, { projectId: 'p' }) }),
];

const handEdits: readonly fc.Arbitrary<Command>[] = IDS.map((id) =>
  fc
    .constantFrom(
      'pending' as const,
      'delegated' as const,
      'completed' as const,
      'blocked' as const,
      'revision' as const,
    )
    .map((marker) => ({
      name: `mark ${id} ${marker}`,
      byHand: true,
      step: (world: World) => {
        world.files[PLAN] = setMarker(world.files[PLAN] ?? '', id, marker);
      },
    })),
);

/** Steps that move work on come more often than those that end it, so that the runs get somewhere. */
const operations = [
  ...IDS.flatMap((id) => {
    const [give, take, hand, decide, end] = taskCommands(id);
    return [
      { weight: 4, arbitrary: give },
      { weight: 2, arbitrary: take },
      { weight: 4, arbitrary: hand },
      { weight: 4, arbitrary: decide },
      { weight: 1, arbitrary: end },
    ];
  }),
  ...projectCommands.map((arbitrary) => ({ weight: 2, arbitrary })),
];

function start(): World {
  const world = createWorld({}, 'local');
  world.call(createProject, { projectId: 'p', title: 'P' });
  const tasks = IDS.map((taskId) => ({ taskId, title: taskId, assignedTo: 'ana', dependsOn: [...GRAPH[taskId]] }));
  world.call(planDag, { projectId: 'p', tasks });
  return world;
}

const statusesOf = (world: World): Readonly<Record<string, TaskStatus | 'none'>> =>
  Object.fromEntries(IDS.map((id) => [id, world.view().task(id)?.meta?.status ?? 'none']));

const planOf = (world: World): Plan | undefined => world.view().project('p')?.plan;

/** Runs a command; a refusal must be a value of the closed set and change nothing. */
function attempt(world: World, { step }: Command): void {
  const before = { ...world.files };
  try {
    step(world);
  } catch (thrown) {
    if (!(thrown instanceof FlowError)) throw thrown;
    expect(thrown.code).not.toBe('internal');
    expect(world.files).toEqual(before);
  }
}

describe('random operations', () => {
  test('take legal steps only, delegate nothing before its dependencies, and leave nothing to repair', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(fc.array(fc.oneof(...operations), { minLength: 20, maxLength: 60 }), (commands) => {
        const world = start();
        for (const command of commands) {
          const before = { statuses: statusesOf(world), plan: planOf(world) };
          attempt(world, command);
          const after = statusesOf(world);
          for (const id of IDS) {
            reached.add(after[id] ?? 'none');
            expect(isLegalPath(before.statuses[id] ?? 'none', (after[id] ?? 'none') as TaskStatus)).toBe(true);
            if (before.statuses[id] !== 'none' || after[id] === 'none') continue;
            const accepted =
              before.plan?.nodes.filter(({ status }) => status === 'completed').map((node) => node.id) ?? [];
            expect(accepted).toEqual(expect.arrayContaining([...GRAPH[id]]));
          }
          expect(findInconsistencies(world.view()).filter(({ repair }) => repair !== undefined)).toEqual([]);
        }
      }),
      // A known seed, so that the last line tells whether the commands lead anywhere, and not how the dice fell.
      { numRuns: 60, seed: 3 },
    );
    expect([...reached]).toContain('completed');
  });

  test('and hand edits between them always come to rest under repair', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(...operations, ...handEdits.map((arbitrary) => ({ weight: 3, arbitrary }))), {
          minLength: 10,
          maxLength: 40,
        }),
        (commands) => {
          const world = start();
          for (const command of commands) {
            attempt(world, command);
            for (let pass = 0; pass < 3; pass += 1) {
              for (const { repair } of findInconsistencies(world.view())) {
                if (repair?.operation === 'state.repair')
                  world.call(repairState, repair.input as { projectId: string; taskId: string });
              }
            }
            const left = findInconsistencies(world.view()).filter(({ repair }) => repair?.operation === 'state.repair');
            expect(left).toEqual([]);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
