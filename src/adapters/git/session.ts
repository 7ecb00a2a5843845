import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Socket } from 'node:net';
import { redact } from './names.ts';
import { PLUMBING_TIMEOUT, notRunnable } from './run.ts';
import type { GitPlace } from './run.ts';

/** Reads what a session answers, piece by piece; rejects with `SessionEnded` when the process has ended instead. */
export interface AnswerReader {
  /** Up to the next line break, without it. */
  line(): Promise<string>;
  bytes(count: number): Promise<Buffer>;
  /** Passes over so many bytes, and holds none of them. */
  skip(count: number): Promise<void>;
}

/** The process of a session ended before it had answered; `stderr` says why, without secrets. */
export class SessionEnded extends Error {
  readonly stderr: string;

  constructor(stderr: string) {
    super(`git ended: ${stderr.trim().slice(0, 600)}`);
    this.stderr = stderr;
  }
}

/** A plumbing command that stays and answers one request after the other, so that none pays for a new process. */
export interface Session {
  /** Writes `input` and reads its answer. Requests are answered in order. */
  exchange<Answer>(input: Uint8Array | string, read: (reader: AnswerReader) => Promise<Answer>): Promise<Answer>;
}

/** Milliseconds after which a process that nobody asks anything is let go. */
const IDLE = 30_000;

/**
 * The process is started with the first request and again after it has ended. An idle one keeps neither this process
 * alive nor outlives it: its input ends with ours. Where the place is closing, it is let go with the last answer.
 */
export function createSession(place: GitPlace, args: readonly string[]): Session {
  let running: Running | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let idle: NodeJS.Timeout | undefined;
  const { closing } = place;
  closing?.addEventListener('abort', () => {
    if (waiting === 0) letGo();
  });

  async function once<Answer>(
    input: Uint8Array | string,
    read: (reader: AnswerReader) => Promise<Answer>,
  ): Promise<Answer> {
    clearTimeout(idle);
    running ??= start(place, args, (ended) => {
      if (running === ended) running = undefined;
    });
    const { child, reader } = running;
    hold(child, true);
    const late = setTimeout(() => child.kill('SIGKILL'), PLUMBING_TIMEOUT);
    child.stdin.write(input);
    try {
      return await read(reader);
    } catch (error) {
      // What it may still say would be taken for the answer to the next request.
      running = undefined;
      child.kill('SIGKILL');
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  function rest(): void {
    waiting -= 1;
    if (waiting > 0 || running === undefined) return;
    const { child } = running;
    hold(child, false);
    if (closing?.aborted === true) return letGo();
    idle = setTimeout(letGo, IDLE);
    idle.unref();
  }

  function letGo(): void {
    clearTimeout(idle);
    running?.child.stdin.end();
    running = undefined;
  }

  return {
    exchange(input, read) {
      waiting += 1;
      const answer = last.then(() => once(input, read)).finally(rest);
      last = answer.catch(() => undefined);
      return answer;
    },
  };
}

interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly reader: AnswerReader;
}

function start(place: GitPlace, args: readonly string[], onEnd: (ended: Running) => void): Running {
  const child = spawn('git', [...args], { cwd: place.cwd, env: place.env, stdio: 'pipe' });
  const { reader, take, end } = createReader();
  const running: Running = { child, reader };
  let stderr = '';
  child.stdout.on('data', take);
  child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString('utf8')).slice(-4_000)));
  // A git that fails early closes its input; what it said tells why.
  child.stdin.on('error', () => undefined);
  child.on('error', (error) => {
    onEnd(running);
    end(notRunnable(error));
  });
  child.on('close', () => {
    onEnd(running);
    end(new SessionEnded(redact(stderr)));
  });
  return running;
}

/** Whether this process stays for the sake of the child; its pipes are handles of their own. */
function hold(child: ChildProcessWithoutNullStreams, held: boolean): void {
  // Pipes are sockets, which the types do not say.
  const handles = [child, child.stdin, child.stdout, child.stderr] as unknown as readonly Pick<
    Socket,
    'ref' | 'unref'
  >[];
  for (const handle of handles) {
    if (held) handle.ref();
    else handle.unref();
  }
}

function createReader(): { reader: AnswerReader; take: (chunk: Buffer) => void; end: (error: Error) => void } {
  let chunks: Buffer[] = [];
  let size = 0;
  let ended: Error | undefined;
  let more = Promise.withResolvers<void>();
  const wake = (): void => {
    more.resolve();
    more = Promise.withResolvers();
  };
  const joined = (): Buffer => {
    const whole = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
    chunks = [whole];
    return whole;
  };
  const cut = (count: number, skip = 0): Buffer => {
    const whole = joined();
    chunks = [whole.subarray(count + skip)];
    size -= count + skip;
    return whole.subarray(0, count);
  };
  const untilMore = async (): Promise<void> => {
    if (ended !== undefined) throw ended;
    await more.promise;
  };
  const reader: AnswerReader = {
    async line() {
      for (;;) {
        const end = size === 0 ? -1 : joined().indexOf(10);
        if (end >= 0) return cut(end, 1).toString('utf8');
        await untilMore();
      }
    },
    async bytes(count) {
      while (size < count) await untilMore();
      return count === 0 ? Buffer.alloc(0) : cut(count);
    },
    async skip(count) {
      for (let left = count; left > 0;) {
        if (size === 0) await untilMore();
        const passed = Math.min(size, left);
        if (passed > 0) cut(passed);
        left -= passed;
      }
    },
  };
  return {
    reader,
    take(chunk) {
      chunks.push(chunk);
      size += chunk.length;
      wake();
    },
    end(error) {
      ended = error;
      wake();
    },
  };
}
