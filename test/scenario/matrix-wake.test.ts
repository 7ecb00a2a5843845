import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { assemble } from '../../src/assembly.ts';
import { startDaemon } from '../../src/services/daemon.ts';
import { startListener } from '../../src/services/listener.ts';
import { served } from '../support/git-daemon.ts';
import { onHomeserver } from '../support/synapse/homeserver.ts';
import { SILENT, matrixTeam, startMatrixNode, tokenOf } from '../support/synapse/team.ts';
import { eventually } from '../support/waiting.ts';

/** So long that within a test nobody polls. */
const NEVER = 2 ** 30;

type Member = Awaited<ReturnType<typeof matrixTeam>>['lead'];

/** A whole node whose remote cannot be watched, that hears no hints, and is never polled: it looks once, when it starts. */
async function startUnpolledNode({ dir, account }: Member, remote: string): Promise<void> {
  const file = join(dir, 'baton.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, `${JSON.stringify({ ...config, git: { remote } })}\n`);
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const env = tokenOf(account);
  expect(env['XDG_RUNTIME_DIR'], 'where hints would be').toBe('/absent');
  const assembly = await assemble({ root: dir, env, log: SILENT }, stack, { watched: true });
  stack.use(await startDaemon({ ...assembly, ...assembly.watches, pollInterval: NEVER }));
  stack.use(startListener(assembly));
}

onHomeserver('a Worker whose remote cannot be watched', (homeserver) => {
  test('has the task as soon as the assignment mentions it, and not before', async () => {
    const { lead, members, observer, remote, teamRoom } = await matrixTeam(homeserver());
    const [ana] = members;
    if (ana === undefined) throw new Error('a team needs a Worker');
    const leader = await startMatrixNode(lead);
    await startUnpolledNode(ana, await served(remote));
    const must = async (tool: string, action: string, payload: Record<string, unknown>): Promise<void> => {
      const answer = await leader.call({ tool, action, payload });
      expect(answer, JSON.stringify(answer)).toMatchObject({ ok: true });
    };
    const has = (taskId: string): boolean => existsSync(join(ana.dir, `shared/tasks/${taskId}/spec.md`));
    const tasks = ['p-01', 'p-02'].map((taskId) => ({ taskId, title: taskId, assignedTo: ana.userId }));
    await must('projectflow', 'create_project', { projectId: 'p', title: 'P', source: 'team-admin' });
    await must('projectflow', 'plan_dag', { projectId: 'p', tasks });
    const delegate = (taskId: string, notify: boolean) =>
      must('taskflow', 'delegate_task', { projectId: 'p', taskId, roomId: teamRoom, spec: 'Do it.', notify });

    // Published without a word, and a message that names nobody: once the node answers the next one, it has heard that.
    await delegate('p-01', false);
    await observer.say(teamRoom, 'Nobody in particular is meant.');
    await observer.say(teamRoom, `${ana.userId} readiness check: reply with the exact text READY`, [ana.userId]);
    await eventually(
      async () => (await observer.messages(teamRoom)).some(({ content }) => content.body === 'READY') || undefined,
      'the node listens',
    );
    expect(has('p-01')).toBe(false);

    await delegate('p-02', true);
    await eventually(() => has('p-02') || undefined, 'the assignment brings the task');
    expect(has('p-01')).toBe(true);
  });
});
