import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cleanEnvironment } from '../support/baton.ts';
import { BATON } from '../support/program.ts';
import type { Block, Document } from './documents.ts';

/** Its commands need a homeserver, so it has a test of its own. */
export const MATRIX_PAGE = 'docs/matrix.md';

/** A block of commands, and what the page says it prints. */
export interface Example {
  readonly block: Block;
  /** Lines in the order in which they must appear; `…` stands for anything. */
  readonly expected: readonly string[];
}

/** The `sh` blocks of a page that are run, each with the `text` block right behind it. */
export function examplesOf({ blocks }: Document): readonly Example[] {
  return blocks.flatMap((block, index) => {
    if (block.lang !== 'sh' || block.meta === 'not-run-here') return [];
    const next = blocks[index + 1];
    const lines = next?.lang === 'text' && next.meta === '' ? next.text.split('\n') : [];
    return [{ block, expected: lines.filter((line) => line.trim() !== '') }];
  });
}

/** A folder with a `baton` that runs the source, to be put on PATH. */
export function batonOnPath(folder: string): NodeJS.ProcessEnv {
  const bin = join(folder, '.bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'baton'), `#!/bin/sh\nexec '${process.execPath}' '${BATON}' "$@"\n`);
  chmodSync(join(bin, 'baton'), 0o755);
  const env = cleanEnvironment();
  return { ...env, PATH: `${bin}${delimiter}${env['PATH'] ?? ''}`, HOME: folder };
}

const MARK = '@@@ block ';

export interface Played {
  readonly code: number;
  /** What each block printed on standard output; shorter than the examples when one failed. */
  readonly outputs: readonly string[];
  readonly errors: string;
}

/** Only catches a page that waits for what does not come, before its test is given up; milliseconds. */
const PLAY_MS = 220_000;

/** Runs the blocks of a page in order in one shell, as a reader would who pastes them; stops at the first failure. */
export function play(examples: readonly Example[], cwd: string, env: NodeJS.ProcessEnv): Promise<Played> {
  // What a block leaves running ends with the page, also when the page does not come to its end.
  const tidy = "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n";
  const script = examples.map(({ block }) => `echo '${MARK}'\n${block.text}\n`).join('');
  return new Promise((done) => {
    execFile(
      'bash',
      // With its input from a socket, bash would take itself for one that a remote shell has started, and read `bashrc`.
      ['--norc', '-euo', 'pipefail', '-c', `${tidy}${script}`],
      { cwd, env, timeout: PLAY_MS },
      (error, stdout, stderr) => {
        const outputs = stdout.split(`${MARK}\n`).slice(1);
        done({ code: error === null ? 0 : Number(error.code ?? 1), outputs, errors: stderr });
      },
    );
  });
}

/** The expected lines that are not there, each searched behind the one before it. */
export function missingLines(expected: readonly string[], output: string): readonly string[] {
  const lines = output.split('\n').map((line) => line.trimEnd());
  let from = 0;
  return expected.filter((wanted) => {
    const pattern = new RegExp(`^${wanted.trimEnd().split('…').map(escape).join('.*')}$`, 'u');
    const found = lines.findIndex((line, index) => index >= from && pattern.test(line));
    if (found === -1) return true;
    from = found + 1;
    return false;
  });
}

function escape(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}/]/g, String.raw`\$&`);
}
