import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importUserConfig, isolatedEnvironment } from '../../../src/adapters/git/environment.ts';
import { createGit } from '../../../src/adapters/git/git.ts';
import { checkRefName, checkRemote, redact } from '../../../src/adapters/git/names.ts';
import { testFolder } from '../../support/folders.ts';
import { git } from '../../support/git.ts';
import { PLAN, byHand, change, edit, makeTeam, openNode, put, see, write } from '../../sync/workshop.ts';

const META = 'shared/tasks/t-ana/meta.json';
const HOOKS = [
  'applypatch-msg',
  'commit-msg',
  'fsmonitor-watchman',
  'post-checkout',
  'post-commit',
  'post-index-change',
  'post-merge',
  'pre-auto-gc',
  'pre-commit',
  'pre-merge-commit',
  'pre-push',
  'prepare-commit-msg',
  'push-to-checkout',
  'reference-transaction',
];

describe('a clone that tries to run something', () => {
  test('runs nothing: no hook, filter, merge driver, included file, alias or program that it names', async () => {
    const { folder, remote, lead, ana } = await makeTeam();
    const sentinel = join(folder, 'ran');
    const script = join(folder, 'evil.sh');
    writeFileSync(script, `#!/bin/sh\necho "$0 $@" >> ${sentinel}\ncat\nexit 0\n`);
    chmodSync(script, 0o755);
    const included = join(folder, 'included');
    writeFileSync(
      included,
      `[core]\n\thooksPath = ${join(folder, 'hooks')}\n\tfsmonitor = ${script}\n\tpager = ${script}\n`,
    );
    mkdirSync(join(folder, 'hooks'));
    mkdirSync(join(lead.dir, '.git/hooks'), { recursive: true });
    for (const hook of HOOKS) {
      for (const path of [join(folder, 'hooks', hook), join(lead.dir, '.git/hooks', hook)]) {
        writeFileSync(path, `#!/bin/sh\necho ${hook} >> ${sentinel}\n`);
        chmodSync(path, 0o755);
      }
    }
    const settings: readonly (readonly [string, string])[] = [
      ['include.path', included],
      ['core.hooksPath', join(folder, 'hooks')],
      ['core.fsmonitor', script],
      ['core.sshCommand', script],
      ['core.askPass', script],
      ['core.editor', script],
      ['core.gitProxy', script],
      ['core.alternateRefsCommand', script],
      ['core.attributesFile', join(folder, 'attributes')],
      ['filter.evil.clean', script],
      ['filter.evil.smudge', script],
      ['filter.evil.process', script],
      ['filter.evil.required', 'true'],
      ['merge.evil.driver', `${script} %O %A %B`],
      ['merge.default', 'evil'],
      ['diff.evil.command', script],
      ['diff.evil.textconv', script],
      ['diff.external', script],
      ['credential.helper', `!${script}`],
      ['gpg.program', script],
      ['commit.gpgSign', 'true'],
      ['push.gpgSign', 'true'],
      ['remote.origin.uploadpack', script],
      ['remote.origin.receivepack', script],
      ['remote.origin.vcs', 'ext'],
      ['trailer.x.command', script],
      ['uploadpack.packObjectsHook', script],
      ['alias.fetch', `!${script}`],
      ['alias.push', `!${script}`],
      ['gc.auto', '1'],
      [`url.ext::${script} .insteadOf`, remote],
    ];
    for (const [key, value] of settings) git(lead.dir, 'config', key, value);
    writeFileSync(join(folder, 'attributes'), '* filter=evil merge=evil diff=evil\n');
    mkdirSync(join(lead.dir, '.git/info'), { recursive: true });
    writeFileSync(join(lead.dir, '.git/info/attributes'), '* filter=evil merge=evil diff=evil\n');
    put(lead.dir, '.gitattributes', '* filter=evil merge=evil diff=evil\n');

    const again = await openNode({ dir: lead.dir, role: 'leader', localpart: 'lead', remote });
    await change(ana, (view) => [
      edit(view, META, { status: 'in_progress' }),
      write('shared/tasks/t-ana/result.md', 'one\n'),
    ]);
    await change(again, (view) => [
      edit(view, META, { event_id: '$e' }),
      write('shared/projects/p/plan.md', PLAN.replace('[ ]', '[~]')),
    ]);
    put(again.dir, 'shared/projects/p/plan.md', `${PLAN.replace('[ ]', '[~]')}\nMine.\n`);
    await again.sync.adopt(['shared/projects/p/plan.md']);
    await again.sync.pull();
    await again.sync.push();
    await again.sync.status();
    await again.sync.close();

    expect(JSON.parse(see(lead.dir, META) ?? '')).toMatchObject({ status: 'in_progress', event_id: '$e' });
    expect(existsSync(sentinel)).toBe(false);
    // The trap is set: plain git runs into it.
    git(lead.dir, 'update-ref', 'refs/heads/x', 'HEAD');
    expect(existsSync(sentinel)).toBe(true);
  });
});

describe('the environment of a git call', () => {
  const inherited = {
    PATH: process.env['PATH'],
    HOME: '/nowhere',
    GIT_DIR: '/elsewhere',
    GIT_INDEX_FILE: '/elsewhere/index',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'core.hooksPath',
    GIT_CONFIG_VALUE_0: '/evil',
    GIT_CONFIG_PARAMETERS: "'core.pager'='evil'",
    GIT_EXTERNAL_DIFF: 'evil',
    GIT_SSH_COMMAND: 'ssh -i key',
    EDITOR: 'vi',
  };

  test('keeps how to reach a remote, and nothing else of what it inherits', () => {
    const env = isolatedEnvironment(inherited, [['user.name', 'Pat']]);
    expect(env).toMatchObject({
      PATH: inherited.PATH,
      HOME: '/nowhere',
      GIT_SSH_COMMAND: 'ssh -i key',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
      GIT_CONFIG_KEY_0: 'core.hooksPath',
      GIT_CONFIG_VALUE_0: '/dev/null',
      LC_ALL: 'C',
    });
    const last = Number(env['GIT_CONFIG_COUNT']) - 1;
    expect([env[`GIT_CONFIG_KEY_${last}`], env[`GIT_CONFIG_VALUE_${last}`]]).toEqual(['user.name', 'Pat']);
    for (const name of ['GIT_DIR', 'GIT_INDEX_FILE', 'GIT_CONFIG_PARAMETERS', 'GIT_EXTERNAL_DIFF', 'EDITOR']) {
      expect(env).not.toHaveProperty(name);
    }
  });

  test('imports from the own configuration what reaches remotes, not what it includes', async () => {
    const home = testFolder('home');
    writeFileSync(join(home, 'more'), '[http]\n\tproxy = http://included\n');
    writeFileSync(
      join(home, '.gitconfig'),
      `[include]\n\tpath = ${join(home, 'more')}\n[user]\n\tname = Pat\n\temail = pat@local\n[core]\n\thooksPath = /evil\n\tsshCommand = ssh -4\n[alias]\n\tfetch = !evil\n[http "https://x"]\n\textraHeader = A: b\n[url "ssh://git@h/"]\n\tinsteadOf = h:\n[credential]\n\thelper = store\n[filter "lfs"]\n\tclean = lfs\n`,
    );
    expect(await importUserConfig({ PATH: process.env['PATH'], HOME: home, GIT_CONFIG_NOSYSTEM: '1' })).toEqual([
      ['user.name', 'Pat'],
      ['user.email', 'pat@local'],
      ['core.sshcommand', 'ssh -4'],
      ['http.https://x.extraheader', 'A: b'],
      ['url.ssh://git@h/.insteadof', 'h:'],
      ['credential.helper', 'store'],
    ]);
    expect(
      await importUserConfig({ PATH: process.env['PATH'], HOME: join(home, 'none'), GIT_CONFIG_NOSYSTEM: '1' }),
    ).toEqual([]);
  });
});

describe('names that reach git', () => {
  test.each([
    '/srv/team.git',
    '../team.git',
    'https://h/x.git',
    'ssh://git@h:22/x',
    'git@h:x/y.git',
    'file:///srv/x',
    'C:/x',
  ])('the remote %s is taken', (remote) => expect(checkRemote(remote)).toBe(remote));

  test.each([
    ['', 'is empty'],
    ['--upload-pack=evil', 'looks like an option'],
    ['-oProxyCommand=evil', 'looks like an option'],
    ['ext::sh -c evil', 'names a transport that runs commands'],
    ['fd::17', 'names a transport that runs commands'],
    ['::x', 'names a transport that runs commands'],
    ['ftp://h/x', 'names a transport that is not allowed'],
    ['ssh://-oProxyCommand=evil/x', 'names a host that looks like an option'],
    ['ssh://git@-oProxyCommand=evil/x', 'names a host that looks like an option'],
    ['git@-oProxyCommand=evil:x', 'names a host that looks like an option'],
    ['https://h/\nx', 'holds a control character'],
  ])('the remote %j is refused', (remote, why) => {
    expect(() => checkRemote(remote)).toThrow(
      expect.objectContaining({ code: 'bad-config', message: expect.stringContaining(why) as unknown }),
    );
  });

  test.each(['main', 'lanes/ana', 'lanes/%40x', 'a.b-c_d'])('the branch %s is taken', (name) =>
    expect(checkRefName(name)).toBe(name),
  );

  test.each([
    '',
    '-f',
    '--all',
    'a/-b',
    '@',
    '/a',
    'a/',
    'a//b',
    'a..b',
    'a.lock',
    'a.lock/b',
    '.a',
    'a/.b',
    'a b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[',
    'a\\b',
    'a@{1}',
    'a\nb',
    'x'.repeat(256),
  ])('the branch %j is refused', (name) =>
    expect(() => checkRefName(name)).toThrow(expect.objectContaining({ code: 'bad-config' })),
  );

  test('secrets in addresses are taken out of messages', () => {
    expect(redact("fatal: unable to access 'https://pat:s3cret@h/x.git/': ssh://t@h/x no")).toBe(
      "fatal: unable to access 'https://h/x.git/': ssh://h/x no",
    );
    expect(() => checkRemote('ftp://pat:s3cret@h/x')).toThrow(expect.not.stringContaining('s3cret'));
  });
});

describe('a folder that is no clone to work in', () => {
  test.each([
    ['is missing', () => join(testFolder('no'), 'x'), 'the workspace folder is not there'],
    ['is not a repository', () => testFolder('no'), 'this folder is not a git repository'],
    [
      'is bare',
      () => {
        const dir = testFolder('bare');
        git(dir, 'init', '-q', '--bare');
        return dir;
      },
      'this is a bare git repository: it has no work tree',
    ],
    [
      'is shallow',
      () => {
        const dir = testFolder('deep');
        git(dir, 'init', '-q');
        for (const name of ['a', 'b']) {
          put(dir, name, name);
          byHand(dir, name);
        }
        git(dir, 'clone', '-q', '--depth=1', `file://${dir}`, join(dir, 'shallow'));
        return join(dir, 'shallow');
      },
      'this clone is shallow, so merges cannot be made',
    ],
  ])('%s: told with a remedy', async (_, make, message) => {
    const error = await createGit({ dir: make() }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'bad-workspace', message, remedy: expect.any(String) as unknown });
  });
});
