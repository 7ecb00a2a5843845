import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { baton } from '../support/baton.ts';
import { cli, cliJson } from '../support/cli.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';
import { startAgent } from '../support/mcp.ts';
import { startUp } from '../support/node.ts';
import { makeTeam } from '../support/team.ts';
import { eventually } from '../support/waiting.ts';

function put(workspace: string, path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(workspace, path)), { recursive: true });
  writeFileSync(join(workspace, path), content);
}

const meta = (id: string): string => `${JSON.stringify({ project_id: id, title: 'T', status: 'active' })}\n`;
const plan = (...lines: string[]): string =>
  `# Team Project: T\n\n## DAG Task Plan\n\n**Plan Type**: dag\n\n${lines.join('\n')}\n`;

interface Broken {
  readonly file: string;
  /** `line:column [rule]` */
  readonly place: string;
  /** `symlink` for a link out of the workspace. */
  readonly content: string | Uint8Array;
  readonly mended: string;
}

const LONG = 5_000_000;

/** One file for each way of being broken. */
const BROKEN: readonly Broken[] = [
  {
    file: 'shared/projects/garbage/meta.json',
    place: '1:1 [json-invalid]',
    content: 'this was never JSON\n',
    mended: meta('garbage'),
  },
  {
    file: 'shared/projects/binary/meta.json',
    place: '1:1 [file-not-utf8]',
    content: Uint8Array.of(0x00, 0xff, 0xfe, 0x0a),
    mended: meta('binary'),
  },
  {
    file: 'shared/projects/latin/plan.md',
    place: '3:1 [file-not-utf8]',
    content: Buffer.from('# Plan\n\ncaf\xe9\n', 'latin1'),
    mended: plan('- [ ] latin-01 — A (assigned: ana)'),
  },
  {
    file: 'shared/projects/merged/plan.md',
    place: '7:1 [plan-conflict-marker]',
    content: plan(
      '<<<<<<< HEAD',
      '- [ ] merged-01 — A (assigned: ana)',
      '=======',
      '- [ ] merged-02 — A (assigned: ana)',
      '>>>>>>> other',
    ),
    mended: plan('- [ ] merged-01 — A (assigned: ana)'),
  },
  {
    file: 'shared/projects/twice/plan.md',
    place: '8:1 [plan-duplicate-id]',
    content: plan('- [ ] twice-01 — A (assigned: ana)', '- [ ] twice-01 — B (assigned: bo)'),
    mended: plan('- [ ] twice-01 — A (assigned: ana)', '- [ ] twice-02 — B (assigned: bo)'),
  },
  {
    file: 'shared/tasks/cut/meta.json',
    place: '3:21 [json-invalid]',
    content: '{\n  "task_id": "cut",\n  "project_id": "goo',
    mended: JSON.stringify({ task_id: 'cut', project_id: 'good', task_title: 'C', assigned_to: 'ana' }),
  },
  {
    file: 'shared/tasks/link/meta.json',
    place: '1:1 [file-symlink]',
    content: 'symlink',
    mended: JSON.stringify({ task_id: 'link', project_id: 'good', task_title: 'L', assigned_to: 'ana' }),
  },
  {
    file: 'shared/tasks/long/meta.json',
    place: `1:${LONG + 13} [json-invalid]`,
    content: `{"task_id":"${'x'.repeat(LONG)}`,
    mended: JSON.stringify({ task_id: 'long', project_id: 'good', task_title: 'L', assigned_to: 'ana' }),
  },
  {
    file: 'shared/agents/broken.json',
    place: '1:15 [json-invalid]',
    content: '{"agent_id": 5',
    mended: JSON.stringify({ agent_id: 'broken', role: 'worker' }),
  },
];

function breakIt(workspace: string, { file, content }: Broken): void {
  if (content !== 'symlink') return put(workspace, file, content);
  mkdirSync(dirname(join(workspace, file)), { recursive: true });
  symlinkSync('/etc/hosts', join(workspace, file));
}

const said = ({ file, place }: Broken): string => `${file}:${place}`;
const countOf = (text: string, part: string): number => text.split(part).length - 1;

/** What a room shows of JSON that holds its texts: there the words of others are no Markdown. */
const shown = (json: string): string => json.replaceAll(/\\\\([[\]])/g, '$1');

/** Everything that was ever said in the rooms of this clone. */
function roomsOf(workspace: string): string {
  const folder = join(workspace, '.baton/rooms');
  if (!existsSync(folder)) return '';
  return readdirSync(folder)
    .map((name) => shown(readFileSync(join(folder, name), 'utf8')))
    .join('');
}

test('a node starts over broken files, tells of each once with file, line and rule, and serves all else', async () => {
  const cwd = join(testFolder(), 'lead');
  expect((await cli(dirname(cwd), 'init', 'lead', '--as', 'lead')).code).toBe(0);
  const projectId = 'good';
  await cliJson(cwd, 'project', 'create', 'Good', '--project-id', projectId);
  const tasks = [{ taskId: 'good-01', title: 'One', assignedTo: 'ana' }];
  await cliJson(cwd, 'project', 'plan', projectId, '--tasks', JSON.stringify(tasks));
  for (const id of ['latin', 'merged', 'twice']) put(cwd, `shared/projects/${id}/meta.json`, meta(id));
  for (const broken of BROKEN) breakIt(cwd, broken);

  const node = await startUp(cwd);
  const agent = await startAgent(cwd);
  await eventually(() => node.log().includes('shared/tasks/long/meta.json') || undefined, 'the last one is logged');

  const doctor = await cli(cwd, 'doctor');
  const health = await agent.must('health', 'health');
  const inbox = await cli(cwd, 'inbox', '--limit', '200', '--json');
  expect(doctor.code).toBe(1);
  expect(health).toMatchObject({ status: 'ok' });
  const problems = (health['problems'] as readonly string[]).join('\n');
  const told = BROKEN.map((broken) => ({
    broken: said(broken),
    doctor: countOf(doctor.stdout, said(broken)),
    health: countOf(problems, said(broken)),
    log: countOf(node.log(), `"message":"${said(broken)}`),
    room: countOf(shown(inbox.stdout), said(broken)),
  }));
  expect(told).toEqual(BROKEN.map((broken) => ({ broken: said(broken), doctor: 1, health: 1, log: 1, room: 1 })));

  // All else goes on: the good project is worked from delegation to the end.
  const leader = async (...words: string[]): Promise<Record<string, unknown>> => {
    const answer = await cliJson(cwd, ...words);
    expect(answer, JSON.stringify(answer)).toMatchObject({ ok: true });
    return answer;
  };
  const ana = ['--as', 'ana', '--role', 'worker'];
  await leader('task', 'delegate', projectId, 'good-01', '--spec', 'Do it.');
  await leader('task', 'ack', 'good-01', ...ana);
  const { task } = await leader('task', 'submit', 'good-01', '--status', 'SUCCESS', '--summary', 'Done.', ...ana);
  const { submission_id: submission } = task as { submission_id: string };
  await leader('project', 'accept', projectId, 'good-01', '--submission-id', submission);
  await leader('project', 'complete', projectId);
  // What concerns a broken file is refused, by name.
  expect(await cliJson(cwd, 'project', 'ready', 'twice')).toMatchObject({ ok: false, code: 'broken-file' });
  expect(await cliJson(cwd, 'project', 'pause', 'garbage')).toMatchObject({
    ok: false,
    code: 'broken-file',
    error: expect.stringContaining('shared/projects/garbage/meta.json') as unknown,
  });

  // Mended by hand, one after the other: each finding is cleared, and nobody is told anything twice.
  for (const { file, mended } of BROKEN) {
    rmSync(join(cwd, file));
    put(cwd, file, mended);
    await eventually(() => {
      const cleared = node
        .log()
        .split('\n')
        .filter((line) => line.includes('a finding no longer stands'));
      return cleared.some((line) => line.includes(`broken-file:${file}:`)) || undefined;
    }, `${file} is no longer told of`);
  }
  expect((await cli(cwd, 'doctor')).stdout).not.toContain('wrong');
  expect((await agent.must('health', 'health'))['problemCount']).toBe(0);
  expect(BROKEN.map((broken) => countOf(roomsOf(cwd), said(broken)))).toEqual(BROKEN.map(() => 1));
  await eventually(
    () => git(cwd, 'status', '--porcelain', 'shared') === '' || undefined,
    'what was mended is committed',
  );

  // And broken under the running node, the node that runs on tells of that as well.
  put(cwd, 'shared/projects/late/meta.json', '{"project_id": "late",}');
  await eventually(
    () => countOf(roomsOf(cwd), 'shared/projects/late/meta.json:1:23 [json-invalid]') === 1 || undefined,
    'what breaks later is told as well',
  );
  expect(await node.stop()).toBe(0);
});

test('broken files that somebody pushed reach every clone and stop none', async () => {
  const team = await makeTeam();
  const lead = await startAgent(team.lead);
  const ana = await startAgent(team.ana);
  git(team.folder, 'clone', '--quiet', team.remote, 'pat');
  const pat = join(team.folder, 'pat');
  const pushed = BROKEN.filter(({ content }) => content !== 'symlink');
  for (const id of ['latin', 'merged', 'twice']) put(pat, `shared/projects/${id}/meta.json`, meta(id));
  for (const broken of pushed) breakIt(pat, broken);
  put(pat, 'shared/team.json', '{ "schema": 1, "name": "t", "nmae": "x" ');
  git(pat, 'add', '-A');
  git(pat, 'commit', '--quiet', '-m', 'a bad day');
  git(pat, 'push', '--quiet', 'origin', 'main');

  for (const agent of [lead, ana]) {
    await eventually(async () => {
      const health = await agent.must('health', 'health');
      const problems = (health['problems'] as readonly string[]).join('\n');
      return pushed.every((broken) => problems.includes(said(broken))) || undefined;
    }, 'the clone has the files, and tells of them');
  }
  await eventually(
    () => pushed.every((one) => countOf(roomsOf(team.lead), said(one)) === 1) || undefined,
    'the team is told',
  );

  const projectId = 'good';
  await lead.must('projectflow', 'create_project', { projectId, title: 'Good' });
  const tasks = [{ taskId: 'good-01', title: 'One', assignedTo: 'ana' }];
  await lead.must('projectflow', 'plan_dag', { projectId, tasks });
  const room = { roomId: 'room:!team:local' };
  const delegate = { projectId, taskId: 'good-01', ...room, spec: 'Do it.' };
  // Nobody can read whether projects wait for approval, so they do.
  expect(await lead.call('taskflow', 'delegate_task', delegate)).toMatchObject({ remedy: 'approve its plan first' });
  expect(await baton(team.lead, 'transition', projectId, 'approve')).toMatchObject({ code: 0 });
  await lead.must('taskflow', 'delegate_task', delegate);
  await ana.must('taskflow', 'ack_task', { taskId: 'good-01' });
  await ana.must('taskflow', 'submit_task', { taskId: 'good-01', status: 'SUCCESS', summary: 'Done.' });
  expect(await lead.must('taskflow', 'check_task', { taskId: 'good-01' })).toMatchObject({ effective: true });
  const doctor = await baton(team.lead, 'doctor');
  expect(doctor.code).toBe(1);
  expect(doctor.stdout).toContain('shared/team.json:1:');
  expect(doctor.stdout).toContain('until it is mended, new projects wait for approval');
});
