import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { initWorkspace } from '../../src/app.ts';
import { assemble } from '../../src/assembly.ts';
import type { Assembly } from '../../src/assembly.ts';
import { startDaemon } from '../../src/services/daemon.ts';
import { cleanEnvironment } from '../support/baton.ts';
import { testFolder } from '../support/folders.ts';
import { served } from '../support/git-daemon.ts';
import { eventually } from '../support/waiting.ts';

/** So long that within a test nobody polls. */
const NEVER = 2 ** 30;
const quiet = (): void => undefined;
const SILENT = { debug: quiet, info: quiet, warn: quiet, error: quiet };

interface Node extends Assembly {
  readonly dir: string;
  /** How often it has looked at the remote. */
  pulls(): number;
}

/** A whole node whose remote cannot be watched and is never polled. */
async function startNode(dir: string, as: string, remote: string, runtime: string): Promise<Node> {
  const env = { ...cleanEnvironment(), XDG_RUNTIME_DIR: runtime };
  await initWorkspace({ dir, env, role: as === 'lead' ? 'leader' : 'worker', as, remote });
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const assembly = await assemble({ root: dir, env, log: SILENT }, stack, { watched: true });
  let pulls = 0;
  const { sync } = assembly;
  const pull = (): ReturnType<typeof sync.pull> => {
    pulls += 1;
    return sync.pull();
  };
  stack.use(await startDaemon({ ...assembly, ...assembly.watches, sync: { ...sync, pull }, pollInterval: NEVER }));
  return { ...assembly, dir, pulls: () => pulls };
}

async function team() {
  const folder = testFolder('hint');
  const runtime = testFolder('run');
  const bare = join(folder, 'team.git');
  await initWorkspace({
    dir: join(folder, 'first'),
    env: cleanEnvironment(),
    role: 'leader',
    as: 'lead',
    remote: bare,
  });
  const remote = await served(bare);
  const start = (as: string, at = runtime): Promise<Node> => startNode(join(folder, as), as, remote, at);
  return { runtime, start, lead: await start('lead'), ana: await start('ana') };
}

async function plan({ execute, identity }: Node, projectId: string): Promise<void> {
  const lead = { actor: identity };
  const taskId = `${projectId}-01`;
  await execute('project.create', { projectId, title: 'P', source: 'team-admin' }, lead);
  await execute('project.plan_dag', { projectId, tasks: [{ taskId, title: 'Only', assignedTo: 'ana' }] }, lead);
  await execute('task.delegate', { projectId, taskId, roomId: '!team:local', spec: 'Do it.', notify: true }, lead);
}

const has = ({ dir }: Node, path: string): boolean => existsSync(join(dir, 'shared/tasks', path));
const statusIn = ({ dir }: Node, taskId: string): unknown =>
  (JSON.parse(readFileSync(join(dir, `shared/tasks/${taskId}/meta.json`), 'utf8')) as Record<string, unknown>)[
    'status'
  ];

test('nodes of one machine hear of each other’s pushes, also where the remote cannot be watched', async () => {
  const { runtime, start, lead, ana } = await team();
  const far = await start('bo', testFolder('run'));
  await plan(lead, 'p');
  await eventually(() => has(ana, 'p-01/spec.md') || undefined, 'the Worker has the task');
  await ana.execute('task.ack', { taskId: 'p-01' }, { actor: ana.identity });
  const result = { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' };
  await ana.execute('task.submit', result, { actor: ana.identity });
  await eventually(() => statusIn(lead, 'p-01') === 'submitted' || undefined, 'the Leader has the result');
  expect([far.pulls(), has(far, 'p-01/spec.md')], 'on another machine nobody hears of it').toEqual([1, false]);

  // A forged hint costs one look at the remote, and many cost few.
  const place = join(runtime, 'baton');
  const text = (name: string): string => readFileSync(join(place, name), 'utf8');
  const file = readdirSync(place).find((name) => text(name).endsWith(' refs/heads/main\n')) ?? '';
  const forge = (id: string): void => writeFileSync(join(place, file), `${id.repeat(40)} refs/heads/main\n`);
  const before = ana.pulls();
  const since = performance.now();
  forge('f');
  await eventually(() => ana.pulls() > before || undefined, 'the Worker looks');
  for (let count = 0; count < 300; count += 1) forge((count % 9).toString());
  await plan(lead, 'q');
  await eventually(() => has(ana, 'q-01/spec.md') || undefined, 'true hints are heard among forged ones');
  // One for each quarter of a second, and those that were begun before.
  expect(ana.pulls() - before).toBeLessThan(4 + (performance.now() - since) / 200);
});
