import { z } from 'zod';
import { parseTime } from '../../protocol/timestamps.ts';
import { withArchive } from '../../protocol/with-archive.ts';
import { sortNeeds, word, workNeeds } from '../../rules/needs.ts';
import type { Need } from '../../rules/needs.ts';
import { ANYONE, requireProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
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
  facts: ['unfit'],
  run({ view, facts, now, input: { projectId } }) {
    const violations = [...problemsOf(view), ...unfitProblems(facts)].map(violation);
    const all = sortNeeds([...violations, ...workNeeds(view, parseTime(now) ?? 0)]);
    if (projectId !== undefined && view.project(projectId) === undefined) requireProject(withArchive(view), projectId);
    const needs = projectId === undefined ? all : all.filter((need) => concerns(need, projectId));
    return { changes: [], events: [], announcements: [], output: { count: needs.length, needs } };
  },
});

function violation({ selfMending, remedy, ...problem }: Problem): Need {
  const command = selfMending === true ? 'baton sync now' : commandIn(problem, remedy);
  return { need: selfMending === true ? 'node' : 'violation', ...problem, remedy, command };
}

/** The first command that the remedy names, else the place where a person has to write. */
function commandIn({ file, line }: Pick<Problem, 'file' | 'line'>, remedy: string): string {
  const [, named] = /`(baton [^`]+)`/.exec(remedy) ?? [];
  if (named !== undefined) return named;
  return file === undefined ? 'baton doctor' : `$EDITOR ${line === undefined ? '' : `+${line} `}${word(file)}`;
}

/** A broken file tells what it is about by where it lies. */
function concerns({ projectId, file }: Need, wanted: string): boolean {
  return projectId === wanted || (projectId === undefined && file?.startsWith(`shared/projects/${wanted}/`) === true);
}
