import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../ports.ts';
import { FlowError } from '../protocol/errors.ts';
import { writeWhole } from './atomic.ts';
import { TEMP_PREFIX, errorCode } from './safe-path.ts';

/** Who holds a workspace. `token` differs for every attempt, so that nobody removes what another has just written. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, as the system counts; tells a reused pid apart. Absent where the system does not say. */
  readonly started?: string;
  readonly since: string;
  /** Where the holder listens for other processes. */
  readonly socket?: string;
  readonly token: string;
}

export interface LockOptions {
  /** Now, UTC. */
  readonly since: string;
  readonly socket?: string;
  readonly log?: Pick<Log, 'warn'>;
}

export interface HeldLock {
  readonly path: string;
  /** Gives the workspace up. Repeatable. */
  release(): void;
}

const LOCK = 'node.lock';
/** Held for the moment in which a stale lock is removed, so that only one starter does it. */
const TAKEOVER = 'node.lock.takeover';
/** Every turn is lost to another starter that got on; so many mean that something else is wrong. */
const MAX_ATTEMPTS = 100;

let attempts = 0;

/**
 * Makes this process the one node of a workspace. `directory` is the workspace's `.baton`. A lock whose process is
 * gone is taken over. Throws `locked` while another process lives that holds it.
 */
export function acquireLock(directory: string, options: LockOptions): HeldLock {
  // Room logs, the outbox and the socket are nobody else's business.
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, LOCK);
  const own = describeSelf(options);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    if (create(directory, path, own)) return { path, release: () => removeOwn(path, own) };
    const holder = readHolder(path);
    if (holder === undefined) continue;
    if (isAlive(holder)) throw lockedBy(holder);
    takeOver(directory, path, own, options);
  }
  throw new FlowError('locked', 'the workspace could not be locked: other processes keep taking it', {
    remedy: 'wait until they are done, then try again',
  });
}

function describeSelf({ since, socket }: LockOptions): LockHolder {
  const started = startOf(process.pid);
  attempts += 1;
  return {
    pid: process.pid,
    host: hostname(),
    ...(started === undefined ? {} : { started }),
    since,
    ...(socket === undefined ? {} : { socket }),
    token: `${process.pid}-${started ?? since}-${attempts}`,
  };
}

/** Makes `path` with its whole content in one step; false when it is there already. */
function create(directory: string, path: string, holder: LockHolder): boolean {
  const temp = join(directory, `${TEMP_PREFIX}lock-${holder.token.replaceAll(/[^\w-]/g, '-')}`);
  const descriptor = openSync(temp, 'w', 0o600);
  try {
    writeWhole(descriptor, Buffer.from(`${JSON.stringify(holder, undefined, 2)}\n`));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  try {
    linkSync(temp, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(temp);
  }
}

/**
 * Removes a stale lock. A lock's name is only ever given up by its holder or by whoever holds the takeover guard, so
 * what is found stale under the guard is still the same file when it is removed.
 */
function takeOver(directory: string, path: string, own: LockHolder, { log }: LockOptions): void {
  const guard = join(directory, TAKEOVER);
  if (!create(directory, guard, own)) {
    const other = readHolder(guard);
    if (other === undefined) return;
    if (isAlive(other)) throw lockedBy(other);
    breakGuard(guard, other, own);
    return;
  }
  try {
    const holder = readHolder(path);
    if (holder === undefined || isAlive(holder)) return;
    unlinkSync(path);
    log?.warn({ pid: holder.pid, since: holder.since }, 'took over the lock of a node that is gone');
  } finally {
    removeOwn(guard, own);
  }
}

/** A starter died in the middle of a takeover. Whoever moves its guard away looks whether it was that one. */
function breakGuard(guard: string, stale: LockHolder, own: LockHolder): void {
  const aside = `${guard}-${own.token.replaceAll(/[^\w-]/g, '-')}`;
  try {
    renameSync(guard, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  try {
    if (readHolder(aside)?.token !== stale.token) linkSync(aside, guard);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    unlinkSync(aside);
  }
}

function removeOwn(path: string, own: LockHolder): void {
  if (readHolder(path)?.token === own.token) unlinkSync(path);
}

/** A lock that cannot be read as one names no process, so nobody who lives holds it. */
const NOBODY: LockHolder = { pid: 0, host: hostname(), since: 'an unknown time', token: '' };

function readHolder(path: string): LockHolder | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const value = JSON.parse(text) as Partial<LockHolder> | null;
    const { pid, host, since, token } = value ?? {};
    if (typeof pid !== 'number' || typeof host !== 'string' || typeof since !== 'string') return NOBODY;
    return { ...value, pid, host, since, token: typeof token === 'string' ? token : '' };
  } catch {
    return NOBODY;
  }
}

/** On another machine it cannot be told, so its holder is taken to live. */
function isAlive(holder: LockHolder): boolean {
  if (holder.host !== hostname()) return true;
  if (!Number.isSafeInteger(holder.pid) || holder.pid <= 0) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
  const started = startOf(holder.pid);
  return holder.started === undefined || started === undefined || holder.started === started;
}

/** Boot and start time of a process, from `/proc` where there is one. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    // The second field is the program's name in parentheses and may hold spaces; the 3rd is the state, the 22nd the start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields[19];
    // Killed, and only waiting for its parent to take notice.
    if (fields[0] === 'Z' || fields[0] === 'X') return 'ended';
    return ticks === undefined ? undefined : `${boot}:${ticks}`;
  } catch {
    return undefined;
  }
}

function lockedBy({ pid, host, since, socket }: LockHolder): FlowError {
  const here = host === hostname();
  return new FlowError('locked', `process ${pid}${here ? '' : ` on ${host}`} has held this workspace since ${since}`, {
    remedy: here
      ? `wait for it, or stop it with: kill ${pid}`
      : `stop the node on ${host}; if none runs there any more, remove .baton/${LOCK}`,
    data: { pid, host, since, ...(socket === undefined ? {} : { socket }) },
  });
}
