import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock, Heartbeats, Log, WorkTree } from '../ports.ts';
import { taskPaths } from '../protocol/paths.ts';
import type { TaskMeta } from '../protocol/records/types.ts';
import { isTime, parseTime } from '../protocol/timestamps.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { afterBeat, betweenBeats } from '../rules/lateness/beats.ts';
import type { Beats, Sight } from '../rules/lateness/beats.ts';
import { replaceFile } from '../workspace/atomic.ts';

const FILE = 'beats.json';

const STORED = z.object({
  schema: z.literal(1),
  at: z.string().refine(isTime),
  tasks: z.record(
    z.string(),
    z.object({
      context: z.string(),
      count: z.int().min(0),
      progress: z.number().exactOptional(),
      gained: z.number().exactOptional(),
    }),
  ),
});

/** Of larger files only the size is looked at. */
const READ_BYTES = 64 * 1024;

interface Known {
  readonly at: string;
  readonly beats: Beats;
}

/**
 * `.baton/beats.json` (features.md §2.2): how often in a row work in progress was found unchanged. The file may go at any
 * time: counting begins anew, and what was raised stands in the records. Nobody is probed: what counts is what Workers
 * have committed, acknowledged and reported. `dir` is the workspace's `.baton`.
 */
export function openHeartbeats(
  dir: string,
  { workTree, clock, log }: { readonly workTree: WorkTree; readonly clock: Clock; readonly log: Pick<Log, 'warn'> },
): Heartbeats {
  const file = join(dir, FILE);

  const seen = (): Beats => betweenBeats(load(file)?.beats ?? new Map(), sights(workTree));

  return {
    beat() {
      if (!workTree.view().team.policies.heartbeats) return seen();
      const beats = afterBeat(load(file)?.beats ?? new Map(), sights(workTree));
      try {
        save(file, { at: clock.now(), beats });
      } catch (error) {
        // A disk that is full must not keep anybody from being told what is late.
        log.warn({ reason: String(error) }, 'a heartbeat could not be kept');
      }
      return beats;
    },
    seen,
    lastAt() {
      const known = load(file);
      return known === undefined ? undefined : parseTime(known.at);
    },
  };
}

/** `undefined` for a file that is not there, or not as it was written. */
function load(file: string): Known | undefined {
  try {
    const { at, tasks } = STORED.parse(JSON.parse(readFileSync(file, 'utf8')));
    return { at, beats: new Map(Object.entries(tasks)) };
  } catch {
    return undefined;
  }
}

function save(file: string, { at, beats }: Known): void {
  const stored = { schema: 1, at, tasks: Object.fromEntries(beats) };
  replaceFile(file, Buffer.from(`${JSON.stringify(stored, undefined, 2)}\n`));
}

/** How all tasks in progress look, by id. The same files give the same fingerprints in every clone. */
function sights(workTree: WorkTree): ReadonlyMap<string, Sight> {
  return new Map(
    inProgress(workTree.view()).map((meta) => [
      meta.task_id,
      { context: contextOf(workTree, meta), progress: meta.progress ?? 0 },
    ]),
  );
}

function inProgress(view: WorkspaceView): readonly TaskMeta[] {
  return view.projectIds().flatMap((id) => {
    const entry = view.project(id);
    if (entry?.meta?.status !== 'active') return [];
    return entry.plan.nodes.flatMap((node) => {
      const meta = node.status === 'delegated' ? view.task(node.id)?.meta : undefined;
      return meta?.status === 'in_progress' && meta.project_id === id ? [meta] : [];
    });
  });
}

/** Of the record only what somebody did is counted: that it was found late is no progress. */
function contextOf(workTree: WorkTree, meta: TaskMeta): string {
  const { dir, meta: record } = taskPaths(meta.task_id);
  const hash = createHash('sha256');
  const last = meta.history?.at(-1);
  hash.update(JSON.stringify([meta.progress ?? 0, meta.acknowledged_at, last?.ts, last?.note, meta.attention ?? []]));
  for (const path of workTree.files(dir).paths) {
    if (path === record) continue;
    const { size = 0 } = workTree.tail(path, Number.MAX_SAFE_INTEGER) ?? {};
    hash.update(`\n${path} ${size} `);
    if (size <= READ_BYTES) hash.update(workTree.bytes(path) ?? '');
  }
  return hash.digest('hex').slice(0, 16);
}
