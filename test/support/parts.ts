import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { initWorkspace } from '../../src/app.ts';
import { assemble } from '../../src/assembly.ts';
import type { Assembly } from '../../src/assembly.ts';
import type { Clock, Log } from '../../src/ports.ts';
import type { Actor } from '../../src/protocol/records/types.ts';
import { cleanEnvironment } from './baton.ts';
import { git } from './git.ts';
import { prepared } from './prepared.ts';

/** The parts of one open workspace, on real files and real git, and what they say. */
export interface Parts extends Assembly {
  readonly dir: string;
  /** Everything that was logged, as `message {fields}`. */
  readonly logged: string[];
  /** Runs what is due, until there is nothing left. */
  settle(): Promise<void>;
  /** Calls an operation as the Leader, or as somebody hosted. */
  run(operation: string, input: object, actor?: Actor): Promise<Record<string, unknown>>;
  put(path: string, text: string): void;
  text(path: string): string;
  /** Lines of the room logs that say `part`, oldest first. */
  said(part: string): readonly string[];
  head(): string;
  close(): Promise<void>;
}

export const worker = (localpart: string): Actor => ({ localpart, role: 'worker' });

interface Place {
  readonly dir: string;
  readonly role: 'leader' | 'worker';
  readonly as: string;
  readonly remote?: string;
  /** A Worker's clone that leaves others' tasks out. */
  readonly sparse?: boolean;
  /** Stays open when the test ends, for tests that share it; whoever asks for it closes it. */
  readonly kept?: boolean;
  /** Absent: the machine's. */
  readonly clock?: Clock;
}

/** Makes the workspace when it is not there yet, and opens it without watching anything. */
export async function openParts({ dir, role, as, remote, sparse = false, kept = false, clock }: Place): Promise<Parts> {
  const env = cleanEnvironment();
  if (!existsSync(join(dir, 'baton.json')))
    await initWorkspace({ dir, env, role, as, sparse, ...(remote === undefined ? {} : { remote }) });
  const logged: string[] = [];
  const note = (fields: Record<string, unknown>, message: string): void => {
    logged.push(`${message} ${JSON.stringify(fields)}`);
  };
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const stack = new AsyncDisposableStack();
  const close = (): Promise<void> => stack.disposeAsync();
  if (!kept) onTestFinished(close);
  const assembly = await assemble({ root: dir, env, log, ...(clock === undefined ? {} : { clock }) }, stack, {
    watched: false,
  });
  const rooms = join(dir, '.baton/rooms');
  return {
    ...assembly,
    dir,
    logged,
    async settle() {
      assembly.reconciler.wake();
      await assembly.reconciler.idle();
      // The index is told behind a pull.
      await assembly.sync.idle();
    },
    run: (operation, input, actor = assembly.identity) => assembly.execute(operation, input, { actor }),
    put(path, text) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text);
    },
    text: (path) => readFileSync(join(dir, path), 'utf8'),
    said: (part) =>
      (existsSync(rooms) ? readdirSync(rooms) : [])
        .flatMap((name) => readFileSync(join(rooms, name), 'utf8').split('\n'))
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { text: string }).text)
        .filter((text) => text.includes(part)),
    head: () => git(dir, 'rev-parse', 'HEAD'),
    close,
  };
}

const soloFolder = prepared('parts', async (folder) => {
  await initWorkspace({ dir: join(folder, 'lead'), env: cleanEnvironment(), role: 'leader', as: 'lead' });
});

export async function openSolo(): Promise<Parts> {
  return openParts({ dir: join(await soloFolder(), 'lead'), role: 'leader', as: 'lead' });
}

export interface TeamParts {
  readonly remote: string;
  readonly lead: Parts;
  readonly ana: Parts;
}

const teamFolder = prepared('parts', async (folder) => {
  const common = { env: cleanEnvironment(), remote: join(folder, 'team.git') };
  await initWorkspace({ ...common, dir: join(folder, 'lead'), role: 'leader', as: 'lead' });
  await initWorkspace({ ...common, dir: join(folder, 'ana'), role: 'worker', as: 'ana' });
});

export async function openTeam(): Promise<TeamParts> {
  const folder = await teamFolder();
  const remote = join(folder, 'team.git');
  const lead = await openParts({ dir: join(folder, 'lead'), role: 'leader', as: 'lead', remote });
  return { remote, lead, ana: await openParts({ dir: join(folder, 'ana'), role: 'worker', as: 'ana', remote }) };
}

/** Project `p` with these nodes, all of them ana's; the first is delegated. */
export async function plan(parts: Parts, ...ids: string[]): Promise<void> {
  await parts.run('project.create', { projectId: 'p', title: 'P', source: 'team-admin' });
  const tasks = ids.map((taskId) => ({ taskId, title: `Task ${taskId}`, assignedTo: 'ana' }));
  await parts.run('project.plan_dag', { projectId: 'p', tasks });
  const [taskId] = ids;
  await parts.run('task.delegate', { projectId: 'p', taskId, roomId: '!team:local', spec: 'Do it.', notify: true });
}

/** Moves one marker of p's plan as a person does. */
export function mark(parts: Parts, id: string, marker: string): void {
  const path = 'shared/projects/p/plan.md';
  const before = parts.text(path);
  const after = before.replace(new RegExp(String.raw`- \[.\] ${id} `, 'u'), `- [${marker}] ${id} `);
  expect(after).not.toBe(before);
  parts.put(path, after);
}

/** Events of one type in every log of the clone, as their notes. */
export function eventsOf({ dir }: Parts, type: string): readonly Record<string, unknown>[] {
  const folder = join(dir, 'shared/events');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((event) => event['type'] === type);
}
