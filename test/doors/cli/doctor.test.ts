import { describe, expect, test } from 'vitest';
import { FlowError } from '../../../src/protocol/errors.ts';
import { tempDir } from '../temp.ts';
import { terminal } from './harness.ts';

const status = { ok: true, branch: 'main', head: '0123456789abcdef', online: true, ahead: 0, behind: 0, conflicts: [] };

describe('doctor', () => {
  test('finds nothing wrong in a workspace that is well', async () => {
    const { run, root } = terminal({
      answer: ({ action }) => (action === 'status' ? status : { ok: true, problems: [] }),
    });
    const { code, stdout } = await run('doctor');
    expect(code).toBe(0);
    expect(stdout.replace(/git version \S+.*/, 'git version X').replace(/Node \S+/, 'Node X')).toBe(
      [
        'ok  node       Node X',
        'ok  git        git version X',
        `ok  workspace  ${root}`,
        'ok  socket     its path fits',
        'ok  lock       free: no node runs',
        'ok  identity   @lead:local (leader)',
        'ok  branch     main at 0123456789ab',
        'ok  remote     none: solo',
        'ok  merges     git merges by baton',
        'ok  files      every file under shared/ can be read',
        'ok  settings   all at their defaults: `baton team settings`',
        '',
      ].join('\n'),
    );
  });

  test('names each fault with what mends it, and exits 1', async () => {
    const { run } = terminal({
      mode: 'team',
      answer: ({ action }) =>
        action === 'status'
          ? {
              ...status,
              remote: '/srv/gone.git',
              online: false,
              problem: 'repository not found',
              conflicts: ['shared/a.md.conflict-bo'],
            }
          : {
              ok: true,
              problems: [
                {
                  kind: 'json-syntax',
                  severity: 'error',
                  message: 'invalid JSON',
                  remedy: 'mend it',
                  file: 'shared/tasks/a/meta.json',
                  line: 3,
                  column: 1,
                },
                {
                  kind: 'missing-meta',
                  severity: 'warning',
                  message: 'no meta',
                  remedy: 'delegate again',
                  taskId: 'b',
                },
              ],
            },
    });
    const { code, stdout } = await run('doctor');
    expect(code).toBe(1);
    expect(stdout).toContain(
      [
        'wrong  remote     /srv/gone.git: repository not found',
        '       check address and access with `git fetch`, then `baton sync now`',
        'wrong  conflict   shared/a.md.conflict-bo was set aside',
        '       compare it with the file beside it, keep what is right, and delete it',
        'ok     merges     git merges by baton',
        'wrong  files      shared/tasks/a/meta.json:3:1 [json-syntax] invalid JSON',
        '       mend it',
        'warn   files      [missing-meta] no meta',
        '       delegate again',
        '',
      ].join('\n'),
    );
  });

  test('says what keeps the workspace from being opened', async () => {
    const refusal = new FlowError('bad-config', 'baton.json: unknown key git.remoet', {
      remedy: 'did you mean git.remote?',
    });
    const fail = (): Promise<never> => Promise.reject(refusal);
    const { run } = terminal({}, { load: { app: fail, demo: fail, chaos: fail, mergeDriver: fail } });
    const { code, stdout } = await run('doctor', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      action: 'doctor',
      findings: expect.arrayContaining([
        {
          check: 'config',
          ok: false,
          detail: 'baton.json: unknown key git.remoet',
          remedy: 'did you mean git.remote?',
        },
      ]),
    });
  });

  test('names the rules that the team has chosen', async () => {
    const settings = [
      { key: 'policies.maxActive', value: 3, isDefault: false },
      { key: 'policies.stuckBeats', value: 3, isDefault: true },
      { key: 'discord.humanIds', value: ['42'], isDefault: false },
    ];
    const { run } = terminal({
      answer: ({ action }) => (action === 'status' ? status : { ok: true, problems: [], settings }),
    });
    expect((await run('doctor')).stdout).toContain('ok  settings   policies.maxActive 3, discord.humanIds ["42"]\n');
  });

  test('asks the remote when nobody has asked it yet', async () => {
    const unasked = { ...status, remote: '/srv/team.git', online: false };
    let pulls = 0;
    const { run } = terminal({
      mode: 'team',
      answer: ({ tool, action }) => {
        if (tool === 'filesync') {
          pulls += 1;
          return { ok: true };
        }
        if (action !== 'status') return { ok: true, problems: [] };
        return pulls === 0 ? unasked : { ...unasked, online: true, behind: 2 };
      },
    });
    expect(await run('doctor')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('ok  remote     /srv/team.git: 0 to push, 2 to pull\n'),
    });
    const refused = terminal({
      mode: 'team',
      answer: ({ tool, action }) => {
        if (tool === 'filesync') return { ok: false, code: 'sync-failed', error: 'repository not found' };
        return action === 'status' ? unasked : { ok: true, problems: [] };
      },
    });
    expect(await refused.run('doctor')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('wrong  remote     /srv/team.git: repository not found\n'),
    });
  });

  test('works where there is no workspace at all', async () => {
    const { run } = terminal({}, { cwd: tempDir() });
    const { code, stdout } = await run('doctor');
    expect(code).toBe(1);
    expect(stdout).toMatch(/wrong {2}workspace {2}no baton\.json in .*\n {7}make a workspace here with `baton init`/);
  });

  test('finds a path that is too long for the socket', async () => {
    const { run } = terminal(
      { answer: ({ action }) => (action === 'status' ? status : { ok: true, problems: [] }) },
      { env: { BATON_SOCKET: `/${'d'.repeat(120)}` } },
    );
    const { code, stdout } = await run('doctor');
    expect(code).toBe(1);
    expect(stdout).toContain('BATON_SOCKET=/short/path');
  });
});
