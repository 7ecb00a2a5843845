import { spawn } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { cleanEnvironment } from '../support/baton.ts';
import { BATON } from '../support/program.ts';
import { cli, cliJson } from '../support/cli.ts';
import { git } from '../support/git.ts';
import { startUp } from '../support/node.ts';
import { makeTeam } from '../support/team.ts';
import { eventually } from '../support/waiting.ts';

interface Line {
  readonly kind: string;
  readonly what: string;
  readonly actor?: string;
  readonly task?: string;
}

/** `baton watch --json` as a process of its own. */
function watch(cwd: string) {
  const child = spawn(process.execPath, [BATON, 'watch', '--json'], { cwd, env: cleanEnvironment() });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  const ended = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)));
  onTestFinished(() => void child.kill('SIGKILL'));
  const told = (): readonly Line[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
  return {
    told,
    hears: (wanted: Line) =>
      eventually(
        () => told().some((line) => Object.entries(wanted).every(([key, value]) => line[key as keyof Line] === value)),
        JSON.stringify(wanted),
      ),
    interrupt: (): Promise<number | null> => {
      child.kill('SIGINT');
      return ended;
    },
  };
}

test('a person follows a team: what happens in any clone, what happened to a task, and what waits for somebody', async () => {
  const { lead, ana, remote } = await makeTeam();
  const run = async (cwd: string, ...words: string[]): Promise<void> =>
    expect(await cliJson(cwd, ...words)).toMatchObject({ ok: true });
  const node = await startUp(lead);
  const { told, hears, interrupt } = watch(lead);
  await hears({ kind: 'node', what: 'node.watched' });

  await run(lead, 'project', 'create', 'P', '--project-id', 'p');
  await run(lead, 'project', 'plan', 'p', '--tasks', '[{"taskId":"p-01","title":"One","assignedTo":"ana"}]');
  await run(lead, 'task', 'delegate', 'p', 'p-01', '--spec', 'Do it.');
  await run(ana, 'task', 'ack', 'p-01');
  await hears({ kind: 'event', what: 'task.acknowledged', actor: 'ana', task: 'p-01' });

  // While no node runs, work goes on; whoever watches hears of it when one is back.
  await node.kill();
  await hears({ kind: 'node', what: 'node.gone' });
  await run(ana, 'task', 'attention', 'p-01', 'Which year?');
  const again = await startUp(lead);
  await hears({ kind: 'gap', what: 'node' });
  await hears({ kind: 'event', what: 'task.attention', actor: 'ana', task: 'p-01' });
  expect(await interrupt()).toBe(0);
  expect(told().filter(({ what }) => what === 'task.acknowledged')).toHaveLength(1);

  const { entries } = (await cliJson(lead, 'log', 'p-01')) as {
    entries: { what: string; actor: string; commit: string; durability: string }[];
  };
  expect(entries.map(({ what, actor, durability }) => [what, actor, durability])).toEqual([
    ['task.delegated', 'lead', 'replicated'],
    ['task.acknowledged', 'ana', 'replicated'],
    ['task.attention', 'ana', 'replicated'],
  ]);
  expect(entries.map(({ commit }) => git(remote, 'log', '-1', '--format=%s', commit))).toEqual([
    'taskflow(delegate_task): p-01',
    'taskflow(ack_task): p-01',
    'taskflow(request_attention): p-01',
  ]);

  const { stdout } = await cli(lead, 'board', '--problems');
  expect(stdout).toContain('ana asks about p-01: Which year?');
  expect(stdout).toContain('baton task answer p-01 ANSWER');
  await run(lead, 'task', 'answer', 'p-01', '2026');
  expect((await cli(lead, 'board', '--problems')).stdout).toBe('nothing needs a person\n');
  expect(await again.stop()).toBe(0);
});
