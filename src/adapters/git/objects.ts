import { FlowError } from '../../protocol/errors.ts';
import type {
  CommitDraft,
  MergeConflict,
  MergedTree,
  ObjectId,
  TreeChange,
  TreeEdit,
  TreeEntry,
  TreeFile,
} from '../../ports-git.ts';
import { plumb } from './run.ts';
import type { GitPlace } from './run.ts';
import { SessionEnded, createSession } from './session.ts';
import type { AnswerReader } from './session.ts';

/** Refs of the private repository: they keep what was written reachable, and say what was about to be published. */
const SCRATCH_REF = 'refs/baton/scratch';
export const ATTEMPT_REF = 'refs/baton/attempt';

interface Found {
  readonly id: ObjectId;
  readonly size: number;
  readonly content: Uint8Array;
}

/** Looks objects up by name, many at once, without a process for each question. */
export interface ObjectLookup {
  /** Names must not hold line breaks; those that do are answered as absent. */
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
  const [, id = '', sized = ''] = /^([0-9a-f]{40,64}) (?:blob|tree|commit|tag) (\d+)$/.exec(await reader.line()) ?? [];
  if (id === '') return undefined;
  const size = Number(sized);
  if (!contents) return { id, size, content: new Uint8Array() };
  const content = await reader.bytes(size);
  await reader.bytes(1);
  return { id, size, content };
}

function refuse(error: unknown): never {
  if (!(error instanceof SessionEnded)) throw error;
  throw new FlowError('git-failed', `git cat-file failed: ${error.stderr.trim().slice(0, 600)}`, {
    remedy: 'run `git fsck` in the workspace',
    cause: error,
  });
}

export async function listTree(
  place: GitPlace,
  tree: ObjectId,
  path: string | undefined,
): Promise<readonly TreeEntry[]> {
  const below = path === undefined ? [] : ['--', path.replace(/\/$/, '')];
  const { stdout } = await plumb(place, ['ls-tree', '-r', '-z', '--full-tree', tree, ...below]);
  return fields(stdout).flatMap((line) => {
    const match = /^(\d{6}) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line);
    return match === null ? [] : [{ mode: match[1] ?? '', id: match[2] ?? '', path: match[3] ?? '' }];
  });
}

export async function diffTrees(
  place: GitPlace,
  before: ObjectId,
  after: ObjectId,
  limits: { readonly within?: number } = {},
): Promise<readonly TreeChange[]> {
  if (before === after) return [];
  const { stdout } = await plumb(place, ['diff-tree', '-r', '-z', '--raw', '--no-renames', before, after], limits);
  const parts = fields(stdout);
  const changes: TreeChange[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const match = /^:(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) /.exec(parts[index] ?? '');
    if (match === null) throw new FlowError('internal', 'git diff-tree answered in an unknown form');
    changes.push({
      path: parts[index + 1] ?? '',
      before: fileOf(match[1], match[3]),
      after: fileOf(match[2], match[4]),
    });
  }
  return changes;
}

function fileOf(mode: string | undefined, id: string | undefined): TreeFile | undefined {
  return mode === undefined || id === undefined || mode === '000000' ? undefined : { mode, id };
}

const fields = (output: Buffer): string[] => output.toString('utf8').split('\0').slice(0, -1);

/** One `git fast-import`: blobs, trees and commit, reading only the directories that the edits touch. */
export async function writeCommit(place: GitPlace, draft: CommitDraft): Promise<ObjectId> {
  const [id] = await fastImport(place, draft.attempt === true ? ATTEMPT_REF : SCRATCH_REF, [draft]);
  return id;
}

async function fastImport(
  place: GitPlace,
  ref: string,
  drafts: readonly [CommitDraft, ...CommitDraft[]],
): Promise<[ObjectId, ...ObjectId[]]> {
  const input: Uint8Array[] = [];
  drafts.forEach((draft, index) => {
    input.push(...commitCommand(ref, draft, index + 1));
  });
  input.push(text('done\n'));
  const { stdout } = await plumb(place, ['fast-import', '--quiet', '--force', '--done', '--date-format=raw'], {
    input: Buffer.concat(input),
  });
  const [first, ...rest] = stdout.toString('utf8').trim().split('\n');
  if (first === undefined || !/^[0-9a-f]{40,64}$/.test(first))
    throw new FlowError('internal', 'git fast-import named no commit');
  return [first, ...rest];
}

function commitCommand(ref: string, draft: CommitDraft, mark: number): Uint8Array[] {
  const { name, email } = draft.author;
  const who = `${ident(name) || 'baton'} <${ident(email)}> ${draft.at} +0000`;
  const [first, ...others] = draft.parents;
  const parts = [
    ...(first === undefined ? [text(`reset ${ref}\n`)] : []),
    text(`commit ${ref}\nmark :${mark}\nauthor ${who}\ncommitter ${who}\n`),
    ...data(text(draft.message)),
    ...(first === undefined ? [] : [text(`from ${first}\n`)]),
    ...others.map((parent) => text(`merge ${parent}\n`)),
    ...(draft.tree === undefined ? [] : [text(`M 040000 ${draft.tree} \n`)]),
  ];
  // Removals first, so that a file may take the place of a directory and the other way round.
  for (const edit of draft.edits) if (edit.kind === 'remove') parts.push(text(`D ${quote(edit.path)}\n`));
  for (const edit of draft.edits) parts.push(...editCommand(edit));
  parts.push(text(`\nget-mark :${mark}\n`));
  return parts;
}

function editCommand(edit: TreeEdit): Uint8Array[] {
  if (edit.kind === 'remove') return [];
  if (edit.kind === 'entry') return [text(`M ${edit.mode} ${edit.id} ${quote(edit.path)}\n`)];
  return [text(`M ${edit.mode} inline ${quote(edit.path)}\n`), ...data(edit.content)];
}

const text = (value: string): Uint8Array => Buffer.from(value, 'utf8');

const data = (content: Uint8Array): Uint8Array[] => [text(`data ${content.length}\n`), content, text('\n')];

/** Names in a commit header may hold neither brackets nor line breaks. */
// oxlint-disable-next-line no-control-regex -- control characters are what is taken out
const ident = (value: string): string => value.replace(/[<>\u0000-\u001f\u007f]/g, ' ').trim();

/** Paths are always quoted in C style, so that none can be read as part of the command. */
function quote(path: string): string {
  const escaped = path.replace(/["\\\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));
  return `"${escaped}"`;
}

/**
 * `git merge-tree --write-tree`. A given base tree is put under both sides as a commit of its own, since git before
 * 2.40 takes no base: that is how lanes without their refused part are merged (architecture.md, "Lanes").
 */
export async function mergeTrees(
  place: GitPlace,
  lookup: ObjectLookup,
  ours: ObjectId,
  theirs: ObjectId,
  base?: ObjectId,
): Promise<MergedTree> {
  const [left, right] = base === undefined ? [ours, theirs] : await onBase(place, lookup, base, ours, theirs);
  const { stdout } = await plumb(place, ['merge-tree', '--write-tree', '-z', '--no-messages', left, right], {
    codes: [0, 1],
  });
  const [tree, ...lines] = fields(stdout);
  if (tree === undefined) throw new FlowError('internal', 'git merge-tree named no tree');
  const stages = new Map<string, (TreeFile | undefined)[]>();
  for (const line of lines) {
    const match = /^(\d{6}) ([0-9a-f]+) ([123])\t(.*)$/s.exec(line);
    if (match === null) continue;
    const path = match[4] ?? '';
    const found = stages.get(path) ?? [undefined, undefined, undefined];
    found[Number(match[3]) - 1] = { mode: match[1] ?? '', id: match[2] ?? '' };
    stages.set(path, found);
  }
  return { tree, conflicts: [...stages].map(([path, found]) => conflictOf(path, found, [left, right])) };
}

/** A file that met a directory of its name stands beside it as `<name>~<side>`. */
function conflictOf(path: string, found: readonly (TreeFile | undefined)[], labels: readonly string[]): MergeConflict {
  const [base, ours, theirs] = found;
  const label = labels.find((side) => new RegExp(`~${side}(_\\d+)?$`).test(path));
  const at = label === undefined ? path : path.slice(0, path.lastIndexOf(`~${label}`));
  return { path: at, base, ours, theirs, displacedTo: label === undefined ? undefined : path };
}

async function onBase(
  place: GitPlace,
  lookup: ObjectLookup,
  base: ObjectId,
  ours: ObjectId,
  theirs: ObjectId,
): Promise<[ObjectId, ObjectId]> {
  const [found, left, right] = await lookup.stat([`${base}^{tree}`, `${ours}^{tree}`, `${theirs}^{tree}`]);
  if (found === undefined || left === undefined || right === undefined) {
    throw new FlowError('git-failed', 'a commit to be merged is missing from the repository', {
      remedy: 'run `git fsck` in the workspace',
    });
  }
  const draft = { edits: [], message: 'merge base\n', author: { name: 'baton', email: 'baton' }, at: 0 };
  const root = await writeCommit(place, { ...draft, parents: [], tree: found.id });
  const [a, b = ''] = await fastImport(place, SCRATCH_REF, [
    { ...draft, parents: [root], tree: left.id },
    { ...draft, parents: [root], tree: right.id },
  ]);
  return [a, b];
}
