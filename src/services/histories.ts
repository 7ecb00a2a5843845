import { createHash } from 'node:crypto';
import type { Histories, Recorded, Sync, WorkTree } from '../ports.ts';
import type { Durability } from '../protocol/changes.ts';
import type { Git, ObjectId } from '../ports-git.ts';
import { byLog } from '../protocol/event-logs.ts';
import { isAbout } from '../protocol/happening.ts';
import { classifyPath, laneOf } from '../protocol/paths.ts';
import { parseEventLines } from '../protocol/records/event.ts';
import type { EventRecord } from '../protocol/records/types.ts';
import { eventLogs } from '../workspace/event-log.ts';
import { firstCommit } from './first-commit.ts';

export interface HistoriesDependencies {
  readonly workTree: WorkTree;
  readonly git: Pick<Git, 'resolve' | 'sizes' | 'read' | 'stand' | 'isAncestor' | 'idLength' | 'noted'>;
  readonly sync: Pick<Sync, 'status'>;
  /** The published branch. */
  readonly branch: string;
  readonly lanePrefix: string;
  readonly isTeam: boolean;
}

interface Line {
  readonly event: EventRecord;
  /** The bytes of its line, with the line end where it has one. */
  readonly bytes: Buffer;
}

/**
 * Reads histories out of the event logs, the newest month first and no more months than are wanted. The commit of an
 * event is the first one in which its log reaches as far as the event's line, which is found by sizes alone.
 */
export function createHistories({ workTree, git, sync, branch, lanePrefix, isTeam }: HistoriesDependencies): Histories {
  return {
    async of(id, most) {
      const found: (Line & { readonly log: string })[] = [];
      const months = Map.groupBy(eventLogs(workTree.view()), monthOf);
      const unread = [...months].toReversed();
      for (let month = unread.shift(); month !== undefined && found.length <= most; month = unread.shift()) {
        const logs = byLog(month[1]).map((parts) =>
          parts.flatMap((log) => linesAbout(workTree, log, id).map((line) => ({ ...line, log }))),
        );
        found.unshift(...interleaved(logs));
      }
      const wanted = found.slice(-most);
      const places = await placesOf(wanted);
      return {
        events: wanted.map((line) => ({ event: line.event, ...(places.get(line) ?? NOWHERE) })),
        more: wanted.length < found.length || unread.length > 0,
      };
    },
  };

  async function placesOf(lines: readonly (Line & { readonly log: string })[]): Promise<ReadonlyMap<Line, Place>> {
    const own = `refs/heads/${(await sync.status()).branch}`;
    await git.noted();
    const places = new Map<Line, Place>();
    for (const [log, among] of Map.groupBy(lines, (line) => line.log)) {
      const { ids } = await git.stand([own, ...(isTeam ? remotesOf(log) : [])]);
      const [tip, ...remotes] = ids;
      if (tip === undefined) continue;
      const known = remotes.filter((id) => id !== undefined);
      for (const [line, place] of await placesIn(tip, known, log, among)) places.set(line, place);
    }
    return places;
  }

  /** What is published, and where the log's writer pushes to. */
  function remotesOf(log: string): readonly string[] {
    const at = classifyPath(log);
    const branches = at.kind === 'events' ? [branch, laneOf(lanePrefix, at.writer)] : [branch];
    return branches.map((name) => `refs/remotes/origin/${name}`);
  }

  /** The newest line first: what is older came no later, so the next search begins where the last one ended. */
  async function placesIn(
    tip: ObjectId,
    remotes: readonly ObjectId[],
    log: string,
    lines: readonly Line[],
  ): Promise<ReadonlyMap<Line, Place>> {
    const [content] = await git.read([`${tip}:${log}`]);
    const committed = Buffer.from(content ?? []);
    const places = new Map<Line, Place>();
    let from = tip;
    let durability: Durability = 'committed';
    for (const line of lines.toReversed()) {
      const start = committed.lastIndexOf(line.bytes);
      if (start === -1) continue;
      const end = start + line.bytes.length;
      const commit = await firstCommit(git, from, async (it) => ((await git.sizes([`${it}:${log}`]))[0] ?? 0) >= end);
      if (commit !== undefined) from = commit;
      const sure = commit !== undefined && (await beginsAs(commit, log, committed)) ? commit : undefined;
      if (durability === 'committed' && (await isIn(sure ?? tip, remotes))) durability = 'replicated';
      places.set(line, { commit: sure, durability });
    }
    return places;
  }

  async function isIn(commit: ObjectId, tips: readonly ObjectId[]): Promise<boolean> {
    for (const tip of tips) if (await git.isAncestor(commit, tip)) return true;
    return false;
  }

  /** Whether a log was only added to since a commit: else sizes tell nothing. */
  async function beginsAs(commit: ObjectId, log: string, now: Buffer): Promise<boolean> {
    const name = `${commit}:${log}`;
    const [[id], [size = 0]] = await Promise.all([git.resolve([name]), git.sizes([name])]);
    const hash = createHash(git.idLength === 64 ? 'sha256' : 'sha1').update(`blob ${size}\0`);
    return size <= now.length && hash.update(now.subarray(0, size)).digest('hex') === id;
  }
}

type Place = Pick<Recorded, 'commit' | 'durability'>;

/** Of a line that no commit holds yet. */
const NOWHERE: Place = { commit: undefined, durability: 'journaled' };

const monthOf = (log: string): string => log.slice(0, log.lastIndexOf('/'));

/** By the clocks of their writers, which may differ; what one log has in order stays in that order. */
function interleaved<Entry extends Line>(logs: readonly (readonly Entry[])[]): readonly Entry[] {
  const waiting = logs.map((lines) => lines.toReversed());
  const together: Entry[] = [];
  for (;;) {
    const [first] = waiting
      .flatMap((lines) => (lines.length === 0 ? [] : [lines]))
      .sort((a, b) => (order(a.at(-1)) < order(b.at(-1)) ? -1 : 1));
    const next = first?.pop();
    if (next === undefined) return together;
    together.push(next);
  }
}

const order = (line: Line | undefined): string => `${line?.event.ts} ${line?.event.id}`;

/** The events of a log about a project or task. Lines in which its id does not stand are not read as events. */
function linesAbout(workTree: WorkTree, log: string, id: string): readonly Line[] {
  const content = Buffer.from(workTree.tail(log, 0)?.bytes ?? []);
  const word = Buffer.from(id);
  const lines: Line[] = [];
  for (let at = content.indexOf(word); at !== -1;) {
    const start = content.lastIndexOf(0x0a, at) + 1;
    const next = content.indexOf(0x0a, at) + 1;
    const bytes = content.subarray(start, next === 0 ? content.length : next);
    const { events } = parseEventLines(bytes.toString('utf8'), log);
    lines.push(...events.filter((event) => isAbout(event, id)).map((event) => ({ event, bytes })));
    at = next === 0 ? -1 : content.indexOf(word, next);
  }
  return lines;
}
