import type { Author, CommitDraft, ObjectId } from '../../ports-git.ts';
import { FlowError } from '../../protocol/errors.ts';
import type { Objects } from './objects.ts';
import { buildTree } from './tree-builder.ts';

/** Writes blobs, the trees on the way to them, and a commit; as `Git.commit` without the note of an attempt. */
export async function writeCommit(objects: Objects, draft: CommitDraft): Promise<ObjectId> {
  const base = draft.tree ?? (await treeOf(objects, draft.parents[0]));
  const tree = await buildTree(objects, base, draft.edits);
  const commit = objects.identify('commit', commitText(draft, tree.root.id));
  await objects.write([...(base === tree.root.id ? [] : tree.objects), commit]);
  return commit.id;
}

async function treeOf(objects: Objects, commit: ObjectId | undefined): Promise<ObjectId | undefined> {
  if (commit === undefined) return undefined;
  const [node] = await objects.readCommits([commit]);
  if (node !== undefined) return node.tree;
  throw new FlowError('git-failed', `the commit ${commit.slice(0, 10)} is missing from the repository`, {
    remedy: 'run `git fsck` in the workspace',
  });
}

function commitText({ parents, author, at, message }: CommitDraft, tree: ObjectId): Buffer {
  const who = `${identOf(author)} ${at} +0000`;
  const lines = [`tree ${tree}`, ...parents.map((id) => `parent ${id}`), `author ${who}`, `committer ${who}`];
  return Buffer.from(`${lines.join('\n')}\n\n${message}`, 'utf8');
}

function identOf({ name, email }: Author): string {
  return `${ident(name) || 'baton'} <${ident(email)}>`;
}

/** Names in a commit header may hold neither brackets nor line breaks. */
// oxlint-disable-next-line no-control-regex -- control characters are what is taken out
const ident = (value: string): string => value.replace(/[<>\u0000-\u001f\u007f]/g, ' ').trim();
