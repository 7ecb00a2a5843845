import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connectSocket } from '../../src/doors/socket/client.ts';
import { socketPath } from '../../src/doors/workspace.ts';
import { baton } from '../support/baton.ts';
import { cliWith } from '../support/cli.ts';
import { testFolder } from '../support/folders.ts';
import { startAgent } from '../support/mcp.ts';
import { startUp } from '../support/node.ts';
import { payloadWith, textFields, waysOut } from './tricks.ts';
import type { Field } from './tricks.ts';

/** Everything in a folder with what tells whether it was written: kind, size, time of change, digest. */
function stampsOf(folder: string, skip: (name: string) => boolean): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => !skip(name));
  return Object.fromEntries(
    names.sort().map((name) => {
      const facts = lstatSync(join(folder, name), { bigint: true });
      const bytes = facts.isFile() ? readFileSync(join(folder, name)) : '';
      const digest = createHash('sha256').update(bytes).digest('hex');
      return [name, facts.isDirectory() ? 'folder' : `${facts.size} ${facts.mtimeNs} ${facts.ctimeNs} ${digest}`];
    }),
  );
}

type Call = (field: Field, payload: Record<string, unknown>) => Promise<Record<string, unknown>>;

/** Names of fields that are a place or a name of something: what a trick says there can never be meant. */
const NAMES = /^(?:projectId|taskId|path|replacementTaskId|parentTaskId|triggeredBy)$/;

const isName = ({ path }: Field): boolean => NAMES.test(String(path.at(-1))) || path[0] === 'deliverables';

/** Refused, or answered as what is not there: behind a link there is nothing. */
const isTaken = ({ ok, exists, entries }: Record<string, unknown>): boolean =>
  ok !== false && exists !== false && !(Array.isArray(entries) && entries.length === 0);

interface Try {
  readonly door: string;
  readonly field: Field;
  readonly trick: string;
}

/** Together the fields meet every trick at every door; each field meets several. */
function rotating(tricks: readonly string[], agents: ReadonlySet<string>): readonly Try[] {
  return textFields('leader').flatMap((field, index) => {
    // A command line opens the workspace anew for each call, so every third field has to do there.
    const doors = ['socket', ...(agents.has(field.tool) ? ['mcp'] : []), ...(index % 3 === 0 ? ['cli'] : [])];
    return doors.map((door, turn) => ({ door, field, trick: tricks[(index * 7 + turn * 19) % tricks.length] ?? '' }));
  });
}

function asWorker(tricks: readonly string[]): readonly Try[] {
  return textFields('worker').map((field, index) => ({
    door: 'worker',
    field,
    trick: tricks[(index * 11) % tricks.length] ?? '',
  }));
}

/** A field that is a place meets all of them, where a call costs least. */
function everyTrick(tricks: readonly string[]): readonly Try[] {
  return textFields('leader')
    .filter(({ tool, action, path }) => tool === 'filesync' && path[0] === 'path' && action === 'stat')
    .flatMap((field) => tricks.map((trick) => ({ door: 'socket', field, trick })));
}

function problemIn({ door, field, trick }: Try, answer: Record<string, unknown>, canary: string): string | undefined {
  const text = JSON.stringify(answer);
  const said = `${JSON.stringify(trick).slice(0, 60)}: ${text.slice(0, 200)}`;
  const at = `${door} ${field.tool} ${field.action} ${field.path.join('.')}=${said}`;
  if (text.includes(canary)) return `read: ${at}`;
  if (answer['code'] === 'internal' || answer['code'] === 'git-failed') return `broke: ${at}`;
  return isName(field) && isTaken(answer) && trick !== '' ? `taken: ${at}` : undefined;
}

test('no path or id trick in any text field of any action leads out of the workspace, at any door', async () => {
  const folder = testFolder('tricks');
  const dir = join(folder, 'w');
  const canary = `canary-${randomUUID()}`;
  mkdirSync(join(folder, 'outside'));
  writeFileSync(join(folder, 'outside/secret.md'), `STATUS: SUCCESS\nSUMMARY: ${canary}\n`);
  writeFileSync(join(folder, 'secret.json'), JSON.stringify({ task_id: 'x', summary: canary }));
  expect((await baton(folder, 'init', dir, '--role', 'leader', '--as', 'lead', '--samples')).code).toBe(0);
  mkdirSync(join(dir, 'shared/tasks/sample-01/workspace'), { recursive: true });
  symlinkSync(join(folder, 'outside'), join(dir, 'shared/link'));
  symlinkSync(join(folder, 'outside'), join(dir, 'shared/tasks/sample-01/workspace/out'));
  const tricks = [
    ...waysOut(join(folder, 'outside/secret.md'), 'outside/secret.md'),
    ...waysOut(join(folder, 'secret.json'), 'secret.json').slice(0, 20),
  ];
  const inWorkspace = (name: string): boolean => /^w\/(?:shared|\.baton|\.git)(?:\/|$)/.test(name) || name === 'w';
  const before = stampsOf(folder, inWorkspace);
  const gitFiles = ['config', 'HEAD'].map((name) => join(dir, '.git', name));
  const digests = (): readonly string[] =>
    gitFiles.map((name) => createHash('sha256').update(readFileSync(name)).digest('hex'));
  const gitBefore = digests();

  const node = await startUp(dir);
  const remote = await connectSocket(socketPath(dir, {}), dir);
  if (remote === undefined) throw new Error('the node does not answer');
  const agent = await startAgent(dir);
  const doors: Readonly<Record<string, Call>> = {
    socket: ({ tool, action }, payload) => remote.call({ tool, action, payload }),
    worker: ({ tool, action }, payload) =>
      remote.call({ tool, action, payload, actor: { localpart: 'worker', role: 'worker' } }),
    mcp: ({ tool, action }, payload) => agent.call(tool, action, payload),
    cli: async ({ tool, action }, payload) => {
      const words = [tool, action, '--payload', JSON.stringify(payload), '--json'];
      const { stdout, stderr, code } = await cliWith({ cwd: dir }, ...words);
      return stdout.startsWith('{')
        ? (JSON.parse(stdout) as Record<string, unknown>)
        : { ok: code === 0, error: stderr };
    },
  };
  const agents = new Set((await agent.client.listTools()).tools.map(({ name }) => name));
  const tries = [...rotating(tricks, agents), ...asWorker(tricks), ...everyTrick(tricks)];
  const wrong: string[] = [];
  for (const one of tries) {
    const answer = (await doors[one.door]?.(one.field, payloadWith(one.field, one.trick))) ?? {};
    const problem = problemIn(one, answer, canary);
    if (problem !== undefined) wrong.push(problem);
  }
  expect(wrong).toEqual([]);
  expect(tries.length).toBeGreaterThanOrEqual(300);
  for (const text of tricks) await expect(remote.text(text).catch(() => undefined)).resolves.toBeUndefined();

  void remote.close();
  await agent.close();
  expect(await node.stop()).toBe(0);
  expect(node.log()).not.toContain(canary);
  expect(stampsOf(folder, inWorkspace)).toEqual(before);
  expect(digests()).toEqual(gitBefore);
  expect(execFileSync('git', ['log', '--all', '-p'], { cwd: dir, maxBuffer: 1 << 28 }).includes(canary)).toBe(false);
  const inside = readdirSync(join(dir, 'shared'), { recursive: true, encoding: 'utf8' });
  expect(inside.filter((name) => /evil|\.git(?:\/|$)|\\|\p{Cc}/u.test(name.replaceAll('.gitkeep', '')))).toEqual([]);
}, 300_000);
