import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './bench.ts';
import type { Bench } from './bench.ts';
import { against } from './figure.ts';
import type { Figure } from './figure.ts';
import type { Limit } from './limit.ts';
import { spreadOf, timed } from './numbers.ts';

/** P9: what every call of the program pays, against a program that does nothing. */
export async function measureP9(bench: Bench, limit: Limit): Promise<readonly Figure[]> {
  const place = bench.fresh('launch');
  const empty = join(place, 'empty.js');
  writeFileSync(empty, '');
  const at = { cwd: place, env: bench.env };
  const node = (...words: readonly string[]): Promise<string> => must(process.execPath, words, at);
  await node(bench.program, 'init', 'lead', '--role', 'leader', '--as', 'lead');
  const workspace = join(place, 'lead');

  const [nothing, version, mcp]: [number[], number[], number[]] = [[], [], []];
  const rounds = bench.small ? 2 : 31;
  for (let round = 0; round < rounds && (round < 2 || !limit.over()); round += 1) {
    const measured = [
      await timed(() => node(empty)),
      await timed(() => node(bench.program, '--version')),
      await greeting(bench, workspace),
    ] as const;
    // The first fills the disk's and the compiler's caches, as a first use does.
    if (round === 0) continue;
    nothing.push(measured[0]);
    version.push(measured[1]);
    mcp.push(measured[2]);
  }
  const floor = spreadOf(nothing);
  const cut = nothing.length < rounds - 1 ? `${nothing.length} of ${rounds - 1} starts` : undefined;
  const greeted = 'baton mcp, until initialize is answered; floor: an empty program';
  return [
    against(
      { id: 'P9', what: 'baton --version; floor: an empty program', unit: 'ms', limit: 2, cut },
      spreadOf(version),
      floor,
    ),
    against({ id: 'P9', what: greeted, unit: 'ms', limit: 6, cut }, spreadOf(mcp), floor),
  ];
}

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
};

/** Milliseconds from the start of `baton mcp` to its answer; it has ended when this resolves. */
async function greeting({ program, env }: Bench, cwd: string): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, [program, 'mcp'], { cwd, env, stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  const answered = new Promise<number>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (/"id":1\b/.test(text) && text.includes('"result"')) resolve(performance.now() - start);
    });
    void ended.then(() => reject(new Error('baton mcp ended without an answer')));
  });
  child.stdin.write(`${JSON.stringify(INITIALIZE)}\n`);
  const ms = await answered;
  child.stdin.end();
  await ended;
  return ms;
}
