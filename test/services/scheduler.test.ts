import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createClock } from '../../src/adapters/clock.ts';
import { createScheduler, startScheduler } from '../../src/services/scheduler.ts';
import { testFolder } from '../support/folders.ts';
import { eventsOf, openParts, plan, worker } from '../support/parts.ts';
import type { Parts } from '../support/parts.ts';
import { eventually } from '../support/waiting.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const META = 'shared/tasks/p-01/meta.json';

interface House {
  parts: Parts;
  /** Lets so much time pass, with a tick every so often. */
  pass(millis: number, every?: number): Promise<void>;
  restart(): Promise<void>;
}

/** A Leader's workspace whose clock is moved by hand. `remote`: the name of the team's repository beside it. */
async function openHouse({ remote }: { readonly remote?: string } = {}): Promise<House> {
  let now = Date.parse('2026-09-01T08:00:00Z');
  const clock = createClock(() => now);
  const folder = testFolder('time');
  const place = { dir: join(folder, 'lead'), role: 'leader', as: 'lead', clock } as const;
  const open = (): Promise<Parts> =>
    openParts(remote === undefined ? place : { ...place, remote: join(folder, remote) });
  const parts = await open();
  let scheduler = createScheduler(parts);
  const house: House = {
    parts,
    async pass(millis, every = millis) {
      const until = now + millis;
      while (now < until) {
        now = Math.min(until, now + every);
        await scheduler.tick();
      }
    },
    async restart() {
      await house.parts.close();
      house.parts = await open();
      scheduler = createScheduler(house.parts);
    },
  };
  return house;
}

const raised = (parts: Parts): readonly string[] =>
  eventsOf(parts, 'finding.raised').map(({ data }) => {
    const { kind, level } = data as { readonly kind: string; readonly level: number };
    return `${kind} ${level}`;
  });

const cleared = (parts: Parts): readonly string[] =>
  eventsOf(parts, 'finding.cleared').map(({ data }) => (data as { readonly key: string }).key.split(':')[0] ?? '');

const meta = (parts: Parts): Record<string, unknown> => JSON.parse(parts.text(META)) as Record<string, unknown>;

/** A subtask that ana has taken on and that is expected within an hour; says how far it has come. */
async function subtask(
  house: House,
  etas: { readonly task?: object; readonly part?: object } = { part: { eta: '1h' } },
): Promise<(progress: number) => Promise<unknown>> {
  const { parts } = house;
  await parts.run('project.create_composite', { title: 'Work', priority: 'P3', ...etas.task });
  await parts.run('project.transition', { projectId: 'TASK-001', event: 'approve' });
  await parts.run('task.dispatch', { projectId: 'TASK-001', title: 'Part', agent: 'ana', ...etas.part });
  const report = (progress: number) =>
    house.parts.run('task.progress', { taskId: 'TASK-001-01', progress }, worker('ana'));
  await report(0);
  return report;
}

const state = (parts: Parts): Record<string, unknown> =>
  JSON.parse(parts.text('shared/tasks/TASK-001-01/meta.json')) as Record<string, unknown>;

const policies = (parts: Parts, given: object): string =>
  JSON.stringify({ ...(JSON.parse(parts.text('shared/team.json')) as object), policies: given });

describe('time', () => {
  test('sends an assignment that nobody acknowledges once more, then tells the Leader, then the admin, each once', async () => {
    const house = await openHouse();
    await plan(house.parts, 'p-01');
    const assignments = (): number => house.parts.said('TASK_ASSIGNED: p-01').length;
    const told = (): readonly string[] => house.parts.said('has not acknowledged p-01');
    await house.pass(14 * MINUTE, 7 * MINUTE);
    expect([assignments(), told().length]).toEqual([1, 0]);
    await house.pass(2 * MINUTE);
    expect([assignments(), told().length]).toEqual([2, 0]);
    await house.restart();
    await house.pass(15 * MINUTE, 5 * MINUTE);
    expect([assignments(), told().length]).toEqual([2, 1]);
    await house.pass(40 * MINUTE, 10 * MINUTE);
    expect([assignments(), told().length]).toEqual([2, 2]);
    expect(told().filter((text) => text.startsWith('@admin:local '))).toHaveLength(1);
    await house.parts.run('task.ack', { taskId: 'p-01' }, worker('ana'));
    await house.pass(MINUTE);
    expect(raised(house.parts)).toEqual(['unacknowledged 1', 'unacknowledged 2', 'unacknowledged 3']);
    expect(cleared(house.parts)).toEqual(['unacknowledged']);
    expect(meta(house.parts)['raised']).toBeUndefined();
  });

  test('raises each level of a week once, tells it once, and clears it when it is cured', async () => {
    const house = await openHouse();
    await plan(house.parts, 'p-01');
    await house.parts.run('task.ack', { taskId: 'p-01' }, worker('ana'));
    const stuck = (): number => house.parts.said('nothing has changed in it').length;

    // Three heartbeats see the same thing.
    await house.pass(2 * HOUR, 30 * MINUTE);
    expect([raised(house.parts), stuck()]).toEqual([['stuck 1'], 1]);
    await house.restart();
    rmSync(join(house.parts.dir, '.baton/beats.json'));
    await house.pass(30 * MINUTE);
    expect([raised(house.parts), cleared(house.parts), stuck()]).toEqual([['stuck 1'], [], 1]);

    await house.parts.run('task.report_progress', { taskId: 'p-01', note: 'Half of it.' }, worker('ana'));
    await house.pass(MINUTE);
    expect(cleared(house.parts)).toEqual(['stuck']);

    // Half a day without anything: stuck again, and by evening the admin hears of it.
    await house.pass(12 * HOUR, HOUR);
    expect([raised(house.parts).slice(1), stuck()]).toEqual([['stuck 1', 'stuck 2'], 3]);

    await house.pass(7 * DAY, 8 * HOUR);
    expect(raised(house.parts).slice(3)).toEqual(['sla-violated 1']);
    expect(house.parts.said('was due by 2026-09-08T08:00:00Z')).toHaveLength(1);
    const { sla_due_at: due, sla_violated_at: found } = meta(house.parts);
    expect(due).toBe('2026-09-08T08:00:00Z');
    await house.restart();
    rmSync(join(house.parts.dir, '.baton/beats.json'));
    await house.pass(DAY, 12 * HOUR);
    expect(raised(house.parts)).toHaveLength(4);
    expect(meta(house.parts)['sla_violated_at']).toBe(found);

    await house.parts.run('task.submit', { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' }, worker('ana'));
    await house.pass(2 * HOUR, 30 * MINUTE);
    expect(raised(house.parts).slice(4)).toEqual(['unchecked 1']);
    const { submission_id: submissionId } = meta(house.parts);
    await house.parts.run('project.accept_task_result', { projectId: 'p', taskId: 'p-01', submissionId });
    await house.pass(MINUTE);
    expect(cleared(house.parts).toSorted()).toEqual(['sla-violated', 'stuck', 'stuck', 'unchecked']);
    expect(meta(house.parts)).not.toHaveProperty('raised');
    expect(meta(house.parts)['sla_violated_at']).toBe(found);

    const before = house.parts.head();
    await house.pass(3 * DAY, DAY);
    expect(house.parts.head()).toBe(before);
  });

  test('tells of an agent that holds too much when it comes to that, and again only after it was over', async () => {
    const house = await openHouse();
    await plan(house.parts, 'p-01', 'p-02', 'p-03');
    await house.parts.run('agent.register', { agent: 'ana', role: 'worker' });
    const give = (taskId: string) =>
      house.parts.run('task.delegate', { projectId: 'p', taskId, roomId: '!team:local', spec: 'Do it.', notify: true });
    await give('p-02');
    await house.pass(3 * MINUTE, MINUTE);
    expect(raised(house.parts)).toEqual(['overloaded 1']);
    expect(house.parts.said('ana holds 2 tasks and can carry 1')).toHaveLength(1);
    await house.parts.run('task.cancel', { taskId: 'p-02', reason: 'not now' });
    await house.pass(MINUTE);
    expect(cleared(house.parts)).toEqual(['overloaded']);
    await house.pass(MINUTE);
    expect(raised(house.parts)).toHaveLength(1);
    await give('p-03');
    await house.pass(3 * MINUTE, MINUTE);
    expect(raised(house.parts)).toEqual(['overloaded 1', 'overloaded 1']);
    expect(house.parts.said('ana holds 2 tasks and can carry 1')).toHaveLength(2);
  });

  test('tells again of what a pause has cleared and what stands once it is over', async () => {
    const house = await openHouse();
    await plan(house.parts, 'p-01');
    await house.parts.run('task.submit', { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' }, worker('ana'));
    const told = (): number => house.parts.said('waits to be checked').length;
    await house.pass(2 * HOUR, 30 * MINUTE);
    expect([raised(house.parts), told()]).toEqual([['unchecked 1'], 1]);
    await house.parts.run('project.pause', { projectId: 'p' });
    await house.pass(MINUTE);
    expect(cleared(house.parts)).toEqual(['unchecked']);
    await house.parts.run('project.resume', { projectId: 'p' });
    await house.pass(3 * MINUTE, MINUTE);
    expect([raised(house.parts), told()]).toEqual([['unchecked 1', 'unchecked 1'], 2]);
  });

  test('tells once of work past its eta that hardly gains anything, and clears it once it gains more (S002-21)', async () => {
    const house = await openHouse();
    const report = await subtask(house);
    const told = (): number => house.parts.said('gains less than 5% in a heartbeat').length;
    const beatWith = async (progress: number): Promise<void> => {
      await report(progress);
      await house.pass(30 * MINUTE);
    };
    await house.pass(MINUTE);
    await beatWith(2);
    expect([raised(house.parts), told()]).toEqual([[], 0]);
    // Its eta is over from here on.
    await beatWith(4);
    expect(raised(house.parts)).toEqual(['slow 1', 'overdue 1']);
    await beatWith(7);
    await house.restart();
    rmSync(join(house.parts.dir, '.baton/beats.json'));
    await beatWith(8);
    expect([raised(house.parts), told(), cleared(house.parts)]).toEqual([['slow 1', 'overdue 1'], 1, []]);
    // It need not wait for a heartbeat to be seen.
    await beatWith(9);
    await report(30);
    await house.pass(MINUTE);
    expect(cleared(house.parts)).toEqual(['slow']);
    await beatWith(31);
    await beatWith(32);
    expect([raised(house.parts), told()]).toEqual([['slow 1', 'overdue 1', 'slow 1'], 2]);
    const alerts = (await house.parts.run('work.check', { count: false }))['alerts'] as readonly { type: string }[];
    expect(alerts.map(({ type }) => type)).toEqual(['slow', 'overdue']);
    await report(60);
    await house.pass(MINUTE);
    expect(cleared(house.parts)).toEqual(['slow', 'slow']);
    // A question is waited for, and what is slow after its answer is another matter, though nothing was gained meanwhile.
    await beatWith(61);
    await beatWith(62);
    const asking = { taskId: 'TASK-001-01', question: 'Which one?' };
    await house.parts.run('task.request_attention', asking, worker('ana'));
    await house.pass(MINUTE);
    expect(cleared(house.parts)).toHaveLength(3);
    await house.parts.run('task.answer_attention', { taskId: 'TASK-001-01', answer: 'The first.' });
    await house.pass(MINUTE);
    const keys = eventsOf(house.parts, 'finding.raised').flatMap(({ data }) => (data as { key: string }).key);
    const slow = keys.filter((key) => key.startsWith('slow:'));
    expect([slow.length, new Set(slow).size, told()]).toEqual([4, 4, 4]);
  });

  test('tells of a subtask without an eta of its own that hardly gains anything once its task was expected (S002-21)', async () => {
    const house = await openHouse();
    const report = await subtask(house, { task: { eta: '1h' } });
    for (const progress of [10, 11, 12, 13]) {
      await report(progress);
      await house.pass(30 * MINUTE);
    }
    expect(raised(house.parts)).toContain('slow 1');
  });

  test('counts the SLA of a node that was never given out, and keeps what it raised in the record that it makes', async () => {
    const house = await openHouse();
    await plan(house.parts, 'p-01', 'p-02');
    const record = 'shared/tasks/p-02/meta.json';
    await house.pass(6 * DAY, 2 * DAY);
    expect(existsSync(join(house.parts.dir, record))).toBe(false);
    await house.pass(2 * DAY, DAY);
    expect(JSON.parse(house.parts.text(record))).toMatchObject({
      status: 'pending',
      assigned_to: 'ana',
      created_at: '2026-09-01T08:00:00Z',
      sla_due_at: '2026-09-08T08:00:00Z',
      raised: [{ key: 'sla-violated:p-02:2026-09-08T08:00:00Z', level: 1 }],
    });
    const said = () => house.parts.said('p-02 (Task p-02) is P2 and was due by');
    expect(said()).toHaveLength(1);
    expect(said()[0]).toContain('baton task delegate p p-02 --spec SPEC');
    await house.restart();
    await house.pass(7 * DAY, DAY);
    const key = 'sla-violated:p-02:2026-09-08T08:00:00Z';
    const found = eventsOf(house.parts, 'finding.raised').map(({ data }) => data as { key: string; level: number });
    expect(found.filter((finding) => finding.key === key).map(({ level }) => level)).toEqual([1, 2]);
    await house.parts.run('task.fail', { taskId: 'p-02' });
    await house.pass(MINUTE);
    expect(JSON.parse(house.parts.text(record))).not.toHaveProperty('raised');
  });

  test('counts the SLA of each line from the planning that brought it, which puts off no other', async () => {
    const house = await openHouse();
    await plan(house.parts, 'p-01', 'p-02');
    const line = (id: string) => ({ taskId: id, title: `Task ${id}`, assignedTo: 'ana' });
    const replan = (...ids: readonly string[]) =>
      house.parts.run('project.plan_dag', { projectId: 'p', tasks: ids.map(line) });
    const late = (): readonly string[] =>
      eventsOf(house.parts, 'finding.raised').map(({ data }) => (data as { key: string }).key);
    const project = (): Record<string, unknown> =>
      JSON.parse(house.parts.text('shared/projects/p/meta.json')) as Record<string, unknown>;
    await house.pass(3 * DAY);
    await replan('p-01', 'p-02', 'p-03');
    expect(project()).toMatchObject({ planned_later: { 'p-03': '2026-09-04T08:00:00Z' } });
    await house.pass(2 * DAY);
    await replan('p-01', 'p-02', 'p-03', 'p-04');
    await house.pass(3 * DAY, DAY);
    expect(late()).toContain('sla-violated:p-02:2026-09-08T08:00:00Z');
    await house.pass(4 * DAY + MINUTE, DAY);
    expect(late()).toContain('sla-violated:p-03:2026-09-11T08:00:00Z');
    expect(late()).toContain('sla-violated:p-04:2026-09-13T08:00:00Z');
    expect(new Set(late().filter((key) => key.startsWith('sla-'))).size).toBe(4);
    // What has a record says by itself when it came, and what is dropped says nothing.
    await replan('p-01', 'p-05');
    expect(project()).not.toHaveProperty('planned_later');
    expect(project()).toMatchObject({ planned_at: '2026-09-13T08:01:00Z' });
  });

  test('leaves nothing of a line that was never given out, once that is dropped from the plan', async () => {
    const house = await openHouse();
    await plan(house.parts, 'p-01', 'p-02');
    await house.pass(8 * DAY, DAY);
    expect(existsSync(join(house.parts.dir, 'shared/tasks/p-02/meta.json'))).toBe(true);
    const tasks = [{ taskId: 'p-01', title: 'Task p-01', assignedTo: 'ana' }];
    await house.parts.run('project.plan_dag', { projectId: 'p', tasks });
    expect(existsSync(join(house.parts.dir, 'shared/tasks/p-02'))).toBe(false);
    expect(eventsOf(house.parts, 'finding.cleared').map(({ data }) => (data as { key: string }).key)).toContain(
      'sla-violated:p-02:2026-09-08T08:00:00Z',
    );
    await house.parts.run('project.create', { projectId: 'q', title: 'Q', source: 'team-admin' });
    const again = [{ taskId: 'p-02', title: 'Again', assignedTo: 'ana' }];
    await house.parts.run('project.plan_dag', { projectId: 'q', tasks: again });
  });

  test('blocks nothing by itself, unless the team wants what is stuck blocked: then once, by the step of the table (S002-21)', async () => {
    const house = await openHouse();
    const report = await subtask(house);
    const status = () => state(house.parts)['status'];
    await house.pass(5 * HOUR, 30 * MINUTE);
    expect(status()).toBe('in_progress');
    house.parts.put('shared/team.json', policies(house.parts, { blockBeats: 6 }));
    await report(10);
    await house.pass(150 * MINUTE, 30 * MINUTE);
    expect(status()).toBe('in_progress');
    await house.pass(HOUR, 30 * MINUTE);
    const reason = 'nothing has changed in it over 6 heartbeats';
    expect(state(house.parts)).toMatchObject({ status: 'blocked', blocked_reason: reason });
    expect(state(house.parts)['history']).toContainEqual(
      expect.objectContaining({
        from: 'in_progress',
        to: 'blocked',
        actor: 'leader:lead',
        note: `by the tick: ${reason}`,
      }),
    );
    expect(eventsOf(house.parts, 'task.blocked')).toMatchObject([{ data: { cause: 'tick', beats: 6 } }]);
    expect(house.parts.said(`TASK-001-01 is blocked: ${reason}`)).toHaveLength(1);
    await house.restart();
    await house.pass(5 * HOUR, 30 * MINUTE);
    expect(eventsOf(house.parts, 'task.blocked')).toHaveLength(1);

    // What a person lets go on is watched from the beginning.
    await house.parts.run('task.unblock', { taskId: 'TASK-001-01' });
    await report(10);
    await house.pass(2 * HOUR, 30 * MINUTE);
    expect(status()).toBe('in_progress');
    await house.pass(2 * HOUR, 30 * MINUTE);
    expect(eventsOf(house.parts, 'task.blocked')).toHaveLength(2);
  });

  test('says once that what is stuck could not be blocked for as long as the remote is away, and does it when that is back', async () => {
    const house = await openHouse({ remote: 'team.git' });
    const { dir, sync, logged } = house.parts;
    const report = await subtask(house);
    house.parts.put('shared/team.json', policies(house.parts, { blockBeats: 2 }));
    await sync.adopt(['shared/team.json']);
    await sync.push();
    const remote = join(dir, '../team.git');
    const warned = () => logged.filter((line) => line.startsWith('a task that is stuck could not be blocked')).length;
    for (const outage of [1, 2]) {
      renameSync(remote, `${remote}.away`);
      await house.pass(2 * HOUR, 10 * MINUTE);
      expect([warned(), state(house.parts)['status']]).toEqual([outage, 'in_progress']);
      renameSync(`${remote}.away`, remote);
      await house.pass(MINUTE);
      expect([warned(), state(house.parts)['status']]).toEqual([outage, 'blocked']);
      await house.parts.run('task.unblock', { taskId: 'TASK-001-01' });
      await report(outage);
    }
  });

  test('counts no heartbeats where the team wants none, and then finds nothing stuck (S002-34)', async () => {
    const house = await openHouse();
    house.parts.put('shared/team.json', policies(house.parts, { heartbeats: false, blockBeats: 6 }));
    await subtask(house);
    await house.pass(8 * HOUR, 30 * MINUTE);
    const { alerts } = await house.parts.run('work.check', {});
    expect(alerts).toMatchObject([{ type: 'overdue' }]);
    expect([raised(house.parts), existsSync(join(house.parts.dir, '.baton/beats.json'))]).toEqual([
      ['overdue 1'],
      false,
    ]);
    expect(state(house.parts)['status']).toBe('in_progress');
  });

  test('passes for the nodes of Leaders only', async () => {
    const house = await openHouse();
    await plan(house.parts, 'p-01');
    const head = house.parts.head();
    const clock = createClock(() => Date.parse('2026-12-01T08:00:00Z'));
    await createScheduler({ ...house.parts, clock, identity: worker('ana') }).tick();
    expect(house.parts.head()).toBe(head);
  });
});

test('a node ticks again and again until it is stopped, also after a tick that failed', async () => {
  const waits: ((value?: unknown) => void)[] = [];
  const clock = {
    ...createClock(() => Date.parse('2026-09-01T08:00:00Z')),
    sleep: (_ms: number, signal?: AbortSignal) =>
      new Promise<void>((done) => {
        waits.push(() => done());
        signal?.addEventListener('abort', () => done());
      }),
  };
  const house = await openHouse();
  let ticks = 0;
  const workTree = {
    ...house.parts.workTree,
    view: () => {
      ticks += 1;
      if (ticks === 1) throw new Error('a disk that is gone');
      return house.parts.workTree.view();
    },
  };
  const running = startScheduler({ ...house.parts, workTree, clock });
  for (const tick of [1, 2]) {
    waits.shift()?.();
    await eventually(() => waits[0], 'the next wait');
    expect(ticks).toBeGreaterThanOrEqual(tick);
  }
  await running[Symbol.asyncDispose]();
  const { length } = house.parts.logged.filter((line) => line.startsWith('a tick failed'));
  expect(length).toBe(1);
});
