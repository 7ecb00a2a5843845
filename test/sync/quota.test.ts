import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createQuota } from '../../src/sync/quota.ts';
import { openLastPush } from '../../src/workspace/last-push.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';
import { onPush } from '../support/remote.ts';
import { change, edit, makeTeam, openNode, published, put, see, unplug, write } from './workshop.ts';
import type { Node, Team } from './workshop.ts';

const META = 'shared/tasks/t-ana/meta.json';
/** So long that within a test nothing is pushed by itself. */
const HOUR = 3_600_000;
const note = (name: string): string => `shared/tasks/t-ana/progress/${name}.md`;
const report = (name: string): string => `shared/projects/p/${name}.md`;

/** A Leader's node that may push once in `interval` milliseconds, and the moments at which its remote was pushed to. */
async function held(team: Team, interval: number, lastPush?: 'when-due') {
  const log = join(team.folder, 'pushes');
  const ofMain = `while read old new ref; do test $ref != refs/heads/main || date +%s%3N >> ${log}; done`;
  onPush(team.remote, 'pre-receive', ofMain);
  writeFileSync(log, '');
  const memory = openLastPush(join(team.lead.dir, '.baton'));
  const node = await openNode(
    { dir: team.lead.dir, role: 'leader', localpart: 'lead', remote: team.remote },
    { minPush: { interval, memory }, ...(lastPush === undefined ? {} : { lastPush }) },
  );
  return { node, pushes: () => readFileSync(log, 'utf8').trim().split('\n').filter(Boolean).map(Number) };
}

function gaps(moments: readonly number[]): readonly number[] {
  return moments.slice(1).map((at, index) => at - (moments[index] ?? 0));
}

const say = (node: Node, name: string) => change(node, [write(report(name), `${name}\n`)]);

describe('a clone that may push only so often', () => {
  test('pushes at once when it may, then gathers all that comes until it may again', async () => {
    const team = await makeTeam();
    const { node, pushes } = await held(team, 3_000);
    expect(await say(node, 'one')).toMatchObject({ durability: 'replicated', synced: true });
    const others = await Promise.all(['two', 'three', 'four'].map((name) => say(node, name)));
    for (const answer of others) {
      expect(answer).toMatchObject({ durability: 'replicated', synced: true, commit: others[0]?.commit });
      expect(answer.heldBackMs).toBeGreaterThan(0);
    }
    expect(await node.sync.status()).toMatchObject({
      quota: { minPushInterval: 3_000, nextPushAt: expect.stringMatching(/Z$/) as unknown, waiting: 0 },
    });
    expect(published(team.remote, 'main', report('four'))).toBe('four\n');
    expect(pushes()).toHaveLength(2);
    // The hook starts a little after the push does.
    expect(Math.min(...gaps(pushes()))).toBeGreaterThan(2_500);
  });

  test('pulls and integrates meanwhile', async () => {
    const team = await makeTeam();
    const { node, pushes } = await held(team, HOUR);
    await say(node, 'one');
    const later = say(node, 'two');
    await change(team.ana, [write(note('1'), 'mine\n')]);
    await node.sync.pull();
    await node.sync.push();
    expect(see(node.dir, note('1'))).toBe('mine\n');
    expect([report('two'), note('1')].map((path) => published(team.remote, 'main', path))).toEqual([
      undefined,
      undefined,
    ]);
    expect(pushes()).toHaveLength(1);
    node.sync.hurry();
    await later;
    expect(published(team.remote, 'main', note('1'))).toBe('mine\n');
  });

  test('answers what nobody elsewhere acts on once it is committed, and pushes it when it may', async () => {
    const team = await makeTeam();
    const { node, pushes } = await held(team, HOUR);
    await say(node, 'one');
    const early = await change(node, [write(report('early'), 'early\n')], { answers: 'committed' });
    expect(early).toMatchObject({ durability: 'committed', synced: false, commit: git(node.dir, 'rev-parse', 'main') });
    put(node.dir, report('by-hand'), 'by hand\n');
    expect(await node.sync.adopt([report('by-hand')])).toEqual({ adopted: [report('by-hand')], foreign: [] });
    expect(pushes()).toHaveLength(1);
    const told = Promise.withResolvers<void>();
    node.sync.onChange(() => told.resolve());
    node.sync.hurry();
    await told.promise;
    expect(published(team.remote, 'main', report('early'))).toBe('early\n');
    expect(published(team.remote, 'main', report('by-hand'))).toBe('by hand\n');
    expect(pushes()).toHaveLength(2);
  });

  test('refuses alone what is refused, and keeps what must survive when the push is refused', async () => {
    const team = await makeTeam();
    const { node } = await held(team, 1_000);
    await say(node, 'one');
    onPush(team.remote, 'pre-receive', 'echo "no more room" >&2; exit 1');
    const [command, result] = await Promise.allSettled([
      say(node, 'two'),
      change(node, (view) => [edit(view, META, { status: 'submitted' })], { whenOffline: 'persist' }),
    ]);
    expect(command).toMatchObject({ status: 'rejected', reason: { code: 'sync-failed' } });
    expect(result).toMatchObject({ status: 'fulfilled', value: { durability: 'committed', synced: false } });
    expect(git(node.dir, 'show', `main:${META}`)).toContain('submitted');
    expect(see(node.dir, report('two'))).toBeUndefined();
  });

  test('refuses when the remote is away what it would only have held back, but for finished work', async () => {
    const team = await makeTeam();
    const { node } = await held(team, HOUR);
    await say(node, 'one');
    const waiting = Promise.allSettled([
      say(node, 'two'),
      change(node, (view) => [edit(view, META, { status: 'submitted' })], { whenOffline: 'persist' }),
    ]);
    const back = unplug(team.remote);
    const early = change(node, [write(report('early'), 'early\n')], { answers: 'committed' });
    await expect(early).rejects.toMatchObject({ code: 'sync-failed', retryable: true });
    node.sync.hurry();
    expect(await waiting).toMatchObject([
      { status: 'rejected', reason: { code: 'sync-failed', retryable: true } },
      { status: 'fulfilled', value: { durability: 'committed', synced: false } },
    ]);
    back();
    await node.sync.push();
    expect(published(team.remote, 'main', META)).toContain('submitted');
    expect([report('two'), report('early')].map((path) => published(team.remote, 'main', path))).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('waits its turn with what other writers were faster with', async () => {
    const team = await makeTeam();
    const { node, pushes } = await held(team, 800);
    const other = join(team.folder, 'person');
    git(team.folder, 'clone', '-q', team.remote, other);
    git(other, 'commit', '-q', '--allow-empty', '-m', 'by a person');
    const moves = join(team.folder, 'moves');
    // The first push of the node finds that main was moved between its fetch and its push.
    onPush(
      team.remote,
      'pre-receive',
      `date +%s%3N >> ${join(team.folder, 'pushes')}
if [ ! -e ${moves} ]; then touch ${moves}; env -u GIT_DIR -u GIT_QUARANTINE_PATH -u GIT_OBJECT_DIRECTORY git -C ${other} push -q origin HEAD:main; fi`,
    );
    expect(await say(node, 'one')).toMatchObject({ durability: 'replicated' });
    expect(git(team.remote, 'log', '--format=%s', 'main')).toContain('by a person');
    const moments = pushes();
    expect(moments.at(-1)! - moments[0]!).toBeGreaterThan(700);
  });

  test('pushes what is owed once when it stops, and no caller is left without an answer', async () => {
    const team = await makeTeam();
    const { node, pushes } = await held(team, HOUR);
    await say(node, 'one');
    const later = [say(node, 'two'), say(node, 'three')];
    await change(node, [write(report('early'), 'early\n')], { answers: 'committed' });
    await node.sync.close();
    for (const answer of await Promise.all(later)) expect(answer).toMatchObject({ durability: 'replicated' });
    expect(pushes()).toHaveLength(2);
    expect(['two', 'three', 'early'].map((name) => published(team.remote, 'main', report(name)))).toEqual([
      'two\n',
      'three\n',
      'early\n',
    ]);
  });

  test('that is opened for one call leaves to the next one what is not due, and loses nothing', async () => {
    const team = await makeTeam();
    const { node, pushes } = await held(team, HOUR, 'when-due');
    await say(node, 'one');
    await change(node, [write(report('early'), 'early\n')], { answers: 'committed' });
    expect(await node.sync.status()).toMatchObject({ ahead: 1 });
    await node.sync.close();
    expect(pushes()).toHaveLength(1);
    await team.lead.sync.push();
    expect(published(team.remote, 'main', report('early'))).toBe('early\n');
  });

  test('loses nothing that was answered when its process dies before the push', async () => {
    const team = await makeTeam();
    const { node: dying, pushes } = await held(team, HOUR);
    await say(dying, 'one');
    await change(dying, [write(report('early'), 'early\n')], { answers: 'committed' });
    expect(pushes()).toHaveLength(1);
    // Nothing is closed: the next one finds what a killed process leaves.
    const next = await openNode({ dir: team.lead.dir, role: 'leader', localpart: 'lead', remote: team.remote });
    await next.sync.pull();
    await next.sync.push();
    expect(published(team.remote, 'main', report('early'))).toBe('early\n');
  });

  test('remembers over a restart when it pushed last', async () => {
    const team = await makeTeam();
    const { node, pushes } = await held(team, HOUR);
    await say(node, 'one');
    await node.sync.close();
    const { node: next } = await held(team, HOUR);
    writeFileSync(join(team.folder, 'pushes'), '');
    expect((await next.sync.status()).quota).toHaveProperty('nextPushAt');
    const later = say(next, 'two');
    next.sync.hurry();
    expect(await later).toHaveProperty('heldBackMs');
    expect(pushes()).toHaveLength(1);
  });
});

describe('the time of the last push', () => {
  function quotaAt(kept: number | undefined, now: number) {
    const state = { now, elapsed: 5_000, kept };
    const memory = { read: () => state.kept, write: (millis: number) => void (state.kept = millis) };
    const clock = { millis: () => state.now, elapsed: () => state.elapsed };
    return { state, quota: createQuota({ interval: 10_000, memory }, clock) };
  }

  test.each([
    ['nothing was pushed yet', undefined, 0],
    ['it was a moment ago', 99_000, 9_000],
    ['it was long ago', 1_000, 0],
    ['the clock was set back since', 900_000, 10_000],
  ])('makes the next one wait as it must when %s', (_, kept, wait) => {
    expect(quotaAt(kept, 100_000).quota.wait()).toBe(wait);
  });

  test('is counted by a clock that nobody can set', () => {
    const { quota, state } = quotaAt(undefined, 100_000);
    quota.started();
    state.now = 9_999_999;
    state.elapsed += 4_000;
    expect(quota.wait()).toBe(6_000);
    expect(state.kept).toBe(100_000);
  });

  test('that cannot be read is no reason to wait or to fail', () => {
    const dir = testFolder();
    const memory = openLastPush(dir);
    expect(memory.read()).toBeUndefined();
    memory.write(1_234.5);
    expect(memory.read()).toBe(1_234);
    for (const garbage of ['', 'soon', '-5', '1e99', '9'.repeat(30), '\0'])
      expect([garbage, (writeFileSync(join(dir, 'last-push'), garbage), memory.read())]).toEqual([garbage, undefined]);
  });
});
