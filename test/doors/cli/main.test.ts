import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FlowError } from '../../../src/protocol/errors.ts';
import { tempDir } from '../temp.ts';
import { terminal } from './harness.ts';

const refused = { ok: false, tool: 'node', action: 'board', code: 'not-found', error: 'project not found: x' };

const parsed = (text: string): unknown => JSON.parse(text);

const colored = async (argv: readonly string[], env: NodeJS.ProcessEnv, stdout: boolean): Promise<boolean> => {
  const { run } = terminal({ answer: () => refused }, { env, terminal: { stdout, columns: 80 } });
  return (await run('board', ...argv)).stderr.includes('\u001b[');
};

describe('exit code and streams', () => {
  test('done: 0, the answer on standard output, nothing on standard error', async () => {
    const { run } = terminal({ answer: () => ({ ok: true, projects: [] }) });
    expect(await run('board')).toEqual({
      code: 0,
      stdout: 'no projects yet: `baton project create TITLE` makes one\n',
      stderr: '',
    });
  });

  test('refused: 1, reason and what to do on standard error', async () => {
    const { run } = terminal({ answer: () => refused });
    expect(await run('board', 'x')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error[not-found]: project not found: x\n`baton board` shows what there is\n',
    });
  });

  test('refused with a remedy of its own: that is what is printed', async () => {
    const { run } = terminal({ answer: () => ({ ...refused, remedy: 'look elsewhere' }) });
    expect((await run('board', 'x')).stderr).toBe('error[not-found]: project not found: x\nlook elsewhere\n');
  });

  test.each([
    [['bord'], "unknown command 'bord'"],
    [['board', '--nope'], "unknown option '--nope'"],
    [['board', 'a', 'b'], 'too many arguments'],
    [['--role', 'king', 'board'], 'Allowed are leader, worker'],
    [['sync'], 'a command is missing'],
    [[], 'a command is missing'],
  ])('usage: 2, for %j', async (argv, reason) => {
    const { run, app } = terminal();
    const { code, stdout, stderr } = await run(...argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('error[usage]: ');
    expect(stderr).toContain(reason);
    expect(app.calls).toEqual([]);
  });

  test('a bug becomes a refusal with a code, not a stack', async () => {
    const { run } = terminal({
      answer: () => {
        throw new TypeError('undefined is not a plan');
      },
    });
    expect(await run('board')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error[internal]: baton failed: undefined is not a plan\n`baton doctor` looks for what is wrong\n',
    });
  });

  test('the app is closed again, also after a refusal', async () => {
    const { run, app } = terminal({ answer: () => refused });
    await run('board');
    expect(app.state.closed).toBe(1);
  });

  test('--quiet prints only what went wrong', async () => {
    const { run } = terminal({
      answer: ({ payload }) => (payload === undefined ? { ok: true, projects: [] } : refused),
    });
    expect(await run('board', '--quiet')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await run('board', 'x', '--quiet')).stderr).toContain('error[not-found]');
  });
});

describe('--json', () => {
  test('prints the answer as it is', async () => {
    const { run } = terminal({ answer: () => ({ ok: true, projects: [], note: '計画' }) });
    const { code, stdout } = await run('board', '--json');
    expect({ code, document: parsed(stdout) }).toEqual({ code: 0, document: { ok: true, projects: [], note: '計画' } });
  });

  test('prints one document when the call is refused', async () => {
    const { run } = terminal({ answer: () => refused });
    const { code, stdout } = await run('--json', 'board', 'x');
    expect({ code, document: parsed(stdout) }).toEqual({ code: 1, document: refused });
  });

  test('prints one document when there is no workspace', async () => {
    const { run } = terminal({}, { cwd: tempDir() });
    const { code, stdout } = await run('board', '--json');
    expect(code).toBe(1);
    expect(parsed(stdout)).toMatchObject({
      ok: false,
      code: 'no-workspace',
      remedy: expect.stringContaining('baton init'),
    });
  });

  test.each([[['bord', '--json']], [['--json']], [['board', '--json', '--nope']]])(
    'prints one document for the wrong usage %j',
    async (argv) => {
      const { code, stdout } = await terminal().run(...argv);
      expect({ code, document: parsed(stdout) }).toMatchObject({ code: 2, document: { ok: false, code: 'usage' } });
    },
  );

  test.each([['--version'], ['--help']])('prints one document for %s', async (flag) => {
    const { code, stdout } = await terminal().run(flag, '--json');
    expect({ code, document: parsed(stdout) }).toMatchObject({ code: 0, document: { ok: true } });
  });
});

describe('help', () => {
  test('lists every verb, and goes to standard output', async () => {
    const { code, stdout, stderr } = await terminal().run('--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const verb of [
      'init',
      'up',
      'demo',
      'chaos',
      'mcp',
      'sync',
      'doctor',
      'project',
      'task',
      'board',
      'inbox',
      'taskflow',
      'projectflow',
      'filesync',
      'message',
    ]) {
      expect(stdout).toContain(`\n  ${verb} `);
    }
  });

  test('--version prints the version of the package', async () => {
    expect((await terminal().run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('colour', () => {
  test.each([
    ['on a terminal', [], {}, true, true],
    ['in a pipe', [], {}, false, false],
    ['with --no-color', ['--no-color'], {}, true, false],
    ['with NO_COLOR', [], { NO_COLOR: '1' }, true, false],
    ['with an empty NO_COLOR', [], { NO_COLOR: '' }, true, true],
    ['on a dumb terminal', [], { TERM: 'dumb' }, true, false],
  ])('%s', async (_, argv, env, stdout, expected) => {
    expect(await colored(argv, env, stdout)).toBe(expected);
  });
});

describe('the workspace', () => {
  test('is the nearest one above the current directory', async () => {
    const outer = terminal({ answer: () => ({ ok: true, projects: [] }) });
    const below = join(outer.root, 'shared', 'tasks');
    mkdirSync(below, { recursive: true });
    const inner = terminal({ answer: () => ({ ok: true, projects: [] }) }, { cwd: below });
    expect((await inner.run('board')).code).toBe(0);
  });

  test('can be named, and then no other is taken', async () => {
    const { run, root } = terminal({ answer: () => ({ ok: true, projects: [] }) });
    const elsewhere = terminal({ answer: () => ({ ok: true, projects: [] }) }, { cwd: tempDir() });
    expect((await elsewhere.run('board', '--workspace', root)).code).toBe(0);
    const env = { BATON_WORKSPACE: root };
    const told = terminal({ answer: () => ({ ok: true, projects: [] }) }, { cwd: tempDir(), env });
    expect((await told.run('board')).code).toBe(0);
    expect((await told.run('board', '--workspace', 'sub')).stderr).toContain('no baton.json in sub');
    mkdirSync(join(root, 'sub'));
    expect((await run('board', '--workspace', 'sub')).stderr).toContain('error[no-workspace]: no baton.json in sub');
  });

  test('that cannot be opened says why', async () => {
    const refusal = new FlowError('bad-config', 'baton.json: unknown key git.remoet', {
      remedy: 'did you mean git.remote?',
    });
    const fail = (): Promise<never> => Promise.reject(refusal);
    const { run } = terminal({}, { load: { app: fail, demo: fail, chaos: fail, mergeDriver: fail } });
    expect(await run('board')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error[bad-config]: baton.json: unknown key git.remoet\ndid you mean git.remote?\n',
    });
  });
});

const agent = (role: string): Record<string, string> => ({
  'shared/agents/bo.json': JSON.stringify({ schema: 1, agent_id: 'bo', name: 'Bo', role }),
});

describe('who acts', () => {
  test.each([
    ['nothing given: the configured identity', [], {}, undefined],
    ['a name and a role', ['--as', '@bo:local', '--role', 'worker'], {}, { localpart: 'bo', role: 'worker' }],
    ['a role alone', ['--role', 'team_leader'], {}, { localpart: 'lead', role: 'leader' }],
    ['a name with an agent record', ['--as', 'bo'], agent('leader'), { localpart: 'bo', role: 'leader' }],
    ['a name without a record: a Worker', ['--as', 'bo'], {}, { localpart: 'bo', role: 'worker' }],
    [
      'a name with a broken record: a Worker',
      ['--as', 'bo'],
      { 'shared/agents/bo.json': '{' },
      { localpart: 'bo', role: 'worker' },
    ],
    ['the own name', ['--as', 'LEAD'], {}, { localpart: 'LEAD', role: 'leader' }],
  ])('%s', async (_, flags, files, actor) => {
    const { run, app } = terminal({ files, answer: () => ({ ok: true, projects: [] }) });
    await run('board', ...flags);
    expect(app.calls).toEqual([{ tool: 'node', action: 'board', ...(actor === undefined ? {} : { actor }) }]);
  });
});
