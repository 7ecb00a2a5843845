import { spawn } from 'node:child_process';
import { GitPluginError, simpleGit } from 'simple-git';
import { FlowError } from '../../protocol/errors.ts';
import { redact } from './names.ts';

/** Where a git call works, and with what environment. */
export interface GitPlace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Aborted once nobody will ask here again: processes that wait for the next question end. */
  readonly closing?: AbortSignal;
}

export interface GitResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface PlumbingOptions {
  readonly input?: Uint8Array | string;
  /** Exit codes that are answers and not failures. */
  readonly codes?: readonly number[];
  /** Milliseconds before git is ended. */
  readonly within?: number;
}

/** Milliseconds before a plumbing command counts as stuck. */
export const PLUMBING_TIMEOUT = 120_000;

/** Runs one plumbing command on bytes. Throws `git-failed` with git's own words, without secrets. */
export async function plumb(
  place: GitPlace,
  args: readonly string[],
  options: PlumbingOptions = {},
): Promise<GitResult> {
  const result = await start(place, args, options);
  if (!(options.codes ?? [0]).includes(result.code)) throw failure(args, result);
  return result;
}

/** The output of a plumbing command as trimmed text. */
export async function ask(place: GitPlace, args: readonly string[], options: PlumbingOptions = {}): Promise<string> {
  return (await plumb(place, args, options)).stdout.toString('utf8').trimEnd();
}

/** The parts of an output that `-z` ends with NUL. */
export const fields = (output: Buffer): string[] => output.toString('utf8').split('\0').slice(0, -1);

function start(
  place: GitPlace,
  args: readonly string[],
  { input, within = PLUMBING_TIMEOUT }: PlumbingOptions,
): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...args], {
      cwd: place.cwd,
      env: place.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: within,
      killSignal: 'SIGKILL',
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // A git that fails early closes its input; its exit code tells why.
    child.stdin.on('error', () => {});
    child.on('error', (error) => reject(notRunnable(error)));
    child.on('close', (code, signal) => {
      const text = Buffer.concat(stderr).toString('utf8');
      resolve({
        code: code ?? 255,
        stdout: Buffer.concat(stdout),
        stderr: signal === null ? text : `${text}ended by ${signal}`,
      });
    });
    child.stdin.end(input ?? '');
  });
}

function failure(args: readonly string[], { code, stderr }: GitResult): FlowError {
  const words = redact(stderr).trim().slice(0, 600);
  return new FlowError('git-failed', `git ${args[0] ?? ''} failed with exit code ${code}: ${words}`, {
    remedy: 'run `baton doctor`; if git itself reports damage, run `git fsck` in the workspace',
  });
}

/** Git is missing, or may not be run. */
export function notRunnable(cause: Error): FlowError {
  return new FlowError('git-failed', `git could not be started: ${cause.message}`, {
    cause,
    remedy: 'install git 2.38 or newer and make sure that it is on the PATH',
  });
}

export interface OrdinaryOptions {
  /** Milliseconds without any output before git is ended. */
  readonly quiet?: number;
  /** Milliseconds before git is ended whatever it does. */
  readonly total?: number;
}

/** Every category that the library would refuse although it is we who set it, in `environment.ts`. */
const OUR_OWN_SETTINGS = {
  allowUnsafeAskPass: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeCredentialHelper: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeGitProxy: true,
  allowUnsafeHooksPath: true,
  allowUnsafePack: true,
  allowUnsafePager: true,
  allowUnsafeProtocolOverride: true,
  allowUnsafeSshCommand: true,
  allowUnsafeTemplateDir: true,
  allowUnsafeSubmodule: true,
  allowUnsafeUrlRewrite: true,
} as const;

/** Runs an ordinary command (fetch, push, init, clone, …) with bounded time. The exit code is part of the answer. */
export async function ordinary(
  place: GitPlace,
  args: readonly string[],
  options: OrdinaryOptions = {},
): Promise<GitResult & { readonly timedOut: boolean }> {
  const limit = AbortSignal.timeout(options.total ?? 120_000);
  let result: GitResult = { code: 255, stdout: Buffer.alloc(0), stderr: '' };
  const git = simpleGit({
    baseDir: place.cwd,
    abort: limit,
    timeout: { block: options.quiet ?? 60_000 },
    allowEnvironment: Object.keys(place.env),
    unsafe: OUR_OWN_SETTINGS,
    errors(error, { exitCode, stdOut, stdErr }) {
      result = {
        code: exitCode,
        stdout: Buffer.concat(stdOut),
        stderr: redact(Buffer.concat(stdErr).toString('utf8')),
      };
      return error instanceof GitPluginError || result.stderr === '' ? error : undefined;
    },
  }).env({ ...place.env });
  try {
    await git.raw([...args]);
    return { ...result, timedOut: false };
  } catch (error) {
    if (error instanceof GitPluginError && (error.plugin === 'timeout' || error.plugin === 'abort')) {
      return { ...result, code: 255, timedOut: true };
    }
    throw notRunnable(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Like `ordinary`, for commands whose failure nobody can go on from. */
export async function demand(place: GitPlace, args: readonly string[], options: OrdinaryOptions = {}): Promise<string> {
  const result = await ordinary(place, args, options);
  if (result.code !== 0) throw failure(args, result);
  return result.stdout.toString('utf8').trimEnd();
}
