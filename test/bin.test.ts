import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const bin = fileURLToPath(new URL('../src/bin.ts', import.meta.url));

/** Runs the launcher in a process that takes itself for this Node. */
function launch(version: string, ...argv: readonly string[]) {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, bin, ...argv],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

describe('the launcher', () => {
  test.each(['18.20.4', '23.11.0'])('says on Node %s which one it wants, and exits 1', (version) => {
    expect(launch(version, 'board')).toEqual({
      status: 1,
      stdout: '',
      stderr:
        `error[bad-config]: baton needs Node 24 or newer, and this is Node ${version}\n` +
        'install a newer Node from https://nodejs.org and run the command again\n',
    });
  });

  test('says so as one JSON document where that is wanted', () => {
    const { status, stdout } = launch('18.20.4', 'board', '--json');
    expect({ status, document: JSON.parse(stdout) as unknown }).toEqual({
      status: 1,
      document: {
        ok: false,
        code: 'bad-config',
        error: 'baton needs Node 24 or newer, and this is Node 18.20.4',
        remedy: 'install a newer Node from https://nodejs.org and run the command again',
      },
    });
  });

  test.each(['24.0.0', '30.1.0'])('starts on Node %s', (version) => {
    expect(launch(version, '--version')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  });

  test('hands every other command line to the CLI', () => {
    expect(launch('24.0.0', 'nothing')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining("unknown command 'nothing'"),
    });
  });

  test('colours nothing in a pipe, on a machine that says it is a CI either', () => {
    const { stderr } = spawnSync(process.execPath, [bin, 'board', '--workspace', '/'], {
      encoding: 'utf8',
      env: { ...process.env, CI: 'true' },
    });
    expect(stderr).toMatch(/^error\[no-workspace\]: /);
  });
});
