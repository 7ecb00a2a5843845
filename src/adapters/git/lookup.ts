import { FlowError } from '../../protocol/errors.ts';
import type { ObjectId } from '../../ports-git.ts';
import type { GitPlace } from './run.ts';
import { SessionEnded, createSession } from './session.ts';
import type { AnswerReader } from './session.ts';

export interface Found {
  readonly id: ObjectId;
  readonly kind: string;
  readonly size: number;
  readonly content: Uint8Array;
}

/** Looks objects up by name, many at once, without a process for each question. */
export interface ObjectLookup {
  /**
   * Names must not hold line breaks; those that do are answered as absent. Of a commit larger than `LARGEST_COMMIT` only the
   * beginning is answered. Throws `git-failed` for a tree that nobody makes so large.
   */
  read(names: readonly string[]): Promise<readonly (Found | undefined)[]>;
  /** Like `read` without the contents. */
  stat(names: readonly string[]): Promise<readonly (Found | undefined)[]>;
}

export function createLookup(place: GitPlace): ObjectLookup {
  const session = createSession(place, ['cat-file', '--batch-command', '--buffer']);
  const ask = async (names: readonly string[], command: 'contents' | 'info') => {
    const asked = names.map((name) => !/[\n\0]/.test(name));
    const lines = names.filter((_, index) => asked[index]).map((name) => `${command} ${name}\n`);
    if (lines.length === 0) return names.map(() => undefined);
    const input = `${lines.join('')}flush\n`;
    const read = async (reader: AnswerReader): Promise<readonly (Found | undefined)[]> => {
      const found: (Found | undefined)[] = [];
      for (const known of asked) found.push(known ? await readFound(reader, command === 'contents') : undefined);
      const large = found.find((object) => object?.kind === 'tree' && object.size > mostOf('tree'));
      // Once everything was answered, so that the session goes on.
      if (command === 'contents' && large !== undefined) throw new TooLarge(large);
      return found;
    };
    try {
      return await session.exchange(input, read);
    } catch (error) {
      // Whatever ended the process did not end git as such; a second time it is told.
      if (error instanceof SessionEnded) return await session.exchange(input, read).catch(refuse);
      throw error;
    }
  };
  return { read: (names) => ask(names, 'contents'), stat: (names) => ask(names, 'info') };
}

async function readFound(reader: AnswerReader, contents: boolean): Promise<Found | undefined> {
  const line = /^([0-9a-f]{40,64}) (blob|tree|commit|tag) (\d+)$/.exec(await reader.line());
  const [, id = '', kind = '', sized = ''] = line ?? [];
  if (id === '') return undefined;
  const size = Number(sized);
  if (!contents) return { id, kind, size, content: new Uint8Array() };
  if (size > mostOf(kind)) {
    // What a commit begins with is all that a walk needs of it.
    const head = kind === 'commit' ? await reader.bytes(COMMIT_HEAD) : new Uint8Array();
    await reader.skip(size - head.length + 1);
    return { id, kind, size, content: head };
  }
  const content = await reader.bytes(size);
  await reader.bytes(1);
  return { id, kind, size, content };
}

/**
 * Bytes up to which a commit is one that Baton takes from others, and up to which a directory is read: several hundred thousand names. One push
 * of some hundred kilobytes can hold a thousand times as much, which every walk through the history would read again.
 */
export const LARGEST_COMMIT = 4 * 2 ** 20;
const LARGEST_TREE = 32 * 2 ** 20;

/** So much is read of a larger commit: its tree, its parents and its date. */
const COMMIT_HEAD = 64 * 1024;

function mostOf(kind: string): number {
  if (kind === 'commit') return LARGEST_COMMIT;
  return kind === 'tree' ? LARGEST_TREE : Number.POSITIVE_INFINITY;
}

/** A directory that nobody makes so large; git itself takes it. */
export class TooLarge extends FlowError {
  constructor({ id, size }: Found) {
    super('git-failed', `the tree ${id.slice(0, 10)} has ${size} bytes, and at most ${LARGEST_TREE} are read`, {
      remedy: 'take it out of the history of the branch that holds it',
    });
  }
}

function refuse(error: unknown): never {
  if (!(error instanceof SessionEnded)) throw error;
  throw new FlowError('git-failed', `git cat-file failed: ${error.stderr.trim().slice(0, 600)}`, {
    remedy: 'run `git fsck` in the workspace',
    cause: error,
  });
}
