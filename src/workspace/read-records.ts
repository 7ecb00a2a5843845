import type { Diagnostic } from '../protocol/diagnostic.ts';
import { isReadableId } from '../protocol/ids.ts';
import { ROOM_BINDINGS, TEAM_PATH, classifyPath, projectPaths, taskPaths } from '../protocol/paths.ts';
import { adoptedPlanText } from '../protocol/plan/adopt.ts';
import { parsePlan } from '../protocol/plan/parse.ts';
import type { Plan } from '../protocol/plan-types.ts';
import { parseAgent } from '../protocol/records/agent.ts';
import { parseProjectMeta } from '../protocol/records/project.ts';
import { parseRoomBinding } from '../protocol/records/room-binding.ts';
import { parseTaskMeta } from '../protocol/records/task.ts';
import { parseTeam, unreadTeam } from '../protocol/records/team.ts';
import type { TeamSettings } from '../protocol/records/team-types.ts';
import type { AgentRecord, ProjectMeta, RoomBinding } from '../protocol/records/types.ts';
import type { ProjectEntry, TaskEntry, TreeReader } from '../protocol/view.ts';
import type { ParseCache } from './parse-cache.ts';

/** Where the records of agents lie. */
export const AGENTS = 'shared/agents/';

export type Read = ReturnType<TreeReader['read']>;

export function textOf(found: Read): string | undefined {
  return found !== undefined && 'text' in found ? found.text : undefined;
}

export function readTeam(found: Read, cache: ParseCache): { team: TeamSettings; diagnostics: readonly Diagnostic[] } {
  if (found !== undefined && 'problem' in found) return unreadTeam(found.problem);
  const text = textOf(found);
  const parsed = text === undefined ? parseTeam(undefined) : cache.get(TEAM_PATH, text, () => parseTeam(text));
  return { team: parsed.team, diagnostics: placed(parsed.diagnostics, TEAM_PATH) };
}

interface Records<Kept> {
  readonly records: readonly Kept[];
  readonly diagnostics: readonly Diagnostic[];
}

export function readAgents(
  names: readonly string[],
  read: (path: string) => Read,
  cache: ParseCache,
): Records<AgentRecord> {
  const files = cache.get(AGENTS, names.join('/'), () =>
    names.flatMap((name) => {
      const path = `${AGENTS}${name}`;
      const named = classifyPath(path);
      return named.kind === 'agent' ? [{ path, agentId: named.agentId }] : [];
    }),
  );
  return readEach(files, read, ({ path, agentId }, text) => {
    const { agent, diagnostics } = cache.get(path, text, () => parseAgent(text, agentId));
    return { record: agent, diagnostics };
  });
}

export function readBindings(
  names: readonly string[],
  read: (path: string) => Read,
  cache: ParseCache,
): Records<RoomBinding> {
  const files = names.filter((name) => name.endsWith('.json')).map((name) => ({ path: `${ROOM_BINDINGS}${name}` }));
  return readEach(files, read, ({ path }, text) => {
    const { binding, diagnostics } = cache.get(path, text, () => parseRoomBinding(text, path));
    return { record: binding, diagnostics };
  });
}

/** The records of these files, and what is wrong with any of them; one that cannot be read leaves the others. */
function readEach<File extends { readonly path: string }, Kept>(
  files: readonly File[],
  read: (path: string) => Read,
  parse: (
    file: File,
    text: string,
  ) => { readonly record: Kept | undefined; readonly diagnostics: readonly Diagnostic[] },
): Records<Kept> {
  const records: Kept[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const file of files) {
    const found = read(file.path);
    if (found === undefined) continue;
    if ('problem' in found) {
      diagnostics.push(found.problem);
      continue;
    }
    const parsed = parse(file, found.text);
    if (parsed.record !== undefined) records.push(parsed.record);
    diagnostics.push(...placed(parsed.diagnostics, file.path));
  }
  return { records, diagnostics };
}

export type EntryReader<Entry> = (
  id: string,
  read: (path: string) => Read,
  list: (directory: string) => readonly string[],
  cache: ParseCache,
) => Entry | undefined;

export const readProject: EntryReader<ProjectEntry> = (id, read, list, cache) => {
  if (!isReadableId(id)) return undefined;
  const paths = projectPaths(id);
  const foundMeta = read(paths.meta);
  const foundPlan = read(paths.plan);
  if (foundMeta === undefined && foundPlan === undefined && isBare(list, paths.dir)) return undefined;

  const planText = textOf(foundPlan) ?? '';
  const plan: Plan = cache.get(paths.plan, planText, () => {
    const parsed = parsePlan(planText);
    return { ...parsed, diagnostics: placed(parsed.diagnostics, paths.plan) };
  });
  const meta = readRecord(paths.meta, foundMeta, (text) =>
    cache.get(paths.meta, text, () => parseProjectMeta(text, id)),
  );
  const isUnreadable = foundPlan !== undefined && 'problem' in foundPlan;
  const planProblems = isUnreadable ? [foundPlan.problem] : plan.diagnostics;
  const isEmpty = !isUnreadable && plan.kind === 'dag' && plan.nodes.length === 0;
  const adopted = isEmpty ? adoptPlan(id, planText, foundMeta, meta.meta, cache) : undefined;
  const diagnostics = [...meta.diagnostics, ...planProblems];
  return { id, meta: meta.meta, ...(adopted ?? { plan, planText }), diagnostics };
};

/** The plan that the record carries, for a project whose plan.md has no task line (protocol.md §16.3). */
function adoptPlan(
  id: string,
  planText: string,
  foundMeta: Read,
  meta: ProjectMeta | undefined,
  cache: ParseCache,
): Pick<ProjectEntry, 'plan' | 'planText'> | undefined {
  if (meta === undefined) return undefined;
  const source = `${planText}\0${textOf(foundMeta) ?? ''}`;
  return cache.get(`plan in ${projectPaths(id).meta}`, source, () => {
    const text = adoptedPlanText(planText, meta);
    return text === undefined ? undefined : { plan: parsePlan(text), planText: text };
  });
}

export const readTask: EntryReader<TaskEntry> = (id, read, list, cache) => {
  if (!isReadableId(id)) return undefined;
  const paths = taskPaths(id);
  const found = read(paths.meta);
  if (found === undefined && isBare(list, paths.dir)) return undefined;
  const { meta, diagnostics } = readRecord(paths.meta, found, (text) =>
    cache.get(paths.meta, text, () => parseTaskMeta(text, id)),
  );
  return { id, meta, diagnostics };
};

/** Git keeps no directory without a file, so one that somebody made, or left when its files were moved, is nothing. */
function isBare(list: (directory: string) => readonly string[], directory: string): boolean {
  return list(directory).every((name) => name.endsWith('/') && isBare(list, `${directory}${name}`));
}

interface Parsed<Meta> {
  readonly meta?: Meta;
  readonly diagnostics: readonly Diagnostic[];
}

/** The record of a folder that is there: what its `meta.json` says, or why that cannot be read. */
function readRecord<Meta>(
  path: string,
  found: Read,
  parse: (text: string) => Parsed<Meta>,
): { meta: Meta | undefined; diagnostics: readonly Diagnostic[] } {
  if (found === undefined) return { meta: undefined, diagnostics: [missingMeta(path)] };
  if ('problem' in found) return { meta: undefined, diagnostics: [found.problem] };
  const parsed = parse(found.text);
  return { meta: parsed.meta, diagnostics: placed(parsed.diagnostics, path) };
}

function missingMeta(path: string): Diagnostic {
  return { rule: 'meta-missing', severity: 'error', message: `${path} is missing`, file: path, line: 1, column: 1 };
}

/** Parsers that were not told the path leave it out. */
function placed(diagnostics: readonly Diagnostic[], file: string): readonly Diagnostic[] {
  if (diagnostics.every((diagnostic) => diagnostic.file !== undefined)) return diagnostics;
  return diagnostics.map((diagnostic) => ({ ...diagnostic, file: diagnostic.file ?? file }));
}
