import { beforeEach, describe, expect, test } from 'vitest';
import { NOW, ROOM, ana, bo, createOffice, lead, ok, planned, refused } from '../office.ts';
import type { Office } from '../office.ts';

let office: Office;
const delegation = { projectId: 'p', taskId: 'p-01', roomId: ROOM, spec: '  # Collect\nfigures  ' };
const delegate = (changes: Record<string, unknown> = {}) =>
  office.call(lead, 'taskflow', 'delegate_task', { ...delegation, ...changes });
const refusal = (changes: Record<string, unknown> = {}) => refused(office, () => delegate(changes));

beforeEach(async () => {
  office = createOffice();
  await planned(office, { 'p-01': [], 'p-02': ['p-01'] });
});

describe('delegating a ready node', () => {
  test('publishes the claim, tells the assignee, and records the event', async () => {
    expect(await delegate()).toEqual({
      ok: true,
      tool: 'taskflow',
      action: 'delegate_task',
      task: office.task('p-01'),
      notification: { sent: true, eventId: '$e1', roomId: '!team:hs.local', assignee: '@ana:hs.local' },
      synced: true,
    });
    const txn = office.task('p-01').notify_txn;
    expect(txn).toMatch(/^delegate-p-01-[0-9a-f]{12}$/);
    expect(office.task('p-01')).toEqual({
      task_id: 'p-01',
      project_id: 'p',
      task_title: 'Task p-01',
      assigned_to: 'ana',
      assigned_to_mxid: '@ana:hs.local',
      room_id: ROOM,
      status: 'assigned',
      depends_on: [],
      assigned_at: NOW,
      event_id: '$e1',
      notify_txn: txn,
      spec_path: 'shared/tasks/p-01/spec.md',
      history: [
        { ts: NOW, from: 'planned', to: 'prepared', action: 'delegate_task', actor: 'leader:lead' },
        { ts: NOW, from: 'prepared', to: 'assigned', action: 'delegate_task', actor: 'leader:lead' },
      ],
    });
    expect(office.files['shared/tasks/p-01/spec.md']).toBe('# Collect\nfigures\n');
    expect(office.line('p', 'p-01')).toBe('- [~] p-01 — Task p-01 (assigned: ana)');
    expect(office.sent).toEqual([
      {
        kind: 'assignment',
        txn,
        room: ROOM,
        text: '@ana:hs.local TASK_ASSIGNED: p-01 - Task p-01. Please start; spec: shared/tasks/p-01/spec.md',
        mentions: ['@ana:hs.local'],
        mustHaveJoined: '@ana:hs.local',
        followUp: { operation: 'task.confirm_assignment', input: { taskId: 'p-01', txn }, actor: lead },
      },
    ]);
  });

  test('names the assignee of the call in the plan as well', async () => {
    await ok(delegate({ assignedTo: 'bo', sourceRoomId: '!req:hs.local' }));
    expect(office.task('p-01')).toMatchObject({ assigned_to: 'bo', source_room_id: '!req:hs.local' });
    expect(office.line('p', 'p-01')).toBe('- [~] p-01 — Task p-01 (assigned: bo)');
  });

  test('shows as much of the spec as the team allows', async () => {
    office = createOffice({ team: { policies: { specPreviewChars: 5 } } });
    await planned(office, { 'p-01': [] });
    await ok(delegate());
    expect(office.sent[0]?.text).toMatch(/spec\.md\n\n# Co/);
  });
});

describe('what must be given', () => {
  test.each(['projectId', 'taskId', 'roomId', 'spec'])('%s', async (name) => {
    expect(await refusal({ [name]: ' ' })).toBe(`invalid-argument: payload.${name} is required`);
    expect(await refusal({ [name]: undefined })).toBe(`invalid-argument: payload.${name} is required`);
  });

  test('ids that are safe', async () => {
    expect(await refusal({ projectId: '../p' })).toBe(
      'invalid-argument: invalid id: projectId must be a safe id: ../p',
    );
    expect(await refusal({ taskId: 'a/b' })).toBe('invalid-argument: invalid id: taskId must be a safe id: a/b');
  });

  test('a room', async () => {
    expect(await refusal({ roomId: 'team' })).toBe('invalid-argument: invalid Matrix room target: team');
  });
});

describe('the room policy', () => {
  test("refuses the Leader's DM in any spelling, also for a dry run", async () => {
    for (const room of ['!dm:hs.local', 'room:!dm:hs.local', 'matrix:!dm:hs.local']) {
      const expected = `invalid-argument: team leader task assignments must use the Team Room room:!team:hs.local, not ${room}`;
      expect(await refusal({ roomId: room })).toBe(expected);
      const dry = await office.call(lead, 'taskflow', 'delegate_task', { ...delegation, roomId: room }, true);
      expect(`${dry.code}: ${dry.error}`).toBe(expected);
    }
  });

  test('takes any other room unless the team is strict', async () => {
    await ok(delegate({ roomId: '!work:hs.local' }));
    office = createOffice({ team: { policies: { strictTeamRoom: true } } });
    await planned(office, { 'p-01': [] });
    expect(await refusal({ roomId: '!work:hs.local' })).toContain(
      'must use the Team Room room:!team:hs.local, not !work:hs.local',
    );
    await ok(delegate());
  });

  test('keeps work for a requester outside Matrix out of the Team Room, and in its room', async () => {
    await ok(
      office.call(lead, 'projectflow', 'create_project', { projectId: 'x', title: 'X', requester: 'dingtalk:u1:s1' }),
    );
    const tasks = [{ taskId: 'x-01', title: 'T', assignedTo: 'ana' }];
    await ok(office.call(lead, 'projectflow', 'plan_dag', { projectId: 'x', tasks }));
    const external = { projectId: 'x', taskId: 'x-01' };
    expect(await refusal(external)).toMatch(
      /^invalid-argument: dingtalk requester tasks require a dedicated task room/,
    );
    await ok(delegate({ ...external, roomId: '!x:hs.local' }));
    expect(await refusal({ ...external, roomId: '!y:hs.local' })).toMatch(
      /^illegal-transition: Invalid transition: ASSIGNED \+ 'redelegate': task x-01 is already delegated to assignment room !x:hs\.local;/,
    );
  });
});

describe('what stands in the way', () => {
  test('a project that is not there, paused or over', async () => {
    expect(await refusal({ projectId: 'q' })).toBe('not-found: project not found: q');
    await ok(office.call(lead, 'projectflow', 'pause_project', { projectId: 'p' }));
    expect(await refusal()).toBe('paused: project is paused: p');
    await ok(office.call(lead, 'projectflow', 'complete_project', { projectId: 'p', force: true }));
    expect(await refusal()).toBe(
      "illegal-transition: Invalid transition: NONE + 'prepare': project is not active: p (completed)",
    );
  });

  test('a node that is not planned, not pending or not free', async () => {
    expect(await refusal({ taskId: 'p-09' })).toBe('not-found: task not found in project graph: p-09');
    expect(await refusal({ taskId: 'p-02' })).toBe('blocked-by-deps: task p-02 is blocked by: p-01');
    office.edit('shared/projects/p/plan.md', '[ ] p-01', '[x] p-01');
    expect(await refusal()).toBe(
      "illegal-transition: Invalid transition: COMPLETED + 'prepare': task p-01 is not pending",
    );
  });

  test('a plan in which two nodes share an id', async () => {
    office.files['shared/projects/p/plan.md'] += '- [ ] p-01 — Twin (assigned: bo)\n';
    expect(await refusal()).toMatch(/^broken-file: duplicate task ids in graph/);
  });

  test('nobody, or somebody whom the roster does not know', async () => {
    office.edit('shared/projects/p/plan.md', '(assigned: ana)', '');
    expect(await refusal()).toBe('invalid-argument: task p-01 has no assignee');
    office.hire('bo');
    expect(await refusal({ assignedTo: 'ana' })).toBe("invalid-argument: cannot resolve Matrix ID for worker 'ana'");
    await ok(delegate({ assignedTo: 'BO' }));
    expect(office.task('p-01')).toMatchObject({ assigned_to: 'bo', assigned_to_mxid: '@bo:hs.local' });
  });

  test('a role that does not lead', async () => {
    const call = () => office.call(ana, 'taskflow', 'delegate_task', delegation);
    expect(await refused(office, call)).toMatch(/^wrong-role: /);
  });

  test('a task of that id in another project', async () => {
    office.put({ task_id: 'p-01', project_id: 'other' });
    expect(await refusal()).toBe('already-exists: task already exists: p-01 (in project other)');
  });

  test('a broken record', async () => {
    office.files['shared/tasks/p-01/meta.json'] = '{';
    expect(await refusal()).toMatch(/^broken-file: shared\/tasks\/p-01\/meta\.json cannot be read: /);
  });
});

describe('doing it again', () => {
  test('sends nothing and rewrites nothing', async () => {
    await ok(delegate());
    const before = { ...office.files };
    const again = await ok(delegate({ spec: 'something else', assignedTo: 'ANA', roomId: '!team:hs.local' }));
    expect(again['notification']).toEqual({
      sent: true,
      eventId: '$e1',
      reused: true,
      roomId: '!team:hs.local',
      assignee: '@ana:hs.local',
    });
    expect(office.files).toEqual(before);
    expect(office.sent).toHaveLength(1);
  });

  test('after a failed message goes on under the same transaction id', async () => {
    office.weather.silent = 'worker @ana:hs.local is not a joined member of room !team:hs.local';
    const failed = await delegate();
    expect(failed).toEqual({
      ok: false,
      tool: 'taskflow',
      action: 'delegate_task',
      error: 'worker @ana:hs.local is not a joined member of room !team:hs.local',
      code: 'notify-failed',
      projectId: 'p',
      taskId: 'p-01',
      retryable: true,
      remedy: expect.any(String),
      notification: { sent: false, error: 'worker @ana:hs.local is not a joined member of room !team:hs.local' },
      task: office.task('p-01'),
      synced: true,
    });
    const { notify_txn: txn, ...prepared } = office.task('p-01');
    expect(prepared).toMatchObject({ status: 'prepared' });
    expect(prepared).not.toHaveProperty('event_id');
    office.weather.silent = undefined;
    await ok(delegate({ spec: 'another spec' }));
    expect(office.task('p-01')).toMatchObject({ status: 'assigned', event_id: '$e1', notify_txn: txn });
    expect(office.sent.map((message) => message.txn)).toEqual([txn]);
    expect(office.files['shared/tasks/p-01/spec.md']).toBe('# Collect\nfigures\n');
  });

  test('while the homeserver takes no more is claimed and queued, which is no failure', async () => {
    office.weather.full = 'the homeserver takes the next message in 5 s';
    const answer = await ok(delegate());
    expect(answer['notification']).toEqual({
      sent: false,
      queued: true,
      reason: 'the homeserver takes the next message in 5 s',
      roomId: '!team:hs.local',
      assignee: '@ana:hs.local',
    });
    expect(answer).toMatchObject({ synced: true, task: { status: 'prepared' } });
    await ok(office.call(ana, 'taskflow', 'ack_task', { taskId: 'p-01' }));
    const submitted = await ok(
      office.call(ana, 'taskflow', 'submit_task', { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' }),
    );
    expect(submitted['notification']).toMatchObject({ sent: false, queued: true });
  });

  test('records a lost event of a Worker that was faster, and keeps its status', async () => {
    await ok(delegate());
    const { event_id: _lost, ...meta } = office.task('p-01');
    office.put({ ...meta, status: 'in_progress', acknowledged_at: NOW });
    const answer = await ok(delegate());
    expect(answer['notification']).toMatchObject({ sent: true, eventId: '$e1', reused: true });
    expect(office.task('p-01')).toMatchObject({ status: 'in_progress', event_id: '$e1' });
    expect(office.sent).toHaveLength(1);
  });

  test('is refused once the work has begun, is handed in, or is over', async () => {
    await ok(delegate());
    await ok(office.call(ana, 'taskflow', 'ack_task', { taskId: 'p-01' }));
    expect(await refusal()).toMatch(
      /^illegal-transition: Invalid transition: IN_PROGRESS \+ 'prepare': delegate_task: task is 'in_progress'; cancel_task it first/,
    );
    expect(await refusal({ assignedTo: 'bo' })).toMatch(
      /^illegal-transition: Invalid transition: IN_PROGRESS \+ 'redelegate': delegate_task: task is 'in_progress'; /,
    );
    await ok(office.call(ana, 'taskflow', 'submit_task', { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' }));
    expect(await refusal()).toMatch(
      /^illegal-transition: Invalid transition: SUBMITTED \+ 'prepare': delegate_task: task is 'submitted'; /,
    );
    office.put({ ...office.task('p-01'), status: 'completed' });
    expect(await refusal()).toBe(
      "illegal-transition: Invalid transition: COMPLETED + 'prepare': delegate_task cannot update terminal task: completed",
    );
  });

  test('for another assignee or room is a new assignment with a message of its own', async () => {
    await ok(delegate());
    const first = office.task('p-01');
    await ok(delegate({ assignedTo: 'bo', spec: 'For bo' }));
    const second = office.task('p-01');
    expect(second).toMatchObject({
      assigned_to: 'bo',
      assigned_to_mxid: '@bo:hs.local',
      earlier_assignees: ['ana'],
      status: 'assigned',
      event_id: '$e2',
    });
    expect(first).not.toHaveProperty('earlier_assignees');
    expect(second.notify_txn).not.toBe(first.notify_txn);
    expect(second.assigned_at).toBe(first.assigned_at);
    expect(second.history?.slice(2)).toEqual([
      { ts: NOW, from: 'assigned', to: 'prepared', action: 'delegate_task', actor: 'leader:lead', note: 're-delegate' },
      { ts: NOW, from: 'prepared', to: 'assigned', action: 'delegate_task', actor: 'leader:lead' },
    ]);
    expect(office.files['shared/tasks/p-01/spec.md']).toBe('For bo\n');
    await ok(delegate({ assignedTo: 'bo', roomId: '!work:hs.local' }));
    expect(office.task('p-01')).toMatchObject({ room_id: '!work:hs.local', event_id: '$e3' });
    expect(office.sent).toHaveLength(3);
    // Who has had the task is said once each, also of one to whom it comes back.
    expect(office.task('p-01').earlier_assignees).toEqual(['ana']);
    await ok(delegate({ assignedTo: 'ana' }));
    await ok(delegate({ assignedTo: 'bo' }));
    expect(office.task('p-01').earlier_assignees).toEqual(['ana', 'bo']);
  });

  test('is not moved into a room where its assignee is not, and stays as it was', async () => {
    await ok(delegate());
    const before = { ...office.files };
    office.facts = { absent: { room: '!typo:hs.local', members: ['@ana:hs.local'] } };
    expect(await delegate({ roomId: '!typo:hs.local', spec: 'Other' })).toMatchObject({
      ok: false,
      code: 'notify-failed',
      error: '@ana:hs.local is not a joined member of room !typo:hs.local; the assignment stays where it is',
    });
    expect(office.files).toEqual(before);
    expect(office.sent).toHaveLength(1);
  });

  test('mends a marker that was set back by hand', async () => {
    await ok(delegate());
    office.edit('shared/projects/p/plan.md', '[~] p-01', '[ ] p-01');
    await ok(delegate());
    expect(office.line('p', 'p-01')).toMatch(/^- \[~\] p-01/);
  });

  test('survives a marker and a record that nobody finished: a late confirmation of an old message records nothing', async () => {
    await ok(delegate());
    const before = office.task('p-01');
    await office.internal('task.confirm_assignment', {
      taskId: 'p-01',
      txn: 'delegate-p-01-000000000000',
      eventId: '$old',
    });
    await office.internal('task.confirm_assignment', { taskId: 'p-77', txn: 'x', eventId: '$old' });
    expect(office.task('p-01')).toEqual(before);
  });
});

describe('without a homeserver', () => {
  beforeEach(() => {
    office.weather.chat = 'local';
  });

  test('the task is assigned at once, and the message stands in the room log', async () => {
    const text = '@ana:hs.local TASK_ASSIGNED: p-01 - Task p-01. Please start; spec: shared/tasks/p-01/spec.md';
    const answer = await ok(delegate());
    expect(answer['notification']).toEqual({
      sent: false,
      skipped: true,
      reason: 'no homeserver is configured; the assignment is in the local room log',
      roomId: '!team:hs.local',
      assignee: '@ana:hs.local',
    });
    expect(answer['assignmentMessage']).toBe(text);
    const { notify_txn: txn } = office.task('p-01');
    expect(office.task('p-01')).toMatchObject({ status: 'assigned' });
    expect(office.sent).toEqual([{ kind: 'assignment', txn, room: ROOM, text, mentions: ['@ana:hs.local'] }]);
  });

  test('a repeated call is recognised by the record alone', async () => {
    await ok(delegate());
    const before = { ...office.files };
    expect((await ok(delegate()))['notification']).toMatchObject({ sent: false, skipped: true, reused: true });
    expect(office.files).toEqual(before);
    expect(office.sent).toHaveLength(1);
  });

  test('a server name that nobody vouches for does not hide a Worker of the roster', async () => {
    office.hire('bo');
    await ok(delegate({ assignedTo: '@bo:elsewhere' }));
    expect(office.task('p-01')).toMatchObject({ assigned_to: 'bo', assigned_to_mxid: '@bo:hs.local' });
  });
});

describe('with notify off', () => {
  test('nothing is sent, and the Leader gets the text to post', async () => {
    const answer = await ok(delegate({ notify: 'no' }));
    expect(answer['notification']).toMatchObject({
      sent: false,
      skipped: true,
      reason: expect.stringContaining('notify is off'),
    });
    expect(answer['assignmentMessage']).toContain('TASK_ASSIGNED: p-01');
    expect(office.task('p-01')).toMatchObject({ status: 'assigned' });
    expect(office.task('p-01')).not.toHaveProperty('notify_txn');
    expect(office.sent).toEqual([]);
  });

  test('a later call with notify sends it', async () => {
    await ok(delegate({ notify: false }));
    expect((await ok(delegate()))['notification']).toMatchObject({ sent: true, eventId: '$e1' });
    expect(office.task('p-01')).toMatchObject({ status: 'assigned', event_id: '$e1' });
  });
});

test('a dry run checks and changes nothing', async () => {
  const before = { ...office.files };
  expect(await office.call(lead, 'taskflow', 'delegate_task', delegation, 'true')).toEqual({
    ok: true,
    tool: 'taskflow',
    action: 'delegate_task',
    dryRun: true,
    projectId: 'p',
    taskId: 'p-01',
    roomId: ROOM,
    notify: true,
  });
  expect(office.files).toEqual(before);
});

test('only the assignee of the last delegation may take the task on', async () => {
  await ok(delegate());
  await ok(delegate({ assignedTo: 'bo' }));
  const late = () => office.call(ana, 'taskflow', 'ack_task', { taskId: 'p-01' });
  expect(await refused(office, late)).toBe('wrong-worker: task p-01 is assigned to bo, not ana');
  await ok(office.call(bo, 'taskflow', 'ack_task', { taskId: 'p-01' }));
});
