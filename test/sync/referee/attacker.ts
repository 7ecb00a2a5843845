import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** What stands at a path of a tree: a text, another kind of entry, or nothing. */
export type Entry = string | { readonly mode: string; readonly text?: string; readonly id?: string } | null;
export type Files = Readonly<Record<string, Entry>>;

/** One line of a tree as git stores it; names are bytes, so that any can be written. */
export interface RawEntry {
  readonly mode: string;
  readonly name: string | Buffer;
  readonly id: string;
}

export interface CommitShape {
  readonly parents?: readonly string[];
  readonly message?: string;
  readonly author?: string;
  readonly date?: string;
}

const WHO = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a' };

/** Plain git on a clone of one's own, by plumbing: whatever git can store, this can make. */
export interface Attacker {
  git(...parameters: string[]): string;
  blob(content: string | Uint8Array): string;
  /** The tree of a commit or tree with these files changed, through an index. */
  tree(files: Files, from: string): string;
  /** A tree that is written as it is given, in this order and with these names. */
  raw(entries: readonly RawEntry[]): string;
  /** What a tree holds, in its order. */
  list(tree: string): readonly RawEntry[];
  /** The tree in which the directory at `path` holds what `change` makes of it, byte by byte. */
  reshape(tree: string, path: string, change: (entries: readonly RawEntry[]) => readonly RawEntry[]): string;
  commit(tree: string, shape?: CommitShape): string;
  /** Commits on `parent` with these files changed, one for each, by a single process. */
  commits(parent: string, all: readonly Files[]): readonly string[];
  /** A commit object with just these bytes. */
  rawCommit(text: string): string;
  push(...refspecs: string[]): void;
}

export function createAttacker(dir: string): Attacker {
  const run = (input: string | Uint8Array, parameters: readonly string[], env: NodeJS.ProcessEnv = {}): Buffer =>
    execFileSync('git', parameters, {
      cwd: dir,
      input,
      env: { ...process.env, ...WHO, GIT_INDEX_FILE: join(dir, 'rogue-index'), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
    });
  const ask = (input: string | Uint8Array, ...parameters: string[]): string =>
    run(input, parameters).toString('utf8').trim();

  const attacker: Attacker = {
    git: (...parameters) => ask('', ...parameters),
    blob: (content) => ask(content, 'hash-object', '-w', '--stdin'),
    tree(files, from) {
      ask('', 'read-tree', from);
      const lines = Object.entries(files).map(([path, entry]) => {
        if (entry === null) return `0 ${'0'.repeat(40)}\t${path}\0`;
        const { mode, text = '', id } = typeof entry === 'string' ? { mode: '100644', text: entry } : entry;
        return `${mode} ${id ?? attacker.blob(text)}\t${path}\0`;
      });
      // What goes makes room for what comes.
      lines.sort((a, b) => Number(b.startsWith('0 ')) - Number(a.startsWith('0 ')));
      ask(lines.join(''), 'update-index', '-z', '--index-info');
      return ask('', 'write-tree');
    },
    raw(entries) {
      const lines = entries.map(({ mode, name, id }) =>
        Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), Buffer.from(id, 'hex')]),
      );
      return ask(Buffer.concat(lines), 'hash-object', '-t', 'tree', '-w', '--literally', '--stdin');
    },
    list(tree) {
      const bytes = run('', ['cat-file', 'tree', tree]);
      const entries: RawEntry[] = [];
      for (let at = 0; at < bytes.length;) {
        const [space, end] = [bytes.indexOf(0x20, at), bytes.indexOf(0, at)];
        const id = bytes.subarray(end + 1, end + 21).toString('hex');
        entries.push({ mode: bytes.toString('latin1', at, space), name: bytes.subarray(space + 1, end), id });
        at = end + 21;
      }
      return entries;
    },
    reshape(tree, path, change) {
      const entries = attacker.list(tree);
      if (path === '') return attacker.raw(change(entries));
      const [first = '', ...rest] = path.split('/');
      const made = entries.map((entry) =>
        entry.name.toString() === first ? { ...entry, id: attacker.reshape(entry.id, rest.join('/'), change) } : entry,
      );
      return attacker.raw(made);
    },
    commit(tree, { parents = [], message = 'work', author, date } = {}) {
      const flags = parents.flatMap((parent) => ['-p', parent]);
      const env = {
        ...(author === undefined ? {} : { GIT_AUTHOR_NAME: author, GIT_COMMITTER_NAME: author }),
        ...(date === undefined ? {} : { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }),
      };
      return run(message, ['commit-tree', tree, ...flags], env)
        .toString('utf8')
        .trim();
    },
    commits(parent, all) {
      const lines = all.flatMap((files, index) => [
        `reset refs/rogue\ncommit refs/rogue\nmark :${index + 1}\ncommitter a <a> 0 +0000\ndata 5\nrogue\nfrom ${parent}\n`,
        ...Object.entries(files)
          .sort(([, a], [, b]) => Number(b === null) - Number(a === null))
          .map(([path, entry]) => fileCommand(path, entry)),
        `\nget-mark :${index + 1}\n`,
      ]);
      return ask(lines.join(''), 'fast-import', '--quiet', '--force', '--date-format=raw').split('\n');
    },
    rawCommit: (text) => ask(text, 'hash-object', '-t', 'commit', '-w', '--literally', '--stdin'),
    push(...refspecs) {
      if (refspecs.length > 0) ask('', 'push', '-q', '--force', 'origin', ...refspecs);
    },
  };
  return attacker;
}

function fileCommand(path: string, entry: Entry): string {
  const quoted = `"${path.replace(/["\\\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))}"`;
  if (entry === null) return `D ${quoted}\n`;
  const { mode, text = '', id } = typeof entry === 'string' ? { mode: '100644', text: entry } : entry;
  if (id !== undefined) return `M ${mode} ${id} ${quoted}\n`;
  return `M ${mode} inline ${quoted}\ndata ${Buffer.byteLength(text)}\n${text}\n`;
}
