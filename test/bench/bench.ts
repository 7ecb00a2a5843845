import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProgram } from '../../.config/build.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

/** One run of the benchmarks: its folder, the program under test, and how much is done. */
export interface Bench {
  /** Few repetitions on small trees: shows that everything works, says nothing about speed. */
  readonly small: boolean;
  /** Real and empty, with a short path, so that sockets fit into it; gone with the run. */
  readonly folder: string;
  /** The built program, as a package installs it. */
  readonly program: string;
  /** Without the tester's own settings. */
  readonly env: NodeJS.ProcessEnv;
  /** A new folder of the run. */
  fresh(name: string): string;
  /** Tells what is going on; never on standard output. */
  say(text: string): void;
  /** Everything that was kept for several figures, by name; made when first asked for. */
  once<Value>(name: string, make: () => Promise<Value>): Promise<Value>;
  /** Runs at the end of the run, last first. */
  defer(undo: () => Promise<void> | void): void;
  /** A process that must not outlive the run, however that ends. */
  own(child: ChildProcess): void;
  /** Ends at once whatever processes are left: what was measured with them took too long, or failed. */
  endProcesses(): void;
}

/**
 * Builds the program once, into a folder beside a package.json of its own, without a look at its types, which `npm run
 * check` takes. Throws when it does not compile.
 */
export async function openBench(
  stack: AsyncDisposableStack,
  { small, say }: Pick<Bench, 'small' | 'say'>,
): Promise<Bench> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bb-')));
  const children = new Set<ChildProcess>();
  const endProcesses = (): void => {
    for (const child of children) child.kill('SIGKILL');
  };
  const clear = (): void => {
    endProcesses();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  // A run that is broken off leaves nothing behind either.
  process.once('exit', clear);
  stack.defer(() => {
    process.off('exit', clear);
    clear();
  });
  const program = join(folder, 'program');
  mkdirSync(program);
  cpSync(join(CHECKOUT, 'package.json'), join(program, 'package.json'));
  symlinkSync(join(CHECKOUT, 'node_modules'), join(program, 'node_modules'));
  await buildProgram(join(program, 'dist'));
  const made = new Map<string, Promise<unknown>>();
  let folders = 0;
  return {
    small,
    say,
    folder,
    program: join(program, 'dist/bin.js'),
    env: cleanEnvironment(),
    fresh(name) {
      folders += 1;
      const path = join(folder, `${folders}${name}`);
      mkdirSync(path);
      return path;
    },
    once<Value>(name: string, make: () => Promise<Value>): Promise<Value> {
      const value = made.get(name) ?? make();
      made.set(name, value);
      // What could not be made may be tried again by whoever asks next.
      value.catch(() => made.delete(name));
      // A name stands for one kind of thing.
      return value as Promise<Value>;
    },
    defer: (undo) => stack.defer(undo),
    own(child) {
      children.add(child);
      child.once('exit', () => children.delete(child));
    },
    endProcesses,
  };
}

/**
 * The bench for one piece of work. `close` ends its processes, and all that it may still start: work that is no longer
 * waited for does not disturb what is measured after it.
 */
export function partOf(bench: Bench): { readonly part: Bench; readonly close: () => void } {
  let closed = false;
  const part: Bench = {
    ...bench,
    fresh(name) {
      if (closed) throw new Error('the time for this is over');
      return bench.fresh(name);
    },
    own(child) {
      bench.own(child);
      if (closed) child.kill('SIGKILL');
    },
  };
  const close = (): void => {
    closed = true;
    bench.endProcesses();
  };
  return { part, close };
}

/** Bare git and Baton both see a machine without anybody's own settings. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(BATON_|AGENTTEAMS_|GIT_|NODE_|npm_|NO_COLOR|FORCE_COLOR|VITEST)/.test(name),
  );
  const person = { GIT_AUTHOR_NAME: 'Pat', GIT_AUTHOR_EMAIL: 'pat@local' };
  return {
    ...Object.fromEntries(kept),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    ...person,
    GIT_COMMITTER_NAME: person.GIT_AUTHOR_NAME,
    GIT_COMMITTER_EMAIL: person.GIT_AUTHOR_EMAIL,
  };
}

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; an exit code is an answer. */
export function run(
  program: string,
  words: readonly string[],
  { cwd, env, input }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly input?: string | Buffer },
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({
        code: code ?? -1,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
      }),
    );
    // A program may end without reading what it was given.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
  });
}

/** As `run`, but must succeed; trimmed output. */
export async function must(
  program: string,
  words: readonly string[],
  options: Parameters<typeof run>[2],
): Promise<string> {
  const { code, stdout, stderr } = await run(program, words, options);
  if (code !== 0) throw new Error(`${program} ${words.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return stdout.trim();
}
