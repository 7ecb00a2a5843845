import { describe, expect, test } from 'vitest';
import { planProse } from '../../src/protocol/plan/prose.ts';
import { createOffice, lead, NOW, ok, planned, refused } from './office.ts';

describe('a task that names no project', () => {
  test('is a pending node of the inbox, which the first of them makes', async () => {
    const office = createOffice();
    const first = await ok(
      office.call(lead, 'engine', 'create_task', { title: 'Fix (it)', priority: 'P1', description: 'All of it.' }),
    );
    const second = await ok(office.call(lead, 'engine', 'create_task', { title: 'Then', dependsOn: ['TASK-001'] }));
    expect([first['task'], second['task']]).toMatchObject([
      {
        task_id: 'TASK-001',
        project_id: 'inbox',
        status: 'pending',
        priority: 'P1',
        created_at: NOW,
        created_by: 'lead',
      },
      { task_id: 'TASK-002', depends_on: ['TASK-001'], priority: 'P2' },
    ]);
    expect(office.files['shared/projects/inbox/plan.md']).toBe(
      [
        '# Team Project: Inbox',
        '',
        '**ID**: inbox',
        `**Created**: ${NOW}`,
        '',
        '## DAG Task Plan',
        '',
        '**Plan Type**: dag',
        '',
        '- [ ] TASK-001 — Fix (it) (assigned: -)',
        '- [ ] TASK-002 — Then (assigned: -, depends: TASK-001)',
        '',
      ].join('\n'),
    );
    expect(JSON.parse(office.files['shared/projects/inbox/meta.json'] ?? '')).toEqual({
      project_id: 'inbox',
      title: 'Inbox',
      status: 'active',
      created_at: NOW,
      mode: 'inbox',
      acceptance: 'auto',
    });
    expect(office.files['shared/tasks/TASK-001/spec.md']).toBe('All of it.\n');
    expect(office.events.map(({ type }) => type)).toEqual(['project.created', 'task.created', 'task.created']);
  });

  test('is delegated like any other, and nobody is owed a report on the inbox', async () => {
    const office = createOffice({ team: { leaderDmRoomId: '' } });
    office.hire('ana');
    await ok(office.call(lead, 'engine', 'create_task', { title: 'One' }));
    const roomId = 'room:!team:hs.local';
    const claim = { projectId: 'inbox', taskId: 'TASK-001', assignedTo: 'ana', roomId, spec: 'Do it.' };
    await ok(office.call(lead, 'taskflow', 'delegate_task', claim));
    expect(office.line('inbox', 'TASK-001')).toBe('- [~] TASK-001 — One (assigned: ana)');
    expect(office.task('TASK-001')).toMatchObject({ status: 'assigned', priority: 'P2', created_by: 'lead' });
    expect(office.files['shared/projects/inbox/meta.json']).not.toContain('requester_report');
  });

  test('may name a project, whose numbers it then takes, and an id of its own', async () => {
    const office = createOffice();
    await planned(office, { 'p-01': [] });
    const first = await ok(office.call(lead, 'engine', 'create_task', { title: 'More', projectId: 'p' }));
    const second = await ok(
      office.call(lead, 'engine', 'create_task', { title: 'Own', projectId: 'p', taskId: 'own', dependsOn: ['p-01'] }),
    );
    expect([first['task'], second['task']]).toMatchObject([{ task_id: 'p-02' }, { task_id: 'own', project_id: 'p' }]);
    expect(office.line('p', 'own')).toBe('- [ ] own — Own (assigned: -, depends: p-01)');
  });

  test('takes its steps as a part of the inbox', async () => {
    const office = createOffice({ chat: 'local' });
    await ok(office.call(lead, 'engine', 'create_task', { title: 'One', assignedTo: 'ana' }));
    const step = await office.call(lead, 'engine', 'transition_project', { projectId: 'TASK-001', event: 'complete' });
    expect([step.error, step['remedy']]).toEqual([
      'project not found: TASK-001',
      'it is a task of project inbox: `baton subtask inbox TASK-001 EVENT` takes its steps',
    ]);
    await ok(office.call(lead, 'engine', 'assign_task', { projectId: 'inbox', taskId: 'TASK-001' }));
    expect(office.task('TASK-001').status).toBe('assigned');
  });

  test.each([
    [{ title: ' \n ' }, 'invalid-argument: payload.title is required'],
    [{ title: 'x', eta: 'soon' }, 'invalid-argument: payload.eta is no time: soon'],
    [{ title: 'x', priority: 'P9' }, 'invalid-argument: payload.priority must be one of: P0, P1, P2, P3'],
    [{ title: 'x', dependsOn: ['TASK-404'] }, 'invalid-argument: payload.dependsOn names unknown tasks: TASK-404'],
    [{ title: 'x', taskId: 'me', dependsOn: ['me'] }, 'invalid-argument: cycle in task graph: me -> me'],
    [{ title: 'x', taskId: 'P-01' }, 'already-exists: task already exists: P-01'],
    [{ title: 'x', taskId: 'P' }, 'already-exists: project already exists: P'],
    [{ title: 'x', assignedTo: 'a, b' }, 'invalid-argument: assignedTo must be a worker name or a Matrix id: a, b'],
    [{ title: 'x', projectId: 'nowhere' }, 'not-found: project not found: nowhere'],
  ])('is refused for %j and changes nothing', async (payload, refusal) => {
    const office = createOffice();
    await planned(office, { 'p-01': [] });
    office.put({ task_id: 'p-01' });
    expect(await refused(office, () => office.call(lead, 'engine', 'create_task', payload))).toBe(refusal);
  });

  test('leaves the inbox as it is, which never ends and has no phases', async () => {
    const office = createOffice({ chat: 'local' });
    await ok(office.call(lead, 'engine', 'create_task', { title: 'One', type: 'dev', assignedTo: 'ana' }));
    await ok(office.call(lead, 'engine', 'finish_task', { taskId: 'TASK-001', fromQueue: true }));
    expect(office.line('inbox', 'TASK-001')).toBe('- [x] TASK-001 — One (assigned: ana, type: dev)');
    expect(office.files['shared/projects/inbox/meta.json']).not.toContain('phase');
    expect(
      await refused(office, () => office.call(lead, 'projectflow', 'complete_project', { projectId: 'inbox' })),
    ).toBe("illegal-transition: Invalid transition: APPROVED + 'complete_project': the inbox never ends");
  });

  test('is archived by itself once it has ended, and those that waited for it wait no longer (S002-24)', async () => {
    const office = createOffice({ chat: 'local' });
    await ok(office.call(lead, 'engine', 'create_task', { title: 'One', assignedTo: 'ana' }));
    await ok(office.call(lead, 'engine', 'create_task', { title: 'Two', dependsOn: ['TASK-001'] }));
    const archive = (id: string) => office.call(lead, 'engine', 'archive', { id });
    expect(await refused(office, () => archive('TASK-001'))).toBe(
      'illegal-transition: Cannot archive: not terminal (TASK-001 is pending)',
    );
    await ok(office.call(lead, 'engine', 'finish_task', { taskId: 'TASK-001', fromQueue: true }));
    await ok(archive('TASK-001'));
    expect(
      Object.keys(office.files)
        .filter((path) => path.includes('TASK-001/'))
        .sort(),
    ).toEqual([
      'shared/archive/2026-09/tasks/TASK-001/meta.json',
      'shared/archive/2026-09/tasks/TASK-001/result.md',
      'shared/archive/2026-09/tasks/TASK-001/spec.md',
    ]);
    expect(office.line('inbox', 'TASK-002')).toBe('- [ ] TASK-002 — Two (assigned: -)');
    expect(await refused(office, () => archive('TASK-001'))).toContain('not-found');
    const { items } = await ok(office.call(lead, 'engine', 'list', { all: true }));
    expect(items).toMatchObject([{ id: 'TASK-002' }, { id: 'TASK-001', status: 'completed', archived: true }]);
    await ok(office.call(lead, 'engine', 'create_task', { title: 'Three' }));
    expect(office.line('inbox', 'TASK-003')).toBe('- [ ] TASK-003 — Three (assigned: -)');
  });

  test('leaves no other project the name of the inbox', async () => {
    const office = createOffice();
    expect(
      await refused(office, () =>
        office.call(lead, 'projectflow', 'create_project', { projectId: 'Inbox', title: 'I' }),
      ),
    ).toBe('already-exists: project id is reserved: Inbox');
  });
});

describe('a composite project', () => {
  test('is created with its plan in words, and begins once that is approved (S002-02)', async () => {
    const office = createOffice();
    office.put({ task_id: 'TASK-010' });
    const given = {
      title: 'Feature  X',
      priority: 'P0',
      plan: '3 phases:\nmodels, API, tests',
      eta: '2h',
      tags: ['x'],
    };
    const { project } = await ok(office.call(lead, 'engine', 'create', given));
    expect(project).toEqual({
      project_id: 'TASK-011',
      title: 'Feature X',
      status: 'active',
      created_at: NOW,
      mode: 'composite',
      phase: 'planning',
      acceptance: 'auto',
      priority: 'P0',
      eta: '2026-09-01T12:15:00Z',
      tags: ['x'],
    });
    expect(planProse(office.files['shared/projects/TASK-011/plan.md'] ?? '')).toBe(given.plan);
  });

  test('owes nobody a report, unless somebody asked for it', async () => {
    for (const requester of [undefined, '@admin:hs.local']) {
      const office = createOffice({ chat: 'local' });
      await ok(office.call(lead, 'engine', 'create', { title: 'X' }));
      const path = 'shared/projects/TASK-001/meta.json';
      if (requester !== undefined) office.edit(path, '"mode"', `"requester": "${requester}", "mode"`);
      await ok(office.call(lead, 'engine', 'transition_project', { projectId: 'TASK-001', event: 'approve' }));
      const given = { projectId: 'TASK-001', title: 'One', agent: 'ana' };
      await ok(office.call(lead, 'engine', 'dispatch_task', given));
      await ok(office.call(lead, 'engine', 'finish_task', { taskId: 'TASK-001-01' }));
      expect(office.line('TASK-001', 'TASK-001-01')).toContain('- [x]');
      expect(office.files[path]?.includes('requester_report')).toBe(requester !== undefined);
    }
  });

  test('that has failed is archived with what was left open, of which nobody is to go on (S002-24)', async () => {
    const office = createOffice({ chat: 'local' });
    const step = (event: string) => office.call(lead, 'engine', 'transition_project', { projectId: 'TASK-001', event });
    const archive = () => office.call(lead, 'engine', 'archive', { id: 'TASK-001' });
    await ok(office.call(lead, 'engine', 'create', { title: 'X' }));
    await ok(step('approve'));
    await ok(office.call(lead, 'engine', 'dispatch_task', { projectId: 'TASK-001', title: 'One', agent: 'ana' }));
    expect(await refused(office, archive)).toContain('Cannot archive: not terminal');
    await ok(step('fail'));
    await ok(archive());
    expect(Object.keys(office.files).filter((path) => /^shared\/(?:projects|tasks)\//.test(path))).toEqual([]);
    expect((await ok(office.call(lead, 'engine', 'show', { id: 'TASK-001' })))['subtasks']).toMatchObject([
      { id: 'TASK-001-01', status: 'assigned' },
    ]);
    await ok(office.call(lead, 'engine', 'create', { title: 'Next' }));
    expect(Object.keys(office.files)).toContain('shared/projects/TASK-002/meta.json');
  });

  test('is created with a warning when many are open (S002-34)', async () => {
    const office = createOffice({ team: { policies: { maxActive: 2 } } });
    const created = async (title: string) => (await ok(office.call(lead, 'engine', 'create', { title })))['warning'];
    expect([await created('A'), await created('B'), await created('C')]).toEqual([
      undefined,
      undefined,
      '3 tasks are open, more than policies.maxActive (2)',
    ]);
    for (const projectId of ['TASK-001', 'TASK-002']) {
      await ok(office.call(lead, 'engine', 'transition_project', { projectId, event: 'reject' }));
    }
    expect(await created('D')).toBeUndefined();
  });

  test('has the ids that the team wants, and those of before count as open as well (S002-34)', async () => {
    const office = createOffice({ team: { policies: { maxActive: 1 } } });
    const created = async (title: string) => {
      const { project, warning } = await ok(office.call(lead, 'engine', 'create', { title }));
      return [(project as { readonly project_id: string }).project_id, warning];
    };
    expect(await created('A')).toEqual(['TASK-001', undefined]);
    office.edit('shared/team.json', '"maxActive": 1', '"maxActive": 1, "idPrefix": "JOB"');
    expect(await created('B')).toEqual(['JOB-001', '2 tasks are open, more than policies.maxActive (1)']);
    const { task } = await ok(office.call(lead, 'engine', 'create_task', { title: 'C' }));
    expect(task).toMatchObject({ task_id: 'JOB-002' });
  });

  test.each([
    '- [ ] evil — Task',
    '## Heading\n\ntext',
    '```\nopen',
    '**Plan Type**: loop',
    '<!-- open',
    '<<<<<<< ours',
  ])('quotes a plan that would be read as something else: %j', async (plan) => {
    const office = createOffice();
    await ok(office.call(lead, 'engine', 'create', { title: 'X', plan }));
    await ok(office.call(lead, 'engine', 'create_task', { title: 'Real', projectId: 'TASK-001' }));
    const text = office.files['shared/projects/TASK-001/plan.md'] ?? '';
    expect(planProse(text)).toBe(plan.replaceAll(/^/gm, '> ').replaceAll(/ +$/gm, ''));
    expect(text.split('\n').filter((line) => line.startsWith('- ['))).toEqual([
      '- [ ] TASK-001-01 — Real (assigned: -)',
    ]);
  });
});
