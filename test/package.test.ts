import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { cleanEnvironment } from './support/baton.ts';
import type { Run } from './support/baton.ts';
import { keptFolder, testFolder } from './support/folders.ts';

/** Only catches what hangs, also on a machine with other things to do. */
const PATIENCE = 240_000;
const checkout = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { readonly version: string };
const prefix = keptFolder('npm');
afterAll(() => prefix.remove());

function run(cwd: string, program: string, parameters: readonly string[], env: NodeJS.ProcessEnv): Promise<Run> {
  return new Promise((done) => {
    execFile(program, parameters, { cwd, env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}

/** npm as a user calls it: without what the npm that runs these tests has put into the environment. */
function userEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(cleanEnvironment()).filter(([name]) => !/^npm_/i.test(name)));
}

/** Packs the checkout and installs what came out; tells why not where there is no registry to take libraries from. */
async function install(): Promise<{ readonly missing?: string }> {
  const env = userEnvironment();
  const packed = await run(checkout, 'npm', ['pack', '--pack-destination', prefix.path], env);
  if (packed.code !== 0) throw new Error(`npm pack: ${packed.stdout}${packed.stderr}`);
  const [tarball = ''] = readdirSync(prefix.path).filter((name) => name.endsWith('.tgz'));
  const flags = ['--prefix', prefix.path, '--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries', '1'];
  const installed = await run(prefix.path, 'npm', ['install', '--global', ...flags, `./${tarball}`], env);
  if (installed.code === 0) return {};
  const offline = /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH)\b/.exec(installed.stderr);
  if (offline === null) throw new Error(`npm install: ${installed.stderr}`);
  return { missing: `the registry cannot be reached (${offline[0]})` };
}

/** A Node that is too old, where this machine has one. */
function oldNode(): string | undefined {
  const folders = new Set([...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']);
  return [...folders].find((folder) => {
    const node = join(folder, 'node');
    return (
      folder !== '' &&
      existsSync(node) &&
      Number(/\d+/.exec(execFileSync(node, ['--version'], { encoding: 'utf8' }))) < 24
    );
  });
}

const { missing } = await install();
const old = oldNode();

/** The installed command, by the Node of this folder. */
const baton = (cwd: string, node: string, ...parameters: readonly string[]): Promise<Run> =>
  run(cwd, join(prefix.path, 'bin', 'baton'), parameters, {
    ...userEnvironment(),
    PATH: [node, process.env['PATH']].join(delimiter),
  });
const here = dirname(process.execPath);

describe.skipIf(missing !== undefined)(`the package as installed${missing === undefined ? '' : `: ${missing}`}`, () => {
  test('gives a command that tells its version', async () => {
    expect(await baton(testFolder(), here, '--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('brings what it says it brings, and no sources or tests', () => {
    const home = join(prefix.path, 'lib', 'node_modules', 'batond');

    expect(readdirSync(home).sort()).toEqual(
      ['LICENSE', 'README.md', 'dist', 'docs', 'fixtures', 'node_modules', 'package.json'].sort(),
    );
    expect(readdirSync(join(home, 'fixtures'))).toEqual(['demo']);
    const python = readdirSync(join(home, 'dist')).filter((name) => name.endsWith('.py'));
    expect(python.sort()).toEqual(['install.py', 'serve.py']);
    // What is built in comes with its licences, and is not brought a second time.
    expect(readFileSync(join(home, 'dist', 'THIRD-PARTY.txt'), 'utf8')).toMatch(/^zod 4\.\S+\n\nMIT License\n/m);
    expect(existsSync(join(home, 'node_modules', 'zod'))).toBe(false);
  });

  test('lets a program check all tasks, and says what it throws', async () => {
    const folder = testFolder();
    await baton(folder, here, 'init', 'lead', '--role', 'leader');
    const entry = join(prefix.path, 'lib', 'node_modules', 'batond');
    expect(existsSync(join(entry, 'dist', 'index.d.ts'))).toBe(true);
    const program = `
      const { checkAllTasks } = await import(${JSON.stringify(join(entry, 'dist', 'index.js'))});
      const { alerts, summary } = await checkAllTasks({ workspace: 'lead' });
      const thrown = await checkAllTasks().catch(({ code }) => code);
      console.log(JSON.stringify({ alerts, tasks: summary.tasks, thrown }));
    `;
    const ran = await run(folder, process.execPath, ['--input-type=module', '--eval', program], userEnvironment());
    expect({ ...ran, stdout: JSON.parse(ran.stdout) }).toEqual({
      code: 0,
      stdout: { alerts: [], tasks: 0, thrown: 'no-workspace' },
      stderr: '',
    });
  });

  test('makes a workspace', async () => {
    const folder = testFolder();

    expect(await baton(folder, here, 'init', 'lead', '--role', 'leader')).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(join(folder, 'lead', 'baton.json'))).toBe(true);
  });

  test(
    'plays the demo outside of any checkout, on the history that it brings',
    async () => {
      const folder = testFolder();
      const { code, stdout, stderr } = await baton(folder, here, 'demo', '--once', '--json');
      const { deliverables, reports, ...rest } = JSON.parse(stdout) as {
        readonly deliverables: readonly string[];
        readonly reports: readonly string[];
      };

      expect({ code, stderr, ...rest }).toEqual({
        code: 0,
        stderr: '',
        ok: true,
        seconds: expect.any(Number),
        folder: join(folder, '.baton', 'demo'),
      });
      expect(reports.map((report) => /- \*\*Status\*\*: (.*)/.exec(report)?.[1])).toEqual([
        '✅ completed',
        '✅ completed',
      ]);
      expect(deliverables.map((path) => readFileSync(path, 'utf8').length > 100)).toEqual([true, true, true]);
      expect(readFileSync(deliverables[0] ?? '', 'utf8')).toContain('This report covers 20 commits');
    },
    PATIENCE,
  );

  test.skipIf(old === undefined)(
    `says on an older Node which one it wants${old === undefined ? ': there is none on this machine' : ''}`,
    async () => {
      const { code, stdout, stderr } = await baton(testFolder(), old ?? '', 'demo', '--once');

      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(
        /^error\[bad-config\]: baton needs Node 24 or newer, and this is Node \d+\.\d+\.\d+\ninstall a newer Node from [^\n]+\n$/,
      );
    },
  );
});

test('`npm run baton` of a checkout works in the folder from which it was called', async () => {
  const folder = testFolder('caller');
  const words = [
    '--prefix',
    checkout,
    '--silent',
    'run',
    'baton',
    '--',
    'init',
    'lead',
    '--role',
    'leader',
    '--as',
    'lead',
  ];
  const { code, stderr } = await run(folder, 'npm', words, userEnvironment());
  expect({ code, stderr, made: existsSync(join(folder, 'lead/baton.json')) }).toEqual({
    code: 0,
    stderr: '',
    made: true,
  });
  expect(existsSync(join(checkout, 'lead'))).toBe(false);
});
