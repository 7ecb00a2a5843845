import { existsSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli, cliJson } from '../../support/cli.ts';
import { testFolder } from '../../support/folders.ts';
import { git } from '../../support/git.ts';
import { startAgent } from '../../support/mcp.ts';

const LONG_PATH = `shared/tasks/${'x/'.repeat(2500)}`;

/** What tries to leave the workspace, to be taken for an option or a command, or to be a key of every object. */
const HOSTILE: readonly unknown[] = [
  '../x',
  '../../baton.json',
  '/etc/passwd',
  'shared/../baton.json',
  'a/b',
  'a\\b',
  'a\0b',
  'a\nb',
  '.',
  '..',
  '',
  '.git',
  '.git/config',
  'git~1',
  '.gitattributes',
  'shared/tasks/t/.git/config',
  'shared/link/passwd',
  'SHARED/x',
  'shared/tasks/../../baton.json',
  'shared//x',
  'shared/./x',
  'shared\\x',
  'global-shared/../baton.json',
  LONG_PATH,
  '-rf',
  '--help',
  '--output=evil',
  '$(id)',
  '`id`',
  'CON',
  'nul',
  'aux.txt',
  'x'.repeat(10_000),
  'x'.repeat(129),
  'ｔ-1',
  't\u200B1',
  'т-1',
  'e\u0301',
  '\uD800',
  '%2e%2e%2f',
  '~/x',
  'a:b',
  'a..b',
  'a.',
  '__proto__',
  'constructor',
  'toString',
  null,
  -1,
  1e308,
  true,
  [],
  {},
  ['../x'],
  [[[]]],
  JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
];

const FIELDS = [
  'projectId',
  'taskId',
  'path',
  'title',
  'roomId',
  'spec',
  'assignedTo',
  'submissionId',
  'replacementTaskId',
  'tasks',
  'exclude',
  'target',
  'message',
  'reason',
  'deliverables',
  'kind',
  'status',
  'requester',
  'replyRoute',
];

const SOUND = {
  projectId: 'sample',
  taskId: 'sample-01',
  path: 'shared/tasks/sample-01/',
  title: 'T',
  roomId: '!r:local',
  spec: '# S',
  assignedTo: 'worker',
  reason: 'r',
  note: 'n',
  question: 'q',
  target: '!r:local',
  message: 'good news for all',
  status: 'SUCCESS',
  summary: 's',
  accepted: true,
  resultStatus: 'SUCCESS',
  tasks: [{ taskId: 'sample-09', title: 'x', assignedTo: 'worker' }],
};

test('no value in any field of any action leaves the workspace or breaks the node', async () => {
  const folder = testFolder('values');
  const dir = join(folder, 'w');
  await cli(folder, 'init', dir, '--role', 'leader', '--as', 'lead', '--samples');
  symlinkSync('/etc', join(dir, 'shared/link'));
  writeFileSync(join(folder, 'outside.txt'), 'x');
  const config = readFileSync(join(dir, 'baton.json'), 'utf8');
  const agent = await startAgent(dir);
  const { tools } = await agent.client.listTools();
  const calls = tools.flatMap(({ name, inputSchema }) => {
    const { action } = (inputSchema.properties ?? {}) as { action?: { enum?: readonly string[] } };
    return (action?.enum ?? ['health']).flatMap((each) => FIELDS.map((field) => ({ name, action: each, field })));
  });
  const broken: string[] = [];
  for (const [index, { name, action, field }] of calls.entries()) {
    // Two values each: together all values meet every action and every field many times.
    for (const value of [HOSTILE[(index * 2) % HOSTILE.length], HOSTILE[(index * 2 + 1) % HOSTILE.length]]) {
      const answer = await agent.call(name, action, { ...SOUND, [field]: value });
      const { code = '', error = '' } = answer as { code?: string; error?: string };
      if (['internal', 'git-failed'].includes(code) || /root:x:|TypeError|\[object/.test(JSON.stringify(answer)))
        broken.push(`${name} ${action} ${field}=${JSON.stringify(value).slice(0, 60)}: ${code} ${error.slice(0, 200)}`);
    }
  }
  expect(calls.length * 2).toBeGreaterThan(800);
  expect(broken).toEqual([]);
  expect(readdirSync(folder).sort()).toEqual(['outside.txt', 'w']);
  expect(
    readdirSync(dir)
      .filter((name) => !name.startsWith('.'))
      .sort(),
  ).toEqual(['baton.json', 'shared']);
  expect(readFileSync(join(dir, 'baton.json'), 'utf8')).toBe(config);
  expect(await agent.must('health', 'health')).toMatchObject({ problemCount: 0 });
  expect(git(dir, 'status', '--porcelain')).toBe('?? shared/link');
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
}, 180_000);

test('no value on the command line is taken for a path outside, an option of git or a command', async () => {
  const folder = testFolder('values');
  const dir = join(folder, 'w');
  await cli(folder, 'init', dir, '--role', 'leader', '--as', 'lead', '--samples');
  const values = ['../x', '/etc/passwd', 'shared/../baton.json', 'a\nb', '--output=evil', '$(touch evil)', '__proto__'];
  const codes: (string | undefined)[] = [];
  for (const value of values) {
    for (const [tool, action, flag] of [
      ['filesync', 'push', '--path'],
      ['taskflow', 'check_task', '--task-id'],
    ] as const) {
      const answer = await cliJson(dir, tool, action, `${flag}=${value}`);
      codes.push(answer['code'] as string | undefined);
    }
  }
  expect(codes).toEqual(codes.map((_, index) => (index === codes.length - 1 ? 'not-found' : 'invalid-argument')));
  expect([readdirSync(folder), existsSync(join(dir, 'evil'))]).toEqual([['w'], false]);
}, 180_000);
