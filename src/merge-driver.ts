import type { DriverCall, WiringState } from './app-types.ts';
import { isRebasing, readSides, textIn, writeMerged } from './adapters/git/driver-files.ts';
import { mergeAsCommits, withMarkers } from './adapters/git/merge-text.ts';
import type { Sides } from './adapters/git/merge-text.ts';
import { hasLane } from './protocol/roles.ts';

/**
 * Merges one file for a person's own git as Baton's own merges do it (architecture.md, "Resolution"): as text, and by
 * the rules where that fails. It asks no node and takes no lock. Resolves with false when no rule decides; the file
 * then has conflict markers, as git leaves them.
 */
export async function driveMerge(call: DriverCall): Promise<boolean> {
  const sides = readSides(call);
  try {
    const merged = (await mergeAsCommits(sides, call.env)) ?? (await byRules(call, sides));
    if (merged !== undefined) writeMerged(call, merged);
    return merged !== undefined;
  } catch (error) {
    // Without markers the person would take the one side, which stands there still, for the merge.
    await mark(call, sides);
    throw error;
  }
}

async function mark(call: DriverCall, sides: Sides): Promise<void> {
  const marked = await withMarkers(sides, call);
  if (marked !== undefined) writeMerged(call, marked);
}

/** `undefined` when a person has to decide; loaded only then, since most merges end as text. */
async function byRules(call: DriverCall, sides: Sides): Promise<Uint8Array | undefined> {
  const { resolveForPerson, standingOf, textsInConflict } = await import('./sync/driver.ts');
  const { parseTaskMeta } = await import('./protocol/records/task.ts');
  const standing = standingOf(await circumstances(call));
  const [local, remote] = standing.local === 'ours' ? [sides.ours, sides.theirs] : [sides.theirs, sides.ours];
  const file = {
    path: call.path,
    base: sides.base,
    local,
    remote,
    assigneeOf: (taskId: string): string | undefined => {
      const text = textIn(call.cwd, `shared/tasks/${taskId}/meta.json`);
      return text === undefined ? undefined : parseTaskMeta(text, taskId).meta?.assigned_to;
    },
  };
  const outcome = resolveForPerson(file, standing);
  if (outcome.kind === 'take') return outcome.side === 'local' ? local : remote;
  if (outcome.kind === 'text') return Buffer.from(outcome.text, 'utf8');
  if (call.ancestors) return outcome.text === undefined ? remote : Buffer.from(outcome.text, 'utf8');
  const texts = textsInConflict(file, standing);
  await mark(call, texts === undefined ? sides : shownBetween(texts, standing.local));
  return undefined;
}

function shownBetween({ local, remote }: { local: string; remote: string }, ours: 'ours' | 'theirs'): Sides {
  const [first, second] = ours === 'ours' ? [local, remote] : [remote, local];
  return { base: new Uint8Array(), ours: Buffer.from(first), theirs: Buffer.from(second) };
}

/** Who merges what. A work tree without a readable `baton.json` is nobody's, and nobody's side comes first there. */
async function circumstances({ cwd, env, labels, ancestors }: DriverCall) {
  const { loadConfig } = await import('./config.ts');
  const named = Object.entries(env).flatMap(([name, value = '']) => (/^GITHEAD_[0-9a-f]+$/.test(name) ? [value] : []));
  const general = { theirs: [...named, labels.theirs], rebasing: isRebasing(cwd, env), ancestors };
  try {
    const { identity, git } = loadConfig(cwd, env);
    const isWorker = hasLane(identity.role);
    return { ...general, lanePrefix: git.lanePrefix, ...(isWorker ? { worker: identity.localpart } : {}) };
  } catch {
    // What is wrong with it `baton doctor` says; a merge goes on without.
    return { ...general, lanePrefix: 'lanes/' };
  }
}

/** Whether a person's git is set to merge in this clone by this program (`baton doctor`). */
export async function examineMerging(root: string, env: NodeJS.ProcessEnv): Promise<WiringState> {
  const { createMergeFacts } = await import('./adapters/git/merge-facts.ts');
  const { examineWiring } = await import('./services/merge-wiring.ts');
  return examineWiring(createMergeFacts(root, env));
}
