import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { cliJson } from '../support/cli.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';

/** A tree in the forms of protocol.md, Appendix D: what the legacy Manager, the REST API and the harness wrote. */
const TREE = fileURLToPath(new URL('../../fixtures/upstream', import.meta.url));

let workspace = '';
beforeEach(async () => {
  const folder = testFolder();
  expect(await cliJson(folder, 'init', 'lead', '--as', 'lead')).toMatchObject({ ok: true });
  workspace = join(folder, 'lead');
  cpSync(TREE, workspace, { recursive: true });
});

type Answer = Record<string, unknown>;

const call = (tool: string, action: string, payload: object, ...flags: string[]): Promise<Answer> =>
  cliJson(workspace, tool, action, '--payload', JSON.stringify(payload), ...flags);

async function must(tool: string, action: string, payload: object, ...flags: string[]): Promise<Answer> {
  const answer = await call(tool, action, payload, ...flags);
  expect(answer, JSON.stringify(answer)).toMatchObject({ ok: true });
  return answer;
}

const as = (name: string): string[] => ['--as', name, '--role', 'worker'];
const text = (path: string): string => readFileSync(join(workspace, path), 'utf8');
const record = (path: string): Answer => JSON.parse(text(path)) as Answer;

async function delegate(projectId: string, taskId: string): Promise<void> {
  await must('taskflow', 'delegate_task', { projectId, taskId, roomId: '!team:local', spec: `Do ${taskId}.` });
}

async function work(name: string, taskId: string): Promise<void> {
  await must('taskflow', 'ack_task', { taskId }, ...as(name));
  await must('taskflow', 'submit_task', { taskId, status: 'SUCCESS', summary: `${taskId} is done.` }, ...as(name));
}

async function accept(projectId: string, taskId: string): Promise<Answer> {
  const { task, effective } = await must('taskflow', 'check_task', { taskId });
  expect(effective).toBe(true);
  const { submission_id: submissionId } = task as { submission_id?: string };
  return must('projectflow', 'accept_task_result', { projectId, taskId, submissionId });
}

const readyIds = (answer: Answer, key = 'readyNodes'): readonly string[] =>
  (answer[key] as readonly { task_id: string }[]).map(({ task_id: id }) => id);

/** Delegates, works and accepts one task; tells what became ready. */
async function play(projectId: string, taskId: string, name: string): Promise<readonly string[]> {
  await delegate(projectId, taskId);
  await work(name, taskId);
  return readyIds(await accept(projectId, taskId));
}

async function complete(projectId: string): Promise<void> {
  expect(await must('projectflow', 'complete_project', { projectId })).toMatchObject({
    project: { project_id: projectId, status: 'completed' },
  });
  expect(git(workspace, 'status', '--porcelain')).toBe('');
}

describe("a tree in upstream's forms", () => {
  test('loads without a complaint', async () => {
    expect(await cliJson(workspace, 'doctor')).toMatchObject({ ok: true });
    expect(await cliJson(workspace, 'board')).toMatchObject({ ok: true });
  });

  test('a project of the legacy Manager waits for its approval, and is worked phase by phase', async () => {
    const projectId = 'legacy';
    expect(readyIds(await must('projectflow', 'ready_nodes', { projectId }))).toEqual([]);
    const early = { projectId, taskId: 'legacy-01', roomId: '!team:local', spec: 's' };
    expect(await call('taskflow', 'delegate_task', early)).toMatchObject({
      code: 'illegal-transition',
      error: "Invalid transition: NONE + 'prepare': project is not active: legacy (planning)",
    });
    await must('projectflow', 'resume_project', { projectId });
    expect(await play(projectId, 'legacy-01', 'ana')).toEqual(['legacy-02']);
    expect(await play(projectId, 'legacy-02', 'bo')).toEqual([]);
    await complete(projectId);
    // Two markers moved; every other character of the plan is as its author wrote it.
    const original = readFileSync(join(TREE, 'shared/projects/legacy/plan.md'), 'utf8');
    expect(text('shared/projects/legacy/plan.md')).toBe(
      original
        .replace('- [ ] legacy-01', '- [x] legacy-01')
        .replace(
          '- [ ] legacy-02 - Lay them out (assigned: bo; depends on: legacy-01)',
          '- [x] legacy-02 — Lay them out (assigned: bo, depends: legacy-01)',
        ),
    );
    expect(record('shared/projects/legacy/meta.json')).toMatchObject({
      status: 'completed',
      workers: ['ana', 'bo'],
    });
  });

  test('a project of the REST API keeps what only that knows, and its tasks are taken over as they stand', async () => {
    const projectId = 'rest';
    const resumed = await must('projectflow', 'resume_project', { projectId });
    expect(resumed['project']).toMatchObject({ project_id: 'rest', title: 'Controlled by REST', status: 'active' });

    // In camelCase, with a loose result that names its deliverable by an absolute path.
    await must('taskflow', 'ack_task', { taskId: 'rest-01' }, ...as('ana'));
    mkdirSync(dirname(join(workspace, 'shared/tasks/rest-01/result.md')), { recursive: true });
    writeFileSync(join(workspace, 'shared/tasks/rest-01/count.csv'), 'a,1\n');
    writeFileSync(
      join(workspace, 'shared/tasks/rest-01/result.md'),
      '# Task Result: Count\n\n**Task ID**: rest-01\n**Completed**: 2026-08-21\n\n## Outcome\n\n**Status**: SUCCESS\n\n' +
        '## Summary\n\nCounted all of it.\n\n## Deliverables\n\n- /root/hiclaw-fs/shared/tasks/rest-01/count.csv\n',
    );
    expect(await must('taskflow', 'submit_task', { taskId: 'rest-01' }, ...as('ana'))).toMatchObject({
      format: 'loose',
      result: { status: 'SUCCESS', summary: 'Counted all of it.', deliverables: ['shared/tasks/rest-01/count.csv'] },
    });
    await accept(projectId, 'rest-01');
    const first = record('shared/tasks/rest-01/meta.json');
    expect(first).toMatchObject({
      task_id: 'rest-01',
      assigned_to: 'ana',
      room_id: 'matrix:!team:local',
      assigned_at: '2026-08-20T09:05:00Z',
      event_id: '$abc',
      status: 'completed',
      xPriority: 'high',
    });
    expect(Object.keys(first).filter((key) => /[A-Z]/.test(key))).toEqual(['xPriority']);

    // Without a room it cannot be acknowledged; delegated again, it has one.
    expect(await call('taskflow', 'ack_task', { taskId: 'rest-02' }, ...as('bo'))).toMatchObject({
      ok: false,
      error: 'task rest-02 is missing room_id',
    });
    await play(projectId, 'rest-02', 'bo');
    // Under way already.
    await work('ana', 'rest-03');
    expect(readyIds(await accept(projectId, 'rest-03'))).toEqual(['rest-04']);
    await play(projectId, 'rest-04', 'ana');
    await complete(projectId);
    const meta = record('shared/projects/rest/meta.json');
    expect(meta).toMatchObject({ mode: 'dag', tasks: [], x_budget: { currency: 'EUR', limit: 12.5 } });
    expect(Object.keys(meta).filter((key) => /[A-Z]/.test(key))).toEqual([]);
  });

  test('a project of the harness, whose graph stands in its record, is worked by a plan.md made of it', async () => {
    const projectId = 'harness';
    expect(readyIds(await must('projectflow', 'ready_nodes', { projectId }))).toEqual([]);
    // Submitted before Baton came: checked and accepted by the fence that it was given then.
    expect(await accept(projectId, 'harness-02')).toMatchObject({ nodeStatus: 'completed', submissionId: 'sub-1' });
    expect(await play(projectId, 'harness-03', 'ana')).toEqual([]);
    await complete(projectId);
    expect(text('shared/projects/harness/plan.md')).toContain(
      [
        '- [x] harness-01 — Draft (assigned: @ana:local)',
        '- [x] harness-02 — Review (assigned: bo, depends: harness-01)',
        '- [x] harness-03 — Publish (assigned: ana, depends: harness-02)',
      ].join('\n'),
    );
    const meta = record('shared/projects/harness/meta.json');
    expect(meta).toMatchObject({ team_id: 'writers', source_room_id: '!requester:local' });
    expect((meta['tasks'] as readonly unknown[]).length).toBe(4);
  });

  test('a loop of the harness goes on where it stands', async () => {
    const projectId = 'rounds';
    const ready = await must('projectflow', 'ready_loop_nodes', { projectId });
    expect(readyIds(ready, 'readyLoopNodes')).toEqual(['rounds-i001-01']);
    await play(projectId, 'rounds-i001-01', 'ana');
    const recorded = await must('projectflow', 'record_loop_iteration', {
      projectId,
      iteration: 1,
      decision: 'stop_success',
      summary: 'No more remarks',
    });
    expect(recorded['loop']).toMatchObject({ status: 'completed', current_iteration: 1, max_iterations: 3 });
    await complete(projectId);
    const plan = text('shared/projects/rounds/plan.md');
    expect(plan).toContain(
      '- Iteration 0: continue — Began Next: read\n- Iteration 1: stop_success — No more remarks\n',
    );
    expect(plan).toContain('Read it.\n\n### Mend it\n');
  });
});
