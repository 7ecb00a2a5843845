import type { Diagnostic } from '../protocol/diagnostic.ts';
import { archiveDir, archiveMonths, inArchive } from '../protocol/archive.ts';
import type { ArchivedKind } from '../protocol/archive.ts';
import { isReadableId } from '../protocol/ids.ts';
import { sameLocalpart } from '../protocol/identity.ts';
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
import type { Archived, ProjectEntry, TaskEntry, TreeReader, WorkspaceView } from '../protocol/view.ts';
import { brokenLogs } from './event-log.ts';

const PROJECTS = 'shared/projects/';
const TASKS = 'shared/tasks/';
const AGENTS = 'shared/agents/';

/** How many texts of one path keep their parsed form: the stored one and the one of a change set under decision. */
const KEPT_TEXTS = 2;

/** Parsed files by path and text, shared by the views of one tree so that an unchanged file is parsed once. */
export interface ParseCache {
  get<Value>(path: string, text: string, parse: () => Value): Value;
}

/** A cache that keeps the parsed forms of the two most recent texts of every path. */
export function createParseCache(): ParseCache {
  const kept = new Map<string, readonly { readonly text: string; readonly value: unknown }[]>();
  return {
    get<Value>(path: string, text: string, parse: () => Value): Value {
      const entries = kept.get(path) ?? [];
      const found = entries.find((entry) => entry.text === text);
      // A path is always parsed by the same parser, so its values have one type.
      if (found !== undefined) return found.value as Value;
      const value = parse();
      kept.set(path, [{ text, value }, ...entries].slice(0, KEPT_TEXTS));
      return value;
    },
  };
}

/**
 * What the files of `reader` say. Everything is read when first asked for and answered the same from then on;
 * `cache` lets later views of the same tree take over what was parsed.
 */
export function createView(
  reader: TreeReader,
  cache: ParseCache = createParseCache(),
  isPartial = false,
): WorkspaceView {
  const read = memo((path: string) => reader.read(path));
  const list = memo((directory: string) => reader.list(directory));
  const exists = memo((path: string) => reader.exists(path));
  const text = (path: string): string | undefined => textOf(read(path));

  const team = once(() => readTeam(read(TEAM_PATH), cache));
  const agents = once(() => readAgents(list(AGENTS), read, cache));
  const bindings = once(() => readBindings(list(ROOM_BINDINGS), read, cache));
  const project = memo((id: string) => readProject(id, read, list, cache));
  const task = memo((id: string) => readTask(id, read, list, cache));
  const months = once(() => archiveMonths(list));
  const archived = <Entry>(kind: ArchivedKind, readEntry: EntryReader<Entry>) =>
    memo((id: string): Archived<Entry> | undefined => {
      if (!isReadableId(id)) return undefined;
      const month = months().find((name) => exists(archiveDir(name, kind, id)));
      if (month === undefined) return undefined;
      const moved = (path: string): string => inArchive(month, path);
      const found = readEntry(
        id,
        (path) => read(moved(path)),
        (path) => list(moved(path)),
        cache,
      );
      return found === undefined ? undefined : { entry: found, dir: archiveDir(month, kind, id) };
    });
  const projectIds = once(() => idsIn(list(PROJECTS)));
  const taskIds = once(() => idsIn(list(TASKS)));
  const treeDiagnostics = once(() => [
    ...team().diagnostics,
    ...agents().diagnostics,
    ...bindings().diagnostics,
    ...strangeNames(PROJECTS, list(PROJECTS)),
    ...strangeNames(TASKS, list(TASKS)),
    ...brokenLogs(list, text),
  ]);
  const diagnostics = once(() => [
    ...treeDiagnostics(),
    ...projectIds().flatMap((id) => project(id)?.diagnostics ?? []),
    ...taskIds().flatMap((id) => task(id)?.diagnostics ?? []),
  ]);

  return {
    text,
    exists,
    list,
    isPartial,
    get team() {
      return team().team;
    },
    agents: () => agents().records,
    agent: (localpart) => agents().records.find((record) => sameLocalpart(record.agent_id, localpart)),
    roomBindings: () => bindings().records,
    projectIds,
    project,
    taskIds,
    task,
    archivedProject: archived('projects', readProject),
    archivedTask: archived('tasks', readTask),
    diagnostics,
    treeDiagnostics,
  };
}

type Read = ReturnType<TreeReader['read']>;

function textOf(found: Read): string | undefined {
  return found !== undefined && 'text' in found ? found.text : undefined;
}

function memo<Value>(compute: (key: string) => Value): (key: string) => Value {
  const known = new Map<string, Value>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined || known.has(key)) return found as Value;
    const value = compute(key);
    known.set(key, value);
    return value;
  };
}

function once<Value>(compute: () => Value): () => Value {
  const computed = memo(compute);
  return () => computed('');
}

function readTeam(found: Read, cache: ParseCache): { team: TeamSettings; diagnostics: readonly Diagnostic[] } {
  if (found !== undefined && 'problem' in found) return unreadTeam(found.problem);
  const text = textOf(found);
  const parsed = text === undefined ? parseTeam(undefined) : cache.get(TEAM_PATH, text, () => parseTeam(text));
  return { team: parsed.team, diagnostics: placed(parsed.diagnostics, TEAM_PATH) };
}

interface Records<Kept> {
  readonly records: readonly Kept[];
  readonly diagnostics: readonly Diagnostic[];
}

function readAgents(names: readonly string[], read: (path: string) => Read, cache: ParseCache): Records<AgentRecord> {
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

function readBindings(names: readonly string[], read: (path: string) => Read, cache: ParseCache): Records<RoomBinding> {
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

type EntryReader<Entry> = (
  id: string,
  read: (path: string) => Read,
  list: (directory: string) => readonly string[],
  cache: ParseCache,
) => Entry | undefined;

function readProject(
  id: string,
  read: (path: string) => Read,
  list: (directory: string) => readonly string[],
  cache: ParseCache,
): ProjectEntry | undefined {
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
}

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

function readTask(
  id: string,
  read: (path: string) => Read,
  list: (directory: string) => readonly string[],
  cache: ParseCache,
): TaskEntry | undefined {
  if (!isReadableId(id)) return undefined;
  const paths = taskPaths(id);
  const found = read(paths.meta);
  if (found === undefined && isBare(list, paths.dir)) return undefined;
  const { meta, diagnostics } = readRecord(paths.meta, found, (text) =>
    cache.get(paths.meta, text, () => parseTaskMeta(text, id)),
  );
  return { id, meta, diagnostics };
}

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

function idsIn(names: readonly string[]): readonly string[] {
  return directoriesIn(names).filter((id) => isReadableId(id));
}

function directoriesIn(names: readonly string[]): readonly string[] {
  return names.filter((name) => name.endsWith('/')).map((name) => name.slice(0, -1));
}

/** Directories whose names are no ids hold nothing that Baton can name; they are reported instead of skipped in silence. */
function strangeNames(directory: string, names: readonly string[]): readonly Diagnostic[] {
  return directoriesIn(names)
    .filter((name): boolean => !isReadableId(name))
    .map((name) => ({
      rule: 'invalid-id',
      severity: 'error',
      message: `invalid id: the name of ${directory}${name}/ must be a safe id: ${name}`,
      file: `${directory}${name}/`,
      line: 1,
      column: 1,
      expected: 'letters, digits, dots, hyphens and underscores',
    }));
}

export { memoryReader, overlayReader } from './readers.ts';
