import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parsePlan } from '../../src/protocol/plan/parse.ts';
import { testFolder } from '../support/folders.ts';
import { openParts, plan } from '../support/parts.ts';
import type { Parts } from '../support/parts.ts';

type Clones = readonly [Parts, Parts];

async function twoClones(): Promise<Clones> {
  const folder = testFolder('contradiction');
  const remote = join(folder, 'team.git');
  const lead = await openParts({ dir: join(folder, 'lead'), role: 'leader', as: 'lead', remote });
  await plan(lead, 'p-01', 'p-02');
  return [lead, await openParts({ dir: join(folder, 'other'), role: 'leader', as: 'other', remote })];
}

/** What each clone does at the same time as the other: whether the first got its way, and how one was refused. */
async function atOnce(
  clones: Clones,
  ...deeds: readonly [(parts: Parts) => Promise<unknown>, (parts: Parts) => Promise<unknown>]
) {
  const [first, second] = deeds;
  const outcomes = await Promise.allSettled([first(clones[0]), second(clones[1])]);
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []));
  await Promise.all(clones.map((parts) => parts.sync.pull()));
  return { firstWon: outcomes[0]?.status === 'fulfilled', refused };
}

/** What both clones hold. */
function text(clones: Clones, path: string): string {
  const [one, two] = clones.map((parts) => parts.text(path));
  expect(one).toBe(two);
  return one ?? '';
}

test('of two clones that take contradicting steps at once one wins, and the other is told what cannot be done', async () => {
  const clones = await twoClones();
  const created = await clones[0].run('project.create_composite', { title: 'Twice decided' });
  const { project_id: projectId } = (created as { project: { project_id: string } }).project;
  await clones[1].sync.pull();
  const step = (event: string) => (parts: Parts) => parts.run('project.transition', { projectId, event });
  const decided = await atOnce(clones, step('approve'), step('reject'));
  const refusal = decided.firstWon ? "APPROVED + 'reject'" : "REJECTED + 'approve'";
  expect(decided.refused).toEqual([expect.stringContaining(`Invalid transition: ${refusal}`)]);
  const record = JSON.parse(text(clones, `shared/projects/${projectId}/meta.json`)) as Record<string, unknown>;
  expect([record['status'], record['phase']]).toEqual(
    decided.firstWon ? ['active', 'approved'] : ['rejected', 'planning'],
  );

  const to = (assignedTo: string) => (parts: Parts) => parts.run('task.hand_over', { taskId: 'p-01', assignedTo });
  const handed = await atOnce(clones, to('bo'), to('cy'));
  expect(handed.refused).toEqual([expect.stringContaining("Invalid transition: SUPERSEDED + 'supersede'")]);
  const { nodes } = parsePlan(text(clones, 'shared/projects/p/plan.md'));
  const [, , added] = nodes;
  expect(nodes.map(({ id, status }) => `${id} ${status}`)).toEqual(['p-01 cancelled', 'p-02 pending', 'p-03 pending']);
  expect(added?.assignee).toBe(handed.firstWon ? 'bo' : 'cy');
  expect(text(clones, 'shared/tasks/p-01/meta.json')).toContain('"superseded_by": "p-03"');
});

test('so it is with the actions of the protocol, which end with their own sentence', async () => {
  const clones = await twoClones();
  const cancel = (reason: string) => (parts: Parts) => parts.run('task.cancel', { taskId: 'p-01', reason });
  const cancelled = await atOnce(clones, cancel('too dear'), cancel('too late'));
  expect(cancelled.refused).toEqual([
    "FlowError: Invalid transition: CANCELLED + 'cancel': cancel_task conflicts with existing cancellation",
  ]);
  expect(text(clones, 'shared/tasks/p-01/meta.json')).toContain(
    `"cancel_reason": "${cancelled.firstWon ? 'too dear' : 'too late'}"`,
  );

  const complete = (parts: Parts) => parts.run('project.complete', { projectId: 'p', force: true });
  const pause = (parts: Parts) => parts.run('project.pause', { projectId: 'p' });
  const ended = await atOnce(clones, complete, pause);
  // Who pauses first does not keep the other from ending it.
  expect(ended.refused).toEqual(
    ended.refused.length === 0
      ? []
      : ["FlowError: Invalid transition: COMPLETED + 'pause': cannot pause a completed project"],
  );
  expect(text(clones, 'shared/projects/p/meta.json')).toContain('"status": "completed"');
});
