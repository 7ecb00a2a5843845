import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parsePlan } from '../../src/protocol/plan/parse.ts';
import { baton, cleanEnvironment } from '../support/baton.ts';
import { BATON } from '../support/program.ts';
import type { Run } from '../support/baton.ts';
import { keptFolder, testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';
import { eventually } from '../support/waiting.ts';

const BUNDLE = fileURLToPath(new URL('../../fixtures/demo/history.bundle', import.meta.url));
/** Only catches what hangs, also on a machine with other things to do. */
const PATIENCE = 240_000;

/** Processes that were started for a folder, locks that are held in it. */
async function leftIn(folder: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,args=']);
  const processes = stdout.split('\n').filter((line) => line.includes(folder));
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return [...processes, ...names.filter((name) => /(?:^|\/)(?:node|index)\.lock$|\.sock$/.test(name))];
}

/** `baton demo` as a person starts it, while it runs. */
function startDemo(folder: string): {
  seen(text: string): Promise<void>;
  stop(signal: NodeJS.Signals): void;
  ended: Promise<Run>;
} {
  const child = spawn(process.execPath, [BATON, 'demo', '--dir', 'demo', '--history', BUNDLE], {
    cwd: folder,
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code]) => ({ code: Number(code), stdout, stderr }));
  return {
    seen: async (text) => {
      await eventually(() => stdout.includes(text) || undefined, `${text} in ${stdout}${stderr}`);
    },
    stop: (signal) => void child.kill(signal),
    ended,
  };
}

describe('baton demo', () => {
  const kept = keptFolder('demo');
  const demo = join(kept.path, 'demo');
  const lead = join(demo, 'lead');
  const history = join(demo, 'history');
  let run: Run;
  beforeAll(async () => {
    run = await baton(kept.path, 'demo', '--once', '--dir', 'demo', '--history', BUNDLE);
  }, PATIENCE);
  afterAll(() => kept.remove());

  const idOf = (prefix: string): string =>
    readdirSync(join(lead, 'shared/projects')).find((id) => id.startsWith(prefix)) ?? prefix;
  const planOf = (prefix: string) =>
    parsePlan(readFileSync(join(lead, 'shared/projects', idOf(prefix), 'plan.md'), 'utf8'));
  const statuses = (prefix: string): Readonly<Record<string, string>> =>
    Object.fromEntries(planOf(prefix).nodes.map(({ id, status }) => [id.slice(idOf(prefix).length + 1), status]));
  const deliverable = (prefix: string, path: string): string =>
    readFileSync(join(lead, 'shared/tasks', `${idOf(prefix)}-${path.replace('/', '/workspace/')}`), 'utf8');

  test('ends with exit 0, says nothing on standard error, and leaves nothing running', async () => {
    expect({ code: run.code, stderr: run.stderr, left: await leftIn(demo) }).toEqual({ code: 0, stderr: '', left: [] });
  });

  test('shows each node of the plan turn from [ ] to [x]', () => {
    const keys = ['01', '02', '03', '04', '05', '06', '07', '08b', '09b', '10', '11', '12', '13'];
    const shown = run.stdout.matchAll(/^(\[.\]) (\d\d\S*)/gm);
    const turns = Map.groupBy(shown, ([, , key]) => key ?? '');
    const turned = keys.map((key) => [key, ...new Set((turns.get(key) ?? []).map(([, marker]) => marker))]);

    expect(turned).toEqual(keys.map((key) => [key, '[ ]', '[~]', '[x]']));
  });

  test('tells of the question, of what came back, and of what was answered', () => {
    const told = run.stdout.split('\n').filter((line) => /^ {2}(?:0|\s)/.test(line));

    expect(told.toSorted()).toEqual([
      '    the Leader answers: list the largest tenth of the commits instead; 08b replaces 08',
      '    the Leader answers: the highlights are for engineers; 09b replaces 09',
      '  08 came back REVISION_NEEDED: 0 of 20 commits change 1000 lines or more: a fixed number says little about this history, a share of its commits is needed.',
      '  09 asks for attention: Are the highlights for engineers or for users? The choice of commits depends on it.',
      '  09 came back BLOCKED: The spec does not say for whom the highlights are written.',
    ]);
  });

  test('ends every node of its plan, the two that came back replaced by others', () => {
    expect(statuses('release')).toEqual({
      ...Object.fromEntries(Array.from({ length: 13 }, (_, at) => [String(at + 1).padStart(2, '0'), 'completed'])),
      '08': 'revision',
      '08b': 'completed',
      '09': 'blocked',
      '09b': 'completed',
    });
  });

  test('polishes in three iterations, until its stop condition holds', () => {
    const decisions = planOf('polish').loop?.history.map((line) => line.split(' — ')[0]);

    expect(decisions).toEqual(['Iteration 1: continue', 'Iteration 2: continue', 'Iteration 3: stop_success']);
    expect(statuses('polish')).toEqual({ 'i003-01': 'completed' });
    expect(JSON.parse(deliverable('polish', 'i003-01/findings.json'))).toEqual({
      mended: 'line over 100 characters',
      before: 2,
      after: 0,
    });
  });

  test('prints what the requester read, and where the deliverables are', () => {
    const [, after = ''] = run.stdout.split('The requester read in the Leader DM:');
    const [reports = '', list = ''] = after.split('\nDeliverables:\n');
    const paths = list.split('\n\n')[0]?.trim().split(/\n */) ?? [];

    expect(reports).toContain(`- **ID**: ${idOf('release')}\n- **Mode**: DAG\n- **Status**: ✅ completed`);
    expect(reports).toContain('\n02, 08b, 09b, 10 -> 11 ✅ -> 12 ✅ -> 13 ✅\n');
    expect(reports).toContain(`- **ID**: ${idOf('polish')}\n- **Mode**: Loop\n- **Status**: ✅ completed`);
    const tasks = 'demo/lead/shared/tasks';
    expect(paths).toEqual([
      `${tasks}/${idOf('polish')}-i003-01/workspace/release-report.md`,
      `${tasks}/${idOf('release')}-13/workspace/release-report.md`,
      `${tasks}/${idOf('release')}-10/workspace/areas.svg`,
    ]);
    expect(paths.filter((path) => !existsSync(join(kept.path, path)))).toEqual([]);
  });

  test('reports what git counts', () => {
    const commits = git(history, 'log', '--no-merges', '--format=%H').split('\n');
    const authors = git(history, 'shortlog', '-sn', '--no-merges', 'HEAD').split('\n');
    const numbers = git(history, 'log', '--no-merges', '--no-renames', '--numstat', '--format=').match(/\b\d+(?=\t)/g);
    const lines = (numbers ?? []).reduce((sum, number) => sum + Number(number), 0);
    const report = deliverable('polish', 'i003-01/release-report.md').replaceAll('\n', ' ');

    expect(report).toContain(`covers ${commits.length} commits that change ${lines} lines in all`);
    expect(report).toContain(`Commits in the draft: ${commits.length}; counted by git: ${commits.length}.`);
    expect(deliverable('release', '02/authors.md').split('\n').slice(2, -1).toSorted()).toEqual(
      authors.map((line) => line.trim().replace(/^(\d+)\t(.*)$/, '| $2 | $1 |')).toSorted(),
    );
    expect(
      (JSON.parse(deliverable('release', '01/commits.json')) as { hash: string }[]).map(({ hash }) => hash),
    ).toEqual(commits.toReversed());
  });

  test('leaves a history that tells who did what', () => {
    const authors = git(lead, 'log', '--format=%an %s').split('\n');
    const of = (action: string): readonly string[] =>
      [
        ...new Set(authors.filter((line) => line.includes(`(${action})`)).map((line) => line.split(' ')[0] ?? '')),
      ].sort();

    expect({ plans: of('plan_dag'), submits: of('submit_task') }).toEqual({ plans: ['lead'], submits: ['ana', 'bo'] });
  });

  test('leaves three clones that hold one tree after a sync', async () => {
    for (const name of ['lead', 'ana', 'bo', 'lead']) {
      expect((await baton(join(demo, name), 'sync', 'now', '--quiet')).code).toBe(0);
    }
    const [first, ...others] = ['lead', 'ana', 'bo'].map((name) => git(join(demo, name), 'rev-parse', 'HEAD:shared'));

    expect(others).toEqual([first, first]);
    expect(git(join(demo, 'remote.git'), 'rev-parse', 'main:shared')).toBe(first);
  });

  test('starts from new in the folder of the demo before, and leaves any other folder alone', async () => {
    writeFileSync(join(demo, 'thesis.txt'), 'mine\n');
    const refused = await baton(kept.path, 'demo', '--dir', 'demo', '--history', BUNDLE);

    expect(refused).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error[already-exists]: demo holds what no demo has put there (thesis.txt)\n' +
        'name a new or empty folder with --dir, or move these files away\n',
    });
    expect(existsSync(join(lead, 'baton.json'))).toBe(true);
  });
});

describe('a demo that does not get to its end', () => {
  test(
    'stops in order on Ctrl-C, and the next one starts from new',
    async () => {
      const folder = testFolder('demo');
      const first = startDemo(folder);
      await first.seen('[~] 01');
      first.stop('SIGINT');
      const { code, stdout, stderr } = await first.ended;

      expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
      expect(stdout).toMatch(/\nstopped by SIGINT; what was made so far is in demo\n$/);
      expect(await leftIn(folder)).toEqual([]);
      const marked = git(join(folder, 'demo', 'lead'), 'rev-parse', 'HEAD');

      const second = startDemo(folder);
      await second.seen('[~] 01');
      second.stop('SIGTERM');
      expect((await second.ended).code).toBe(143);
      expect(git(join(folder, 'demo', 'lead'), 'rev-parse', 'HEAD')).not.toBe(marked);
    },
    PATIENCE,
  );

  test(
    'says in one sentence what went wrong, stops all nodes and leaves the folder',
    async () => {
      const folder = testFolder('demo');
      const demo = startDemo(folder);
      await demo.seen('[ ] 01');
      renameSync(join(folder, 'demo', 'history'), join(folder, 'gone'));
      const { code, stderr } = await demo.ended;

      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^error\[git-failed\]: git cannot read the history in demo\/history: fatal: [^\n]+\n[^\n]+; demo is left as it was, [^\n]+\n$/,
      );
      expect(await leftIn(folder)).toEqual([]);
      expect(existsSync(join(folder, 'demo', 'lead', 'shared'))).toBe(true);
    },
    PATIENCE,
  );

  test('refuses a history that is not there, or has no commits', async () => {
    const folder = testFolder('demo');
    git(folder, 'init', '-q', 'empty');
    const refusals = [];
    for (const history of ['nowhere', 'empty']) {
      const { code, stderr } = await baton(folder, 'demo', '--dir', 'demo', '--history', history);
      refusals.push([code, stderr.split('\n')[0]]);
    }

    expect(refusals).toEqual([
      [1, 'error[not-found]: there is no nowhere'],
      [1, 'error[not-found]: empty is not a git repository with commits'],
    ]);
  });
});
