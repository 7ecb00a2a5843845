import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderNodeLine } from '../../src/protocol/plan/render.ts';
import { findInconsistencies } from '../../src/rules/consistency.ts';
import { createFindings, scopeOf, widened } from '../../src/services/findings.ts';
import type { Findings } from '../../src/services/findings.ts';
import type { WorkspaceView } from '../../src/protocol/view.ts';
import { memoryReader } from '../../src/workspace/readers.ts';
import { createParseCache, createView } from '../../src/workspace/snapshot.ts';

const ids = ['a', 'b', 'c', 'd'] as const;
const id = fc.constantFrom(...ids);

const plan = fc.uniqueArray(
  fc.record({ id, dep: id, status: fc.constantFrom('pending', 'delegated', 'completed', 'unread') }),
  {
    selector: (node) => node.id,
  },
);
const task = fc.record({ status: fc.constantFrom('assigned', 'submitted', 'completed', 'broken'), project: id });

/** One file of a small tree in a new state; without a text it is gone. */
const edit = fc.oneof(
  fc.tuple(id, fc.option(plan)).map(([project, nodes]) => ({
    path: `shared/projects/${project}/plan.md`,
    text: nodes?.map((node) => renderPlanned(node)).join('\n'),
  })),
  // As a merge as text may leave it: with the markers of a conflict, or with lines of both sides.
  fc.tuple(id, plan, plan, fc.boolean()).map(([project, ours, theirs, marked]) => {
    const [first, second] = [ours, theirs].map((nodes) => nodes.map((node) => renderPlanned(node)));
    const lines = [...(first ?? []), ...(marked ? ['<<<<<<< ours'] : []), ...(second ?? [])];
    return { path: `shared/projects/${project}/plan.md`, text: lines.join('\n') };
  }),
  fc.tuple(id, fc.option(fc.constantFrom('active', 'completed', '{'))).map(([project, status]) => ({
    path: `shared/projects/${project}/meta.json`,
    text: status === null ? undefined : JSON.stringify({ project_id: project, title: 'T', status }).replace('"{"', '{'),
  })),
  fc.tuple(id, fc.option(task)).map(([name, record]) => ({
    path: `shared/tasks/${name}/meta.json`,
    text: record === null ? undefined : recordOf(name, record),
  })),
  fc.tuple(id, fc.option(fc.constantFrom('STATUS: SUCCESS\nSUMMARY: x\n', 'nothing'))).map(([name, text]) => ({
    path: `shared/tasks/${name}/result.md`,
    text: text ?? undefined,
  })),
  fc.constantFrom('{', '{"schema":1,"name":"t"}').map((text) => ({ path: 'shared/team.json', text })),
);

function renderPlanned({ id: node, dep, status }: { id: string; dep: string; status: string }): string {
  const known = (status === 'unread' ? 'pending' : status) as 'pending' | 'delegated' | 'completed';
  const dependsOn = node === dep ? [] : [dep];
  const line = renderNodeLine({ id: node, title: 'T', assignee: 'w', dependsOn, status: known });
  return status === 'unread' ? line.replace('[ ]', '[?]') : line;
}

function recordOf(name: string, { status, project }: { status: string; project: string }): string {
  if (status === 'broken') return '{';
  return JSON.stringify({ task_id: name, project_id: project, task_title: 'T', assigned_to: 'w', status });
}

const sorted = (findings: readonly unknown[]): readonly string[] =>
  findings.map((finding) => JSON.stringify(finding)).toSorted();

/** In pieces of one project or task each. */
const lookAtAll = (findings: Findings, view: WorkspaceView): Promise<readonly unknown[]> => {
  let now = 0;
  return findings.lookAtAll({ view: () => view, elapsed: () => (now += 100), pause: () => Promise.resolve() });
};

test('what is found after changes is what a look at the whole tree finds', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(edit, { minLength: 1, maxLength: 3 }), { maxLength: 12 }), async (rounds) => {
      const files: Record<string, string> = {};
      const cache = createParseCache();
      const findings = createFindings();
      await lookAtAll(findings, createView(memoryReader(files), cache));
      for (const edits of rounds) {
        for (const { path, text } of edits) {
          if (text === undefined) delete files[path];
          else files[path] = text;
        }
        const view = createView(memoryReader(files), cache);
        const scope = edits.map(({ path }) => scopeOf([path])).reduce(widened);
        const seen = scope === 'all' ? await lookAtAll(findings, view) : findings.look(view, scope);
        expect(sorted(seen)).toEqual(sorted(findInconsistencies(view)));
      }
    }),
    { numRuns: 1_000 },
  );
});
