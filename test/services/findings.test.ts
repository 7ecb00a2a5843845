import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderNodeLine } from '../../src/protocol/plan/render.ts';
import { findInconsistencies } from '../../src/rules/consistency.ts';
import { reportDue, routeOf } from '../../src/rules/reports.ts';
import { NAMING_FIELDS } from '../../src/rules/roster.ts';
import { createFindings, scopeOf, widened } from '../../src/services/findings.ts';
import type { Findings, Scope } from '../../src/services/findings.ts';
import type { WorkspaceView } from '../../src/protocol/view.ts';
import { memoryReader } from '../../src/workspace/readers.ts';
import { createParseCache } from '../../src/workspace/parse-cache.ts';
import { createView } from '../../src/workspace/snapshot.ts';

const ids = ['a', 'b', 'c', 'd'] as const;
const id = fc.constantFrom(...ids);

const plan = fc.uniqueArray(
  fc.record({
    id,
    dep: id,
    assignee: fc.constantFrom('w', 'v', 'Vera'),
    status: fc.constantFrom('pending', 'delegated', 'completed', 'unread'),
  }),
  {
    selector: (node) => node.id,
  },
);
const task = fc.record({ status: fc.constantFrom('assigned', 'submitted', 'completed', 'broken'), project: id });

const TEAM = '{"schema":1,"name":"t","leaderRoomId":"!l:local"}';

/** What an agent's file may say that tells nothing of who that is. */
const able = fc.record({
  status: fc.constantFrom('IDLE', 'OFFLINE', 'nonsense'),
  max_concurrent: fc.integer({ min: 1, max: 2 }),
  capabilities: fc.subarray(['rust']),
  fallback: fc.boolean(),
  raised: fc.constantFrom([], [{ key: 'overloaded:w', level: 1, since: '2026-01-01T00:00:00Z' }]),
});

const MANAGER = { role: 'manager', matrix_user_id: '@m:local' };

/** And what tells it. */
const naming = fc.constantFrom(
  {},
  { name: 'Vera' },
  { matrix_user_id: '@vera:local' },
  { role: 'leader' },
  { enabled: false },
  MANAGER,
  { ...MANAGER, matrix_user_id: undefined },
  { ...MANAGER, enabled: false },
  { ...MANAGER, role: 'leader' },
);

/** An agent's file in a new state: often one that only says of the agent what no finding rests on. */
const agentEdit = fc
  .tuple(
    fc.constantFrom('w', 'v', 'm'),
    fc.oneof(
      able,
      fc.tuple(able, naming).map(([rest, names]) => ({ ...rest, ...names })),
      fc.constantFrom('{', undefined),
    ),
  )
  .map(([agent, said]) => ({
    path: `shared/agents/${agent}.json`,
    text: typeof said === 'object' ? JSON.stringify({ schema: 1, agent_id: agent, ...said }) : said,
  }));

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
  fc.tuple(id, fc.option(fc.constantFrom('active', 'completed', '{')), fc.boolean()).map(([project, status, owed]) => ({
    path: `shared/projects/${project}/meta.json`,
    text: status === null ? undefined : projectOf(project, status, owed).replace('"{"', '{'),
  })),
  fc.tuple(id, fc.option(task)).map(([name, record]) => ({
    path: `shared/tasks/${name}/meta.json`,
    text: record === null ? undefined : recordOf(name, record),
  })),
  fc.tuple(id, fc.option(fc.constantFrom('STATUS: SUCCESS\nSUMMARY: x\n', 'nothing'))).map(([name, text]) => ({
    path: `shared/tasks/${name}/result.md`,
    text: text ?? undefined,
  })),
  fc.constantFrom('{', '{"schema":1,"name":"t"}', TEAM).map((text) => ({ path: 'shared/team.json', text })),
  agentEdit,
);

function projectOf(project: string, status: string, owed: boolean): string {
  const report = owed ? { source: 'manager', requester_report: { pending: true } } : {};
  return JSON.stringify({ project_id: project, title: 'T', status, ...report });
}

interface Planned {
  readonly id: string;
  readonly dep: string;
  readonly assignee: string;
  readonly status: string;
}

function renderPlanned({ id: node, dep, assignee, status }: Planned): string {
  const known = (status === 'unread' ? 'pending' : status) as 'pending' | 'delegated' | 'completed';
  const dependsOn = node === dep ? [] : [dep];
  const line = renderNodeLine({ id: node, title: 'T', assignee, dependsOn, status: known });
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

/** Nobody has a name yet; one task's plan names another than its record, and a Manager is owed a report. */
const BEGUN: Readonly<Record<string, string>> = {
  'shared/team.json': TEAM,
  'shared/agents/v.json': '{"schema":1,"agent_id":"v"}',
  'shared/agents/w.json': '{"schema":1,"agent_id":"w"}',
  'shared/projects/a/meta.json': projectOf('a', 'active', true),
  'shared/projects/a/plan.md': renderPlanned({ id: 'a', dep: 'a', assignee: 'Vera', status: 'delegated' }),
  'shared/tasks/a/meta.json': recordOf('a', { status: 'assigned', project: 'a' }),
};

test('what is found after changes is what a look at the whole tree finds', async () => {
  const rounds = (of: typeof edit) => fc.array(fc.array(of, { minLength: 1, maxLength: 3 }), { maxLength: 12 });
  const grown = fc.tuple(fc.constant({}), rounds(edit));
  const ofOthers = fc.tuple(fc.constant(BEGUN), rounds(fc.oneof(agentEdit, agentEdit, edit)));
  await fc.assert(
    fc.asyncProperty(fc.oneof(grown, ofOthers), async ([begun, edited]) => {
      const files: Record<string, string> = { ...begun };
      const cache = createParseCache();
      const findings = createFindings();
      await lookAtAll(findings, createView(memoryReader(files), cache));
      for (const edits of edited) {
        for (const { path, text } of edits) {
          if (text === undefined) delete files[path];
          else files[path] = text;
        }
        const view = createView(memoryReader(files), cache);
        const scope = findings.reach(view, edits.map(({ path }) => scopeOf([path])).reduce(widened));
        const seen = scope === 'all' ? await lookAtAll(findings, view) : findings.look(view, scope);
        expect(sorted(seen)).toEqual(sorted(findInconsistencies(view)));
      }
    }),
    { numRuns: 1_000 },
  );
});

// A command that no node answers looks at what it has changed, and at nothing before.
test.each([
  ['finds nothing when its plan holds it', BEGUN, []],
  ['finds it when no plan does', { ...BEGUN, 'shared/projects/a/plan.md': '' }, ['orphan-task']],
])('a first look that is at one task %s', (_, files, kinds) => {
  const view = createView(memoryReader(files));
  const findings = createFindings();
  const scope = findings.reach(view, scopeOf(['shared/tasks/a/meta.json']));
  if (scope === 'all') throw new Error('everything is looked at');
  expect(findings.look(view, scope).map(({ kind }) => kind)).toEqual(kinds);
});

describe('after a change of an agent', () => {
  const files = {
    'shared/agents/w.json': '{"schema":1,"agent_id":"w","status":"IDLE"}',
    'shared/tasks/a/meta.json': recordOf('a', { status: 'assigned', project: 'b' }),
  };
  const reachAfter = async (path: string, text: string | undefined): Promise<Scope> => {
    const findings = createFindings();
    await lookAtAll(findings, createView(memoryReader(files)));
    const { [path]: _, ...rest } = files as Record<string, string>;
    const view = createView(memoryReader(text === undefined ? rest : { ...rest, [path]: text }));
    return findings.reach(view, scopeOf([path]));
  };

  test.each([
    ['its status', '{"schema":1,"agent_id":"w","status":"OFFLINE"}'],
    ['what it can carry', '{"schema":1,"agent_id":"w","max_concurrent":3}'],
    ['that it was found overloaded', '{"schema":1,"agent_id":"w","raised":[{"key":"overloaded:w","level":1}]}'],
    ['nothing that can be told', '{"schema":1,"agent_id":"w","status":"nonsense"}'],
  ])('in %s no task is looked at', async (_, text) => {
    expect(await reachAfter('shared/agents/w.json', text)).toEqual({
      projects: new Set(),
      tasks: new Set(),
      tree: true,
    });
  });

  test.each([
    ['a name', 'shared/agents/w.json', '{"schema":1,"agent_id":"w","name":"Wim"}'],
    ['a role', 'shared/agents/w.json', '{"schema":1,"agent_id":"w","role":"leader"}'],
    ['an agent more', 'shared/agents/v.json', '{"schema":1,"agent_id":"v"}'],
    ['one less', 'shared/agents/w.json', undefined],
  ])('in who they are, by %s, everything is', async (_, path, text) => {
    expect(await reachAfter(path, text)).toBe('all');
  });

  test('that comes while everything is looked at, all of it is looked at again', async () => {
    const renamed = { ...files, 'shared/agents/w.json': '{"schema":1,"agent_id":"w","name":"Wim"}' };
    const before = createView(memoryReader(files));
    const meanwhile = createView(memoryReader(renamed));
    const views = [before, meanwhile, before];
    const findings = createFindings();
    let now = 0;
    await findings.lookAtAll({
      view: () => views.shift() ?? before,
      elapsed: () => (now += 100),
      pause: () => Promise.resolve(),
    });
    expect(findings.reach(before, scopeOf([]))).toBe('all');
  });
});

test('findings and the ways of reports read of an agent only what names it', () => {
  const seen = new Set<string>();
  const watched = (view: WorkspaceView): WorkspaceView => ({
    ...view,
    agents: () =>
      view.agents().map(
        (agent) =>
          new Proxy(agent, {
            get(target, field: keyof typeof agent) {
              seen.add(field);
              return target[field];
            },
          }),
      ),
    agent: () => {
      throw new Error('an agent is read past the roster');
    },
  });
  const lookAt = (files: Readonly<Record<string, string>>): void => {
    const view = watched(createView(memoryReader(files)));
    findInconsistencies(view);
    for (const { projectId } of reportDue(view, view.projectIds())) {
      const { meta } = view.project(projectId) ?? {};
      if (meta !== undefined) routeOf(view, meta);
    }
  };
  // Every one of them is read where a Manager is owed a report and a plan calls a Worker by a name.
  lookAt({ ...BEGUN, 'shared/agents/m.json': JSON.stringify({ schema: 1, agent_id: 'm', ...MANAGER }) });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 20 }), (edits) => {
      const files: Record<string, string> = { ...BEGUN };
      for (const { path, text } of edits) if (text !== undefined) files[path] = text;
      lookAt(files);
    }),
  );
  expect([...seen].toSorted()).toEqual(NAMING_FIELDS);
});
