import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { OPERATIONS } from '../../src/flows/catalog.ts';
import { defineOperation } from '../../src/flows/types.ts';
import type { Decision, Operation } from '../../src/flows/types.ts';
import type { Change } from '../../src/protocol/changes.ts';
import type { WorkspaceView } from '../../src/protocol/view.ts';
import { git } from '../support/git.ts';
import { openSolo, openTeam, plan, worker } from '../support/parts.ts';
import type { Parts } from '../support/parts.ts';
import { onPush } from '../support/remote.ts';
import { stateOf } from '../support/state.ts';

const META = 'shared/tasks/p-01/meta.json';

/** Operations that only these tests have: what no real one decides, so that the gate is all that stands in between. */
const catalogue = OPERATIONS as Map<string, Operation>;
const added: string[] = [];
afterEach(() => {
  for (const name of added.splice(0)) catalogue.delete(name);
});

function define(name: string, run: (view: WorkspaceView) => Partial<Decision<object>>): string {
  const operation = defineOperation({
    name,
    kind: 'command',
    roles: ['leader', 'worker'],
    summary: 'only here',
    input: z.object({}),
    fresh: 'required',
    run: ({ view }) => ({ changes: [], events: [], announcements: [], output: {}, ...run(view) }),
  });
  catalogue.set(name, operation as unknown as Operation);
  added.push(name);
  return name;
}

const write = (path: string, text: string): Change => ({ kind: 'write', path, text });

/** The record with other fields, as a rogue operation would write it. */
const edited =
  (fields: object) =>
  (view: WorkspaceView): Partial<Decision<object>> => ({
    changes: [write(META, `${JSON.stringify({ ...(JSON.parse(view.text(META) ?? '{}') as object), ...fields })}\n`)],
  });

async function delegated(): Promise<Parts> {
  const solo = await openSolo();
  await plan(solo, 'p-01', 'p-02');
  return solo;
}

describe('execute', () => {
  test('refuses what it does not know, and input of the wrong shape', async () => {
    const solo = await openSolo();
    await expect(solo.run('task.grow', {})).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(solo.run('project.pause', { projectId: 7 })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('payload.projectId') as unknown,
    });
  });

  test('lets only the roles of an operation in', async () => {
    const solo = await delegated();
    const before = stateOf(solo.dir);
    await expect(solo.run('project.pause', { projectId: 'p' }, worker('ana'))).rejects.toMatchObject({
      code: 'wrong-role',
      message: 'project.pause requires leader role',
    });
    await expect(solo.run('task.ack', { taskId: 'p-01' })).rejects.toMatchObject({ code: 'wrong-role' });
    expect(stateOf(solo.dir)).toEqual(before);
  });

  test.each<readonly [string, (view: WorkspaceView) => Partial<Decision<object>>, string]>([
    ['a plan', () => ({ changes: [write('shared/projects/p/plan.md', 'mine\n')] }), 'shared/projects/p/plan.md'],
    ['a spec', () => ({ changes: [write('shared/tasks/p-01/spec.md', 'easier\n')] }), 'shared/tasks/p-01/spec.md'],
    ["another's result", () => ({ changes: [write('shared/tasks/x/result.md', 'x\n')] }), 'shared/tasks/x/result.md'],
    ['an acceptance', edited({ status: 'completed' }), META],
    ['another assignee', edited({ assigned_to: 'bo' }), META],
    ['another room, by its camelCase name', edited({ room_id: undefined, roomId: '!mine:local' }), META],
  ])('keeps a Worker from writing %s, whatever the operation decided', async (_, decide, path) => {
    const solo = await delegated();
    const before = stateOf(solo.dir);
    const name = define('test.rogue', decide);
    await expect(solo.run(name, {}, worker('ana'))).rejects.toMatchObject({
      code: 'not-owner',
      message: expect.stringContaining(path) as unknown,
    });
    expect(stateOf(solo.dir)).toEqual(before);
    expect(solo.outbox.pending()).toEqual([]);
  });

  test('keeps a Leader from writing what a Worker owns', async () => {
    const solo = await delegated();
    const name = define('test.rogue', () => ({ changes: [write('shared/tasks/p-01/workspace/x.md', 'x\n')] }));
    await expect(solo.run(name, {})).rejects.toMatchObject({ code: 'not-owner' });
  });

  test('touches nothing in a dry run', async () => {
    const solo = await delegated();
    const before = { state: stateOf(solo.dir), head: solo.head(), rooms: solo.said(''), owed: solo.outbox.pending() };
    const dry = async (operation: string, input: object, actor = solo.identity): Promise<unknown> =>
      solo.execute(operation, input, { actor, dryRun: true });
    await dry('project.create', { title: 'New' });
    await dry('task.delegate', { projectId: 'p', taskId: 'p-02', roomId: '!team:local', spec: 'Do it.' });
    await dry('task.submit', { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' }, worker('ana'));
    await dry('message.send', { target: '!team:local', message: 'hello all' });
    expect({ state: stateOf(solo.dir), head: solo.head(), rooms: solo.said(''), owed: solo.outbox.pending() }).toEqual(
      before,
    );
  });

  test('commits a change, its event and the names of what it owes together', async () => {
    const solo = await delegated();
    const event = { type: 'test.done', action: 'test', subject: { kind: 'project', id: 'p' } } as const;
    const announcement = { kind: 'notice', txn: 'test-1', room: '!team:local', text: 'done', mentions: [] } as const;
    const before = solo.head();
    await solo.run(
      define('test.events', () => ({
        changes: [write('shared/projects/p/note.md', 'note\n')],
        events: [event],
        announcements: [announcement],
      })),
      {},
    );
    expect(git(solo.dir, 'rev-list', '--count', `${before}..HEAD`)).toBe('1');
    const month = new Date().toISOString().slice(0, 7);
    const files = git(solo.dir, 'show', '--name-only', '--format=', 'HEAD').split('\n').sort();
    expect(files).toEqual([`shared/events/${month}/lead.jsonl`, 'shared/projects/p/note.md']);
    const line = git(solo.dir, 'show', `HEAD:shared/events/${month}/lead.jsonl`).split('\n').at(-1) ?? '';
    expect(JSON.parse(line)).toMatchObject({
      ...event,
      actor: { id: 'lead', role: 'leader' },
      data: { announces: ['test-1'] },
    });
    expect(solo.said('done')).toEqual(['done']);
  });

  test('commits nothing when nothing changes', async () => {
    const solo = await delegated();
    await solo.run('project.pause', { projectId: 'p' });
    const before = solo.head();
    expect(await solo.run('project.pause', { projectId: 'p' })).toMatchObject({ unchanged: true });
    expect(solo.head()).toBe(before);
  });

  test('takes back what it owed when the remote refuses the push, and leaves the work tree as it was', async () => {
    const { remote, lead } = await openTeam();
    await plan(lead, 'p-01', 'p-02');
    onPush(remote, 'pre-receive', 'echo "main is protected" >&2\nexit 1');
    const before = { state: stateOf(lead.dir, remote), rooms: lead.said('') };
    const claim = { projectId: 'p', taskId: 'p-02', roomId: '!team:local', spec: 'Do it.', notify: true };
    await expect(lead.run('task.delegate', claim)).rejects.toMatchObject({
      code: 'sync-failed',
      message: expect.stringContaining('main is protected') as unknown,
    });
    expect({ state: stateOf(lead.dir, remote), rooms: lead.said('') }).toEqual(before);
    expect(lead.outbox.pending()).toEqual([]);
  });

  test('that decides again on a fresher tree owes only what it decided last', async () => {
    const { remote, lead } = await openTeam();
    await plan(lead, 'p-01', 'p-02');
    const main = git(remote, 'rev-parse', 'main');
    const pat = join(remote, '..', 'pat');
    git(remote, 'clone', '--quiet', remote, pat);
    const path = join(pat, 'shared/projects/p/meta.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"active"', '"paused"'));
    git(pat, 'commit', '--quiet', '-a', '-m', 'pause by hand');
    git(pat, 'push', '--quiet', 'origin', 'HEAD:refs/heads/side');
    // While the call's push is under way, somebody else's arrives: the project is paused.
    const move = `env -u GIT_QUARANTINE_PATH git update-ref refs/heads/main ${git(pat, 'rev-parse', 'HEAD')} ${main}`;
    onPush(remote, 'pre-receive', `rm -f "$0"\n${move}`);
    const claim = { projectId: 'p', taskId: 'p-02', roomId: '!team:local', spec: 'Do it.', notify: true };
    await expect(lead.run('task.delegate', claim)).rejects.toMatchObject({ code: 'paused' });
    expect(lead.said('TASK_ASSIGNED: p-02')).toEqual([]);
    expect(lead.outbox.pending()).toEqual([]);
    expect(git(remote, 'ls-tree', '-r', '--name-only', 'main')).not.toContain('p-02');
    expect(lead.workTree.view().project('p')?.meta?.status).toBe('paused');
  });
});
