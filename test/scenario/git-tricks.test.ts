import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkRefName, checkRemote } from '../../src/adapters/git/names.ts';
import { cli } from '../support/cli.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';
import { startUp } from '../support/node.ts';
import { eventually } from '../support/waiting.ts';

/** quality.md S3: every trick has a command of its own that leaves a file; none may ever be there. */
interface Traps {
  /** A program that notes that this trick has run. */
  program(trick: string): string;
  /** The tricks that have run. */
  sprung(): readonly string[];
}

function trapsIn(folder: string): Traps {
  mkdirSync(join(folder, 'traps'));
  mkdirSync(join(folder, 'ran'));
  return {
    program(trick) {
      const name = trick.replace(/[^A-Za-z0-9.-]/g, '_');
      const file = join(folder, 'traps', name);
      writeFileSync(file, `#!/bin/sh\n: > ${join(folder, 'ran', name)}\ncat 2>/dev/null\nexit 0\n`);
      chmodSync(file, 0o755);
      return file;
    },
    sprung: () => readdirSync(join(folder, 'ran')).sort(),
  };
}

const HOOKS = [
  'applypatch-msg',
  'commit-msg',
  'fsmonitor-watchman',
  'post-applypatch',
  'post-checkout',
  'post-commit',
  'post-index-change',
  'post-merge',
  'post-rewrite',
  'pre-applypatch',
  'pre-auto-gc',
  'pre-commit',
  'pre-merge-commit',
  'pre-push',
  'pre-rebase',
  'prepare-commit-msg',
  'push-to-checkout',
  'reference-transaction',
  'sendemail-validate',
];

/** Settings of a repository by which git runs something; `%` stands for the program. */
const SETTINGS: readonly (readonly [key: string, value: string])[] = [
  ['core.fsmonitor', '%'],
  ['core.sshCommand', '%'],
  ['core.askPass', '%'],
  ['core.editor', '%'],
  ['core.pager', '%'],
  ['core.gitProxy', '%'],
  ['core.alternateRefsCommand', '%'],
  ['sequence.editor', '%'],
  ['pager.diff', '%'],
  ['pager.log', '%'],
  ['interactive.diffFilter', '%'],
  ['filter.evil.clean', '%'],
  ['filter.evil.smudge', '%'],
  ['filter.evil.required', 'true'],
  ['filter.slow.process', '%'],
  ['diff.external', '%'],
  ['diff.evil.command', '%'],
  ['diff.evil.textconv', '%'],
  ['diff.tool', 'evil'],
  ['difftool.evil.cmd', '%'],
  ['merge.evil.driver', '% %O %A %B'],
  ['merge.default', 'evil'],
  ['merge.tool', 'evil'],
  ['mergetool.evil.cmd', '%'],
  ['credential.helper', '!%'],
  ['credential.https://h.helper', '!%'],
  ['gpg.program', '%'],
  ['gpg.ssh.program', '%'],
  ['gpg.ssh.defaultKeyCommand', '%'],
  ['commit.gpgSign', 'true'],
  ['push.gpgSign', 'if-asked'],
  ['tag.gpgSign', 'true'],
  ['log.showSignature', 'true'],
  ['uploadpack.packObjectsHook', '%'],
  ['remote.origin.uploadpack', '%'],
  ['remote.origin.receivepack', '%'],
  ['remote.origin.vcs', 'ext'],
  ['remote.origin.proxy', 'ext::%'],
  ['remote.-evil.url', 'ext::%'],
  ['receive.procReceiveRefs', 'refs'],
  ['trailer.actor.command', '%'],
  ['trailer.actor.cmd', '%'],
  ['submodule.sub.update', '!%'],
  ['submodule.recurse', 'true'],
  ['fetch.recurseSubmodules', 'true'],
  ['browser.evil.cmd', '%'],
  ['man.evil.cmd', '%'],
  ['web.browser', 'evil'],
  ['instaweb.httpd', '%'],
  ['sendemail.smtpServer', '%'],
  ['init.templateDir', '%'],
  ['protocol.ext.allow', 'always'],
  ['protocol.allow', 'always'],
  ['gc.auto', '1'],
  ['maintenance.auto', 'true'],
  ['gc.recentObjectsHook', '%'],
  ['extensions.worktreeConfig', 'true'],
];

const ALIASES = ['fetch', 'push', 'commit', 'merge-tree', 'update-index', 'cat-file', 'rev-parse', 'maintenance'];

const ATTRIBUTES = '* filter=evil diff=evil merge=evil\n*.md filter=slow\n*.json merge=evil\n';

/** Sets every trap that a clone's own files can hold. */
function setTraps(dir: string, folder: string, traps: Traps, remote: string): void {
  const [settings, hooks] = [join(dir, '.git/config'), join(folder, 'hooks')];
  for (const [key, value] of SETTINGS)
    git(dir, 'config', '--add', key, value.replace('%', traps.program(`config ${key}`)));
  for (const name of ALIASES) git(dir, 'config', `alias.${name}`, `!${traps.program(`alias ${name}`)}`);
  git(dir, 'config', `url.ext::${traps.program('insteadOf')} .insteadOf`, remote);
  git(dir, 'config', `url.ext::${traps.program('pushInsteadOf')} .pushInsteadOf`, remote);
  for (const [way, key] of [
    ['include', 'include.path'],
    ['includeIf', `includeIf.gitdir:${dir}/.path`],
    ['includeIf branch', 'includeIf.onbranch:**.path'],
  ] as const) {
    const file = join(folder, `included ${way}`);
    writeFileSync(
      file,
      `[core]\n\thooksPath = ${hooks}\n\tfsmonitor = ${traps.program(way)}\n[diff]\n\texternal = ${traps.program(way)}\n`,
    );
    git(dir, 'config', '--add', key, file);
  }
  writeFileSync(join(dir, '.git/config.worktree'), `[core]\n\tfsmonitor = ${traps.program('worktree config')}\n`);
  git(dir, 'config', 'core.hooksPath', hooks);
  for (const place of [hooks, join(dir, '.git/hooks'), join(dir, 'hooks')]) {
    mkdirSync(place, { recursive: true });
    for (const hook of HOOKS) {
      writeFileSync(join(place, hook), readFileSync(traps.program(`hook ${hook}`)));
      chmodSync(join(place, hook), 0o755);
    }
  }
  mkdirSync(join(dir, '.git/info'), { recursive: true });
  for (const file of ['.git/info/attributes', '.gitattributes', 'shared/.gitattributes'])
    writeFileSync(join(dir, file), ATTRIBUTES);
  expect(readFileSync(settings, 'utf8')).toContain('insteadOf');
}

const must = async (cwd: string, ...words: string[]): Promise<string> => {
  const { code, stdout, stderr } = await cli(cwd, ...words);
  if (code !== 0) throw new Error(`baton ${words.join(' ')}: ${stdout}${stderr}`);
  return stdout;
};

test('a clone full of traps runs none of them, in single calls, in a node, and while others work', async () => {
  const folder = testFolder('traps');
  const traps = trapsIn(folder);
  const remote = join(folder, 'team.git');
  await must(folder, 'init', 'lead', '--role', 'leader', '--remote', 'team.git');
  await must(folder, 'init', 'ana', '--role', 'worker', '--remote', 'team.git');
  const [lead, ana] = [join(folder, 'lead'), join(folder, 'ana')];
  setTraps(lead, folder, traps, remote);
  expect(traps.sprung()).toEqual([]);

  await must(lead, 'project', 'create', 'p', '--project-id', 'p');
  for (const words of [['board'], ['doctor'], ['sync', 'now'], ['sync', 'status']]) {
    await cli(lead, ...words);
    expect({ words, ran: traps.sprung() }).toEqual({ words, ran: [] });
  }
  const node = await startUp(lead);
  writeFileSync(join(lead, 'shared/projects/note.md'), 'by hand\n');
  await eventually(() => {
    const names = git(remote, 'ls-tree', '-r', '--name-only', 'main').split('\n');
    return names.includes('shared/projects/note.md') || undefined;
  }, 'the edit by hand is on the remote');
  git(ana, 'commit', '-q', '--allow-empty', '-m', 'from ana');
  git(ana, 'push', '-q', 'origin', 'HEAD:refs/heads/lanes/ana');
  await eventually(
    () => git(remote, 'rev-list', 'main').includes(git(ana, 'rev-parse', 'HEAD')) || undefined,
    'the lane is integrated',
  );
  expect(await node.stop()).toBe(0);
  expect(traps.sprung()).toEqual([]);

  // The traps are set: plain git runs into them.
  git(lead, 'update-ref', 'refs/heads/x', 'HEAD');
  expect(traps.sprung().length).toBeGreaterThan(0);
});

test('a tree full of traps runs none of them where it is cloned, pulled and checked out', async () => {
  const folder = testFolder('traps');
  const traps = trapsIn(folder);
  const remote = join(folder, 'team.git');
  await must(folder, 'init', 'lead', '--role', 'leader', '--remote', 'team.git');
  const lead = join(folder, 'lead');
  const sub = join(folder, 'sub');
  git(folder, 'init', '-q', 'sub');
  git(sub, 'commit', '-q', '--allow-empty', '-m', 'sub');
  writeFileSync(join(lead, '.gitattributes'), ATTRIBUTES);
  writeFileSync(
    join(lead, '.gitmodules'),
    [
      `[submodule "sub"]\n\tpath = sub\n\turl = file://${sub}\n\tupdate = !${traps.program('submodule update')}\n`,
      `[submodule "ext"]\n\tpath = ext\n\turl = ext::${traps.program('submodule ext')}\n`,
      `[submodule "-u${traps.program('submodule name')}"]\n\tpath = -x\n\turl = -u${traps.program('submodule url')}\n`,
    ].join(''),
  );
  writeFileSync(join(lead, '.lfsconfig'), `[lfs]\n\tcustomtransfer.x.path = ${traps.program('lfs')}\n`);
  git(lead, 'add', '-f', '.gitattributes', '.gitmodules', '.lfsconfig');
  for (const path of ['sub', 'ext'])
    git(lead, 'update-index', '--add', '--cacheinfo', `160000,${git(sub, 'rev-parse', 'HEAD')},${path}`);
  git(lead, 'commit', '-q', '-m', 'traps');
  git(lead, 'push', '-q', 'origin', 'HEAD:main');
  // Names of branches that a command line could take for its own.
  const head = git(lead, 'rev-parse', 'HEAD');
  const names = [
    '--output=evil',
    '-evil',
    '--upload-pack=evil',
    '$(touch${IFS}evil)',
    '`evil`',
    ';evil',
    '|evil',
    '%zz',
  ];
  for (const name of names) {
    const ref = `refs/heads/lanes/${name}`;
    mkdirSync(join(remote, 'refs/heads/lanes'), { recursive: true });
    writeFileSync(join(remote, ref), `${head}\n`);
  }
  await must(lead, 'sync', 'now');
  await must(folder, 'init', 'ana', '--role', 'worker', '--remote', 'team.git');
  const ana = join(folder, 'ana');
  await must(ana, 'sync', 'now');
  await must(ana, 'board');
  await must(lead, 'project', 'create', 'p', '--project-id', 'p');
  await must(ana, 'sync', 'now');
  expect(existsSync(join(ana, 'shared/projects/p/plan.md'))).toBe(true);
  expect(traps.sprung()).toEqual([]);
  const everywhere = [folder, lead, ana, remote].flatMap((place) => readdirSync(place));
  expect(everywhere.filter((name) => name.includes('evil'))).toEqual([]);
  expect(existsSync(join(ana, 'sub/.git'))).toBe(false);
}, 120_000);

describe('an address of a remote', () => {
  test.each([
    'ext::sh -c touch% evil',
    'EXT::sh -c touch% evil',
    'fd::17/evil',
    'transport::address',
    '-evil::x',
    '::x',
    'ext:://x',
    '--upload-pack=touch evil',
    '--exec=touch evil',
    '-u touch evil',
    '-oProxyCommand=touch evil',
    'ssh://-oProxyCommand=touch%20evil/x',
    'ssh://user@-oProxyCommand=touch%20evil/x',
    'ssh://[-oProxyCommand=touch evil]/x',
    'git://-evil/x',
    '-oProxyCommand=touch evil:x',
    'user@-oProxyCommand=touch evil:x',
    'ftp://h/x',
    'ftps://h/x',
    'rsync://h/x',
    'ssh://-oProxyCommand=touch%20evil@h/x',
    'a@b@-evil:x',
    'https://h/\nx',
    'https://h/x\0y',
    'persistent-https://h/x',
    'file+ext::sh -c evil',
    '',
  ])('%j is refused before git hears of it', (remote) => {
    expect(() => checkRemote(remote)).toThrow(expect.objectContaining({ code: 'bad-config' }));
  });

  test.each([
    '--upload-pack=x',
    '-f',
    'a b',
    'a..b',
    'a~1',
    'a^{tree}',
    'a:b',
    '@{-1}',
    'a\\b',
    'a\nb',
    'refs/../x',
    'a/.git.lock',
  ])('the branch %j is refused', (branch) => {
    expect(() => checkRefName(branch)).toThrow(expect.objectContaining({ code: 'bad-config' }));
  });
});
