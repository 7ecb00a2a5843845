import { z } from 'zod';
import { parseTime } from '../../protocol/timestamps.ts';
import { withArchive } from '../../protocol/with-archive.ts';
import type { Late, LateKind } from '../../rules/lateness/ladder.ts';
import { lateRecords } from '../../rules/lateness/lateness.ts';
import { sortNeeds, workNeeds } from '../../rules/needs.ts';
import { word } from '../../rules/shell.ts';
import type { Need, NeedKind } from '../../rules/needs.ts';
import { ANYONE, requireProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { OperationContext } from '../types.ts';
import { problemsOf, unfitProblems } from './problems.ts';
import type { Problem } from './problems.ts';

/** Everything that waits for a person, the most pressing first, each with the command that mends it. */
export const nodeNeeds = defineOperation({
  name: 'node.needs',
  kind: 'query',
  roles: ANYONE,
  summary: 'List what needs a person first, each with the command that mends it.',
  input: z.object({ projectId: z.string().optional().describe('only what concerns this project') }),
  fresh: 'no',
  facts: ['unfit', 'beats'],
  run(context) {
    const { view, facts, input } = context;
    const { projectId } = input;
    if (projectId !== undefined && view.project(projectId) === undefined) requireProject(withArchive(view), projectId);
    const violations = [...problemsOf(view), ...unfitProblems(facts)].map(violation);
    const all = sortNeeds([...violations, ...onceForEach([...lateNeeds(context), ...workNeeds(view)])]);
    const needs = projectId === undefined ? all : all.filter((need) => concerns(need, projectId));
    return { changes: [], events: [], announcements: [], output: { count: needs.length, needs } };
  },
});

function violation({ selfMending, byHand, remedy, ...problem }: Problem): Need {
  const named = byHand === true ? undefined : commandIn(remedy);
  const command = selfMending === true ? 'baton sync now' : (named ?? editorAt(problem));
  return { need: selfMending === true ? 'node' : 'violation', ...problem, remedy, command };
}

/** The first command that a remedy names. */
function commandIn(remedy: string): string | undefined {
  return /`(baton [^`]+)`/.exec(remedy)?.[1];
}

/** The place where a person has to write. */
function editorAt({ file, line }: Pick<Problem, 'file' | 'line'>): string {
  return file === undefined ? 'baton doctor' : `$EDITOR ${line === undefined ? '' : `+${line} `}${word(file)}`;
}

const LATE_NEEDS: Readonly<Record<LateKind, NeedKind>> = {
  unacknowledged: 'acknowledgement',
  unchecked: 'check',
  stuck: 'stuck',
  slow: 'late',
  overdue: 'late',
  'sla-violated': 'late',
  overloaded: 'late',
};

/** What is late by now, whether or not a node has raised it yet. */
function lateNeeds({ view, now, facts }: OperationContext<unknown>): readonly Need[] {
  const beats = facts.beats?.() ?? new Map();
  return lateRecords({ view, now: parseTime(now) ?? 0, beats }).flatMap(({ standing }) => standing.map(lateNeed));
}

function lateNeed({ kind, subject, level, since, message, command }: Late): Need {
  const { id, projectId = subject.kind === 'project' ? id : undefined } = subject;
  return {
    need: LATE_NEEDS[kind],
    kind,
    // Somebody has been told before, and nothing came of it.
    severity: level > 1 ? 'error' : 'warning',
    message,
    command,
    ...(projectId === undefined ? {} : { projectId }),
    ...(subject.kind === 'task' ? { taskId: id } : {}),
    ...(subject.kind === 'agent' ? { agent: id } : {}),
    since,
  };
}

/** A result that is to be checked is told once: with what says how late that is, where something does. */
function onceForEach(needs: readonly Need[]): readonly Need[] {
  const checks = new Set<string>();
  return needs.filter(({ need, taskId = '' }) => {
    if (need !== 'check') return true;
    const isFirst = !checks.has(taskId);
    checks.add(taskId);
    return isFirst;
  });
}

/** A broken file tells what it is about by where it lies. */
function concerns({ projectId, file }: Need, wanted: string): boolean {
  return projectId === wanted || (projectId === undefined && file?.startsWith(`shared/projects/${wanted}/`) === true);
}
