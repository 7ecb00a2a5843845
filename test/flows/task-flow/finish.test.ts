import { beforeEach, describe, expect, test } from 'vitest';
import { ana, bo, createOffice, lead, ok, planned, refused } from '../office.ts';
import type { Office } from '../office.ts';

let office: Office;

beforeEach(async () => {
  office = createOffice({ chat: 'local' });
  await planned(office, { 'p-01': [], 'p-02': ['p-01'] });
});

const call = (actor: typeof lead, action: string, payload: object = {}) =>
  office.call(actor, 'engine', action, { taskId: 'p-01', ...payload });
const path = () => office.task('p-01').history?.map(({ from, to, actor }) => `${from} ${to} ${actor}`);

describe('finishing in one call', () => {
  test('by the leader takes every missing step and accepts', async () => {
    expect(await ok(call(lead, 'finish_task', { text: 'Done.', fromQueue: true }))).toMatchObject({ accepted: true });
    expect(path()).toEqual([
      'planned prepared leader:lead',
      'prepared assigned leader:lead',
      'assigned in_progress leader:lead',
      'in_progress submitted leader:lead',
      'submitted completed leader:lead',
    ]);
    expect(office.task('p-01')).toMatchObject({ status: 'completed', progress: 100, accepted_by: 'lead' });
    expect(office.line('p', 'p-01')).toMatch(/^- \[x\]/);
    expect(office.files['shared/tasks/p-01/result.md']).toContain('STATUS: SUCCESS\nSUMMARY: Done.');
    expect(office.files['shared/projects/p/meta.json']).toContain('"phase": "in_progress"');
  });

  test('by a worker ends in submitted and waits', async () => {
    await ok(call(lead, 'assign_task', { projectId: 'p' }));
    expect(await ok(call(ana, 'finish_task', { text: 'Done.' }))).toMatchObject({
      accepted: false,
      message: 'awaiting acceptance',
    });
    expect(path()?.slice(2)).toEqual(['assigned in_progress worker:ana', 'in_progress submitted worker:ana']);
    expect(await ok(call(lead, 'finish_task'))).toMatchObject({ accepted: true });
  });

  test("of another one's task, of one that waits for its agent, or of one that is over, is refused", async () => {
    expect(await refused(office, () => call(lead, 'finish_task'))).toBe('not-found: task not found: p-01');
    await ok(call(lead, 'assign_task', { projectId: 'p' }));
    expect(await refused(office, () => call(bo, 'finish_task'))).toBe(
      'wrong-worker: task p-01 is assigned to ana, not bo',
    );
    await ok(call(lead, 'finish_task'));
    expect(await refused(office, () => call(lead, 'finish_task'))).toBe(
      "illegal-transition: Invalid transition: COMPLETED + 'finish'",
    );
  });

  test.each([
    ['REVISION_NEEDED', 'revision', /^- \[→\]/],
    ['BLOCKED', 'blocked', /^- \[!\]/],
    ['SUCCESS_WITH_NOTES', 'completed', /^- \[x\]/],
  ])('with %s makes the node %s', async (status, word, line) => {
    await ok(call(lead, 'finish_task', { status, text: 'so it is', fromQueue: true }));
    expect(office.task('p-01').status).toBe(word);
    expect(office.line('p', 'p-01')).toMatch(line);
  });

  test('waits in a paused project', async () => {
    await ok(call(lead, 'assign_task', { projectId: 'p' }));
    await ok(office.call(lead, 'projectflow', 'pause_project', { projectId: 'p' }));
    expect(await ok(call(lead, 'finish_task'))).toMatchObject({ accepted: false, awaiting: 'acceptance' });
  });
});

describe('giving out without a message', () => {
  test('waits for what the task depends on', async () => {
    const early = () => call(lead, 'assign_task', { projectId: 'p', taskId: 'p-02' });
    expect(await refused(office, early)).toBe('blocked-by-deps: task p-02 is blocked by: p-01');
  });

  test('repeated changes nothing, and to another one is told as such', async () => {
    await ok(call(lead, 'assign_task', { projectId: 'p' }));
    const before = { ...office.files };
    await ok(call(lead, 'assign_task', { projectId: 'p' }));
    expect(office.files).toEqual(before);
    await ok(call(lead, 'assign_task', { projectId: 'p', assignedTo: 'bo' }));
    expect(office.task('p-01')).toMatchObject({ assigned_to: 'bo', status: 'assigned' });
    await ok(call(bo, 'progress_task'));
    expect(await refused(office, () => call(lead, 'assign_task', { projectId: 'p' }))).toBe(
      "illegal-transition: Invalid transition: IN_PROGRESS + 'prepare'",
    );
  });
});

test('an agent that is full is given no more where that is asked for', async () => {
  const whole = createOffice({ chat: 'local' });
  await planned(whole, { 'p-01': [], 'p-02': [] });
  const give = (taskId: string, more: object = {}) =>
    whole.call(lead, 'engine', 'assign_task', { projectId: 'p', taskId, ...more });
  await ok(give('p-01', { refuseFull: true }));
  expect(await refused(whole, () => give('p-02', { refuseFull: true }))).toBe(
    'at-capacity: Agent at capacity: ana (1/1)',
  );
  await ok(give('p-02'));
});

describe('progress', () => {
  test('acknowledges first, and without news changes nothing', async () => {
    await ok(call(lead, 'assign_task', { projectId: 'p' }));
    await ok(call(ana, 'progress_task', { progress: 40, note: 'half way' }));
    expect(office.task('p-01')).toMatchObject({ status: 'in_progress', progress: 40 });
    expect(office.task('p-01').acknowledged_at).toBeDefined();
    expect(office.task('p-01').history?.at(-1)).toMatchObject({ action: 'progress', note: '40% · half way' });
    expect(await ok(call(ana, 'progress_task', { progress: 40 }))).toMatchObject({ unchanged: true });
  });

  test('of what was not given out is refused', async () => {
    office.put({ task_id: 'p-01', status: 'pending' });
    expect(await refused(office, () => call(ana, 'progress_task'))).toBe(
      "illegal-transition: Invalid transition: PENDING + 'progress'",
    );
  });
});
