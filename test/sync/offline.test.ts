import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { FlowError } from '../../src/protocol/errors.ts';
import { serveGit } from '../support/git-server.ts';
import { git } from '../support/git.ts';
import { byHand, change, edit, makeTeam, openNode, published, put, see, taskMeta, unplug, write } from './workshop.ts';

const META = 'shared/tasks/t-ana/meta.json';

describe('a remote out of reach', () => {
  test('refuses a command before anything is written, and is a state that ends', async () => {
    const { remote, lead } = await makeTeam();
    const before = git(lead.dir, 'rev-parse', 'main');
    const back = unplug(remote);
    const refusal = await change(lead, [write('shared/projects/p/result.md', 'R\n')]).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'sync-failed', retryable: true });
    expect((refusal as FlowError).message).toContain(
      'cannot pull authoritative project state from shared storage; retry',
    );
    expect([git(lead.dir, 'rev-parse', 'main'), see(lead.dir, 'shared/projects/p/result.md')]).toEqual([
      before,
      undefined,
    ]);
    expect(await lead.sync.status()).toMatchObject({
      online: false,
      problem: expect.stringContaining('is not there') as unknown,
    });
    await expect(lead.sync.pull()).rejects.toMatchObject({ code: 'sync-failed' });
    await expect(lead.sync.push(), 'nothing is owed').resolves.toBeUndefined();
    back();
    await change(lead, [write('shared/projects/p/result.md', 'R\n')]);
    expect(await lead.sync.status()).toMatchObject({ online: true, problem: undefined });
    expect(published(remote, 'main', 'shared/projects/p/result.md')).toBe('R\n');
  });

  test('keeps finished work on the lane, and pushes it when the remote is back', async () => {
    const { remote, lead, ana } = await makeTeam();
    await ana.sync.pull();
    const back = unplug(remote);
    const submit = (): ReturnType<typeof change> =>
      change(
        ana,
        (view) =>
          view.text(META)?.includes('submitted') === true
            ? []
            : [edit(view, META, { status: 'submitted' }), write('shared/tasks/t-ana/result.md', 'STATUS: SUCCESS\n')],
        { whenOffline: 'persist' },
      );
    expect(await submit()).toMatchObject({
      durability: 'committed',
      synced: false,
      commit: git(ana.dir, 'rev-parse', 'HEAD'),
    });
    expect(await submit()).toMatchObject({ commit: undefined, synced: false });
    expect(await ana.sync.published(META)).toBe(false);
    expect(await ana.sync.status()).toMatchObject({ ahead: 1, online: false });
    back();
    expect(await submit()).toMatchObject({ commit: undefined, durability: 'replicated', synced: true });
    expect(await ana.sync.published(META)).toBe(true);
    await lead.sync.pull();
    expect(see(lead.dir, 'shared/tasks/t-ana/result.md')).toBe('STATUS: SUCCESS\n');
  });

  test('gets on closing what it missed', async () => {
    const { remote, ana } = await makeTeam();
    const back = unplug(remote);
    await change(ana, (view) => [edit(view, META, { status: 'submitted' })], { whenOffline: 'persist' });
    back();
    await ana.sync.close();
    expect(published(remote, 'lanes/ana', META)).toBe(taskMeta('t-ana', 'ana', { status: 'submitted' }));
    await expect(change(ana, [])).rejects.toMatchObject({ code: 'locked' });
  });

  test('that refuses a push says why, and is not asked again for nothing', async () => {
    const { remote, lead } = await makeTeam();
    mkdirSync(join(remote, 'hooks'), { recursive: true });
    writeFileSync(join(remote, 'hooks', 'pre-receive'), '#!/bin/sh\necho "main is protected" >&2\nexit 1\n', {
      mode: 0o755,
    });
    const before = git(lead.dir, 'rev-parse', 'main');
    const refusal = await change(lead, [write('shared/projects/p/result.md', 'R\n')]).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'sync-failed', retryable: false });
    expect((refusal as FlowError).message).toContain('main is protected');
    expect(git(lead.dir, 'rev-parse', 'main')).toBe(before);
  });
});

test('a remote that can be read and takes no push says so, and is not asked again and again', async () => {
  const { folder, remote, lead } = await makeTeam();
  await lead.sync.close();
  const { port, child } = await serveGit(folder, { writable: false });
  onTestFinished(() => void child.kill());
  const reader = await openNode({
    dir: lead.dir,
    role: 'leader',
    localpart: 'lead',
    remote: `git://127.0.0.1:${port}/team.git`,
  });
  const before = git(remote, 'rev-parse', 'main');
  const refusal = await change(reader, [write('shared/projects/p/result.md', 'R\n')]).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'sync-failed', retryable: true });
  expect((refusal as FlowError).message).toContain(
    'the push of main does not arrive, though the git remote can be read',
  );
  expect([git(remote, 'rev-parse', 'main'), see(lead.dir, 'shared/projects/p/result.md')]).toEqual([before, undefined]);
});

describe('a lane', () => {
  test('written by somebody else stops its Worker with a sentence', async () => {
    const { folder, remote, ana } = await makeTeam();
    await change(ana, [write('shared/tasks/t-ana/progress/1.md', 'one\n')]);
    git(folder, 'clone', '-q', '-b', 'lanes/ana', remote, 'intruder');
    const intruder = join(folder, 'intruder');
    put(intruder, 'shared/tasks/t-ana/progress/2.md', 'two\n');
    byHand(intruder, 'not ana');
    git(intruder, 'push', '-q', 'origin', 'lanes/ana');
    const back = unplug(remote);
    await change(ana, [write('shared/tasks/t-ana/progress/1.md', 'one and more\n')], { whenOffline: 'persist' });
    back();
    const refusal = await ana.sync.pull().catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'sync-failed', retryable: false });
    expect((refusal as FlowError).message).toContain(
      'lane lanes/ana on the remote holds commits this clone did not make: "not ana" by Pat <pat@local>',
    );
    expect(see(ana.dir, 'shared/tasks/t-ana/progress/1.md')).toBe('one and more\n');
  });

  test('ahead on the remote is taken when this clone has nothing of its own', async () => {
    const { folder, remote, ana } = await makeTeam();
    await change(ana, [write('shared/tasks/t-ana/progress/1.md', 'one\n')]);
    git(folder, 'clone', '-q', '-b', 'lanes/ana', remote, 'other');
    put(join(folder, 'other'), 'shared/tasks/t-ana/progress/2.md', 'two\n');
    byHand(join(folder, 'other'), 'ana elsewhere');
    git(join(folder, 'other'), 'push', '-q', 'origin', 'lanes/ana');
    await ana.sync.pull();
    expect(see(ana.dir, 'shared/tasks/t-ana/progress/2.md')).toBe('two\n');
  });

  test('that only holds merges of main beyond what is published is not ahead of anything', async () => {
    const { folder, remote, ana } = await makeTeam();
    await change(ana, [write('shared/tasks/t-ana/progress/1.md', 'one\n')]);
    git(folder, 'clone', '-q', remote, 'person');
    put(join(folder, 'person'), 'shared/projects/p/plan.md', `${see(ana.dir, 'shared/projects/p/plan.md')}\nremark\n`);
    byHand(join(folder, 'person'), 'remark');
    git(join(folder, 'person'), 'push', '-q', 'origin', 'main');
    await ana.sync.pull();
    expect(git(ana.dir, 'log', '-1', '--format=%s')).toContain('merge main');
    expect(await ana.sync.status()).toMatchObject({ ahead: 0, behind: 0 });
  });

  test('whose push arrived although the answer was lost is its own, even after more work offline', async () => {
    const { remote, lead, ana } = await makeTeam();
    await ana.sync.pull();
    const head = git(ana.dir, 'rev-parse', 'HEAD');
    await change(ana, [write('shared/tasks/t-ana/progress/1.md', 'one\n')]);
    await ana.sync.close();
    // As a crash leaves it that hit after the push and before the branch was moved.
    git(ana.dir, 'reset', '-q', '--hard', head);
    git(ana.dir, 'update-ref', '-d', 'refs/remotes/origin/lanes/ana');
    const again = await openNode({ dir: ana.dir, role: 'worker', localpart: 'ana', remote });
    const back = unplug(remote);
    await change(again, [write('shared/tasks/t-ana/progress/2.md', 'two\n')], { whenOffline: 'persist' });
    back();
    await again.sync.push();
    await lead.sync.pull();
    expect([1, 2].map((day) => see(lead.dir, `shared/tasks/t-ana/progress/${day}.md`))).toEqual(['one\n', 'two\n']);
  });
});
