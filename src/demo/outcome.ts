import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { App, DemoOptions } from '../app-types.ts';
import { clip, pad, printableLines } from '../doors/cli/text.ts';
import { localpartOf } from '../protocol/identity.ts';
import { parseLines } from '../protocol/mention.ts';
import { RESULT_LINES, call, until } from './calls.ts';
import { pathFor } from './folder.ts';
import type { Login, Rooms, Said } from './house.ts';
import type { Stage } from './stage.ts';

export interface Outcome {
  readonly leader: string;
  /** What the requester has been told, one report a project. */
  readonly reports: readonly string[];
  /** What was said in the Team Room, as the requester reads it. */
  readonly talk: readonly Said[];
  /** Absolute paths. */
  readonly deliverables: readonly string[];
  readonly rooms: Rooms;
}

/** Ids of what the rooms must have been told of. */
interface Told {
  readonly projects: readonly string[];
  readonly tasks: ReadonlySet<string>;
}

/** Read where the requester reads it, once all of it was said, and looked at where the Leader has it. */
export async function readOutcome(
  { leader, rooms }: Stage,
  { projects, tasks }: Told,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Outcome> {
  await leader.sync();
  const deliverables = paths.map((path) => join(leader.root, path));
  const missing = deliverables.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`deliverables are missing: ${missing.map(pathFor).join(', ')}`);
  const talk = await until(() => wholeTalk(rooms, { projects, tasks }), signal, rooms.pace);
  const reports = await until(() => lastReports(leader, rooms, projects), signal, rooms.pace);
  return { leader: leader.root, reports, talk, deliverables, rooms };
}

/** The Team Room, once it tells of every assignment, of every result and of the end of every project. */
async function wholeTalk(rooms: Rooms, { projects, tasks }: Told): Promise<readonly Said[] | undefined> {
  const talk = await rooms.read(rooms.team);
  const lines = talk.flatMap(({ text }) => parseLines(text));
  const about = (isKind: (kind: string) => boolean): ReadonlySet<string | undefined> =>
    new Set(lines.filter(({ kind }) => isKind(kind)).map(({ taskId, projectId }) => taskId ?? projectId));
  const assigned = about((kind) => kind === 'assigned');
  const handedIn = about((kind) => RESULT_LINES.has(kind));
  const ended = about((kind) => kind === 'project-completed');
  const isWhole =
    projects.every((id) => ended.has(id)) && [...tasks].every((id) => assigned.has(id) && handedIn.has(id));
  return isWhole ? talk : undefined;
}

/** The last report on each project, once none is pending. */
async function lastReports(
  leader: App,
  rooms: Rooms,
  projects: readonly string[],
): Promise<readonly string[] | undefined> {
  for (const projectId of projects) {
    const { project } = await call(leader, 'projectflow', 'resolve_project', { projectId });
    const { requester_report: report } = project as { readonly requester_report?: { readonly pending: boolean } };
    if (report?.pending !== false) return undefined;
  }
  const texts = (await rooms.read(rooms.requester)).map(({ text }) => text);
  const found = projects.flatMap((id) => texts.findLast((text) => text.includes(id)) ?? []);
  return found.length === projects.length ? found : undefined;
}

/** Tells the outcome as the caller wants to have it. `duration` in seconds. */
export function finish(options: DemoOptions, outcome: Outcome, folder: string, duration: number): void {
  const { leader, reports, talk, deliverables, rooms } = outcome;
  const { login } = rooms;
  const seconds = Number(duration.toFixed(1));
  if (options.json) {
    const matrix = login === undefined ? {} : { matrix: { ...login, teamRoom: rooms.team, leaderDm: rooms.requester } };
    options.write(`${JSON.stringify({ ok: true, seconds, reports, deliverables, folder, ...matrix })}\n`);
    return;
  }
  if (login !== undefined) options.write(transcript(talk, login, options.columns ?? 100));
  const paths = deliverables.map((path) => `  ${pathFor(path)}`);
  options.write(`\nThe requester read in the Leader DM:\n\n${reports.map(printableLines).join('\n\n')}\n`);
  options.write(`\nDeliverables:\n${paths.join('\n')}\n`);
  options.write(`\nDone in ${seconds} s. The whole story: git -C ${pathFor(leader)} log --graph --oneline\n`);
}

/** The first line of each thing that was said, by whom. */
function transcript(talk: readonly Said[], { userId, homeserver }: Login, columns: number): string {
  const lines = talk.flatMap(({ sender, text }) =>
    text
      .split(/\n{2,}/)
      .map((paragraph) => `  ${pad(localpartOf(sender), 6)} ${printableLines(paragraph.split('\n')[0] ?? '')}`)
      .map((line) => clip(line, columns - 1)),
  );
  return `\nWhat ${userId} read in the Team Room on ${homeserver}:\n\n${lines.join('\n')}\n`;
}
