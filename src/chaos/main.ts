import { randomBytes, randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { localGitDirectory } from '../adapters/git/local-refs.ts';
import { redact } from '../adapters/git/names.ts';
import type { ChaosOptions } from '../app-types.ts';
import type { Log } from '../ports.ts';
import { FlowError } from '../protocol/errors.ts';
import { takeScratch } from './scratch.ts';
import { runSeed, storyOf } from './seed.ts';
import type { SeedResult } from './seed.ts';
import { createShim } from './shim.ts';
import type { Ground } from './stage.ts';
import { asSentence, rowOf, tableOf } from './table.ts';

const quiet = (): void => undefined;
const LOG: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

const WORKERS = 5;
const TASKS = 6;
const STEPS = 24;
/** In every so manieth seed the Leader's node and a Worker's are processes that are killed. */
const KILLING = 3;

/**
 * `baton chaos`: a team of its own at work on a scratch prefix of the caller's remote, with faults at its edges and
 * kills, checked in the end. Resolves with the exit code: 1 when something did not hold, or could not be
 * played to its end because the remote did not answer. Throws `FlowError`.
 */
export async function runChaos(options: ChaosOptions): Promise<number> {
  const { remote, seeds, seed, minutes, json, write } = options;
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'baton-chaos-')));
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    const env = withoutSettings(options.env);
    const prefix = options.prefix ?? `chaos-${randomBytes(4).toString('hex')}`;
    const own = join(base, 'scratch.git');
    mkdirSync(own);
    const told = (line: string): void => {
      if (!json) write(`${redact(line)}\n`);
    };
    const scratch = await takeScratch({ remote, prefix, folder: own, env, told });
    const shim = createShim(join(base, 'shim'));
    const address = addressOf(remote);
    const ground: Ground = {
      folder: join(base, 'stage'),
      remoteOf: () => address,
      direct: address,
      env,
      told,
      log: LOG,
      shim,
    };
    const results: SeedResult[] = [];
    const unplayed: Unplayed[] = [];
    const first = seed ?? randomInt(1_000_000_000);
    const until = performance.now() + minutes * 60_000;
    for (let index = 0; index < (seed === undefined ? seeds : 1); index += 1) {
      if (stop.signal.aborted || (index > 0 && performance.now() > until)) break;
      const number = first + index;
      try {
        const mortal = number % KILLING === 0 ? ['lead', 'ana'] : [];
        const branches = scratch.branchesOf(number);
        const play = { seed: number, ground, branches, workers: WORKERS, tasks: TASKS, steps: STEPS, mortal };
        const result = await runSeed({ ...play, signal: stop.signal });
        results.push(result);
        if (!json) write(toldOf(result, remote));
      } catch (error) {
        if (stop.signal.aborted) break;
        if (!isAway(error)) throw error;
        unplayed.push({ seed: number, reason: error.message });
        told(`seed ${number}: not played to its end: ${error.message}`);
      } finally {
        await scratch.clear();
      }
    }
    return finish(options, { results, unplayed, interrupted: stop.signal.aborted });
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    rmSync(base, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A schedule that the remote did not let be played to its end: it shows nothing, neither way. */
interface Unplayed {
  readonly seed: number;
  readonly reason: string;
}

const isAway = (error: unknown): error is FlowError => error instanceof FlowError && error.code === 'sync-failed';

/** Faults meet what git does: a repository on this machine is worked with by git only where it has an address. */
function addressOf(remote: string): string {
  const directory = remote.includes('://') ? undefined : localGitDirectory(process.cwd(), remote);
  return directory === undefined ? remote : pathToFileURL(directory).href;
}

/** Settings of the caller's own workspace have no say in the team of a seed. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(BATON_|AGENTTEAMS_)/.test(name)));
}

function toldOf(result: SeedResult, remote: string): string {
  const { seed, steps, violations, seconds } = result;
  if (violations.length > 0) return storyOf(result, `baton chaos --remote '${redact(remote)}' --seed ${seed}`);
  return `seed ${seed}: ${steps} steps, all holds (${seconds.toFixed(1)} s)\n`;
}

interface Outcome {
  readonly results: readonly SeedResult[];
  readonly unplayed: readonly Unplayed[];
  readonly interrupted: boolean;
}

function finish({ json, write }: ChaosOptions, { results, unplayed, interrupted }: Outcome): number {
  const violated = results.filter(({ violations }) => violations.length > 0);
  const ok = violated.length === 0 && unplayed.length === 0 && results.length > 0;
  const row = rowOf('random schedules', results);
  if (json) {
    const failures = violated.map(({ seed, violations }) => ({ seed, violations: violations.map(asSentence) }));
    const reasons = unplayed.map(({ seed, reason }) => ({ seed, reason: redact(reason) }));
    write(`${JSON.stringify({ ok, interrupted, ...row, failures, unplayed: reasons })}\n`);
  } else {
    const left =
      unplayed.length === 0 ? '' : `Not played to the end, since the remote did not answer: ${unplayed.length}.\n`;
    write(`\n${tableOf([row])}${left}${interrupted ? 'Interrupted; the scratch branches are removed.\n' : ''}`);
  }
  return ok && !interrupted ? 0 : 1;
}
