import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mentionsIn } from '../../src/protocol/mention.ts';
import { parsePlan } from '../../src/protocol/plan/parse.ts';
import type { Loop, NodeStatus, Plan, PlanNode } from '../../src/protocol/plan-types.ts';
import { DEFAULT_TEAM } from '../../src/protocol/records/team.ts';
import type { TeamSettings } from '../../src/protocol/records/team-types.ts';
import type { ProjectMeta, TaskMeta } from '../../src/protocol/records/types.ts';
import { drawGraph, drawLoop } from '../../src/protocol/report-drawing.ts';
import { labelsFor } from '../../src/protocol/labels/languages.ts';
import { composeReport } from '../../src/protocol/report.ts';

interface Fixture {
  readonly meta: ProjectMeta;
  readonly plan: readonly string[];
  readonly tasks: readonly TaskMeta[];
  readonly policies?: Partial<TeamSettings['policies']>;
  readonly changed?: readonly string[];
}

const folder = new URL('../../fixtures/report/', import.meta.url);
const fixtures = readdirSync(folder).filter((name) => name.endsWith('.json'));
const inEnglish = { style: 'emoji', labels: labelsFor('en') } as const;

function node(id: string, status: NodeStatus, ...dependsOn: string[]): PlanNode {
  return { id, title: id, assignee: '', dependsOn, status, line: 1 };
}

function planOf(nodes: readonly PlanNode[], loop?: Loop): Plan {
  return { kind: loop === undefined ? 'dag' : 'loop', nodes, diagnostics: [], ...(loop === undefined ? {} : { loop }) };
}

describe('composeReport', () => {
  test.each(fixtures)('tells %s as its fixture does', (name) => {
    const { meta, plan, tasks, policies, changed } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Fixture;
    const report = composeReport({
      meta,
      plan: parsePlan(`${plan.join('\n')}\n`),
      tasks: new Map(tasks.map((task) => [task.task_id, task])),
      team: { ...DEFAULT_TEAM, policies: { ...DEFAULT_TEAM.policies, ...policies } },
      ...(changed === undefined ? {} : { changed }),
    });

    expect(report).toBe(readFileSync(new URL(name.replace(/json$/, 'md'), folder), 'utf8'));
  });

  test('names every task that changed, also where the table has no room for all', () => {
    const ids = Array.from({ length: 60 }, (_, index) => `p-${index + 1}`);
    const plan = planOf(ids.map((id) => node(id, 'completed')));
    const meta: ProjectMeta = { project_id: 'p', title: 'T', status: 'active' };
    const report = composeReport({ meta, plan, tasks: new Map(), team: DEFAULT_TEAM, changed: ids });

    expect(report).toContain(`Changed: ${ids.map((id) => `${id} (completed)`).join(', ')}.`);
  });

  test('says why a result was rejected, and not only what its Worker said of it', () => {
    const rejected: TaskMeta = {
      task_id: 'p-01',
      project_id: 'p',
      task_title: 'T',
      assigned_to: 'ana',
      status: 'revision',
      summary: 'Checked.',
      history: [
        {
          ts: '2026-06-06T00:00:00Z',
          from: 'submitted',
          to: 'revision',
          action: 'accept_task_result',
          actor: 'admin:kim',
          note: 'Not rounded.',
        },
      ],
    };
    const report = composeReport({
      meta: { project_id: 'p', title: 'T', status: 'active' },
      plan: planOf([node('p-01', 'revision')]),
      tasks: new Map([['p-01', rejected]]),
      team: DEFAULT_TEAM,
    });

    expect(report).toContain('needs revision | Not rounded. |');
    expect(report).not.toContain('Checked.');
  });

  test('is well-formed text, also where words of others are not', () => {
    const half = 'cut \uD83D';
    const meta: ProjectMeta = { project_id: 'p', title: half, status: 'active' };
    const plan = planOf([{ ...node('p-01', 'blocked'), title: half }]);
    const task: TaskMeta = {
      task_id: 'p-01',
      project_id: 'p',
      task_title: half,
      assigned_to: 'ana',
      status: 'submitted',
      summary: half,
    };
    const report = composeReport({ meta, plan, tasks: new Map([['p-01', task]]), team: DEFAULT_TEAM });

    expect(report).toContain('cut \uFFFD');
    expect(report.isWellFormed()).toBe(true);
  });

  test('says nothing about earlier reports, so that sending one changes no text', () => {
    const meta: ProjectMeta = { project_id: 'p', title: 'T', status: 'active' };
    const input = { plan: planOf([node('p-01', 'completed')]), tasks: new Map<string, TaskMeta>(), team: DEFAULT_TEAM };
    const sent = { pending: false, summary: 's', sent_at: '2026-06-06T00:00:00Z' };

    expect(composeReport({ ...input, meta: { ...meta, requester_report: sent, updated_at: sent.sent_at } })).toBe(
      composeReport({ ...input, meta }),
    );
  });

  test.each<[string, ProjectMeta['status'], Plan, { focus: string; steps: readonly string[] }]>([
    [
      'nodes are ready',
      'active',
      planOf([node('a', 'pending'), node('b', 'pending', 'a')]),
      { focus: 'ready to start: a a', steps: ['Start a: a (—).'] },
    ],
    [
      'only trouble is left',
      'active',
      planOf([node('a', 'blocked'), node('b', 'pending', 'a')]),
      { focus: 'a decision is needed on a a', steps: ['Resolve what blocks a.'] },
    ],
    [
      'all is accepted',
      'active',
      planOf([node('a', 'completed')]),
      { focus: 'all tasks are completed', steps: ['Complete the project.'] },
    ],
    [
      'the rest waits for what never comes',
      'active',
      planOf([node('a', 'pending', 'b')]),
      { focus: 'planning', steps: ['Plan the tasks.'] },
    ],
    [
      'the project is done',
      'completed',
      planOf([node('a', 'cancelled')]),
      { focus: 'none, the project is completed', steps: ['None.'] },
    ],
  ])('tells the focus and the next step when %s', (_, status, plan, { focus, steps }) => {
    const lines = composeReport({
      meta: { project_id: 'p', title: 'T', status },
      plan,
      tasks: new Map(),
      team: DEFAULT_TEAM,
    }).split('\n');
    const start = lines.indexOf('### Next steps') + 2;

    expect(lines.find((line) => line.startsWith('- **Current focus**'))).toBe(`- **Current focus**: ${focus}`);
    expect(lines.slice(start, start + steps.length)).toEqual(steps.map((step) => `- ${step}`));
  });

  test.each<[Loop['status'], readonly string[], string]>([
    ['running', [], 'Decide how to go on after iteration 1.'],
    ['running', ['Iteration 1: continue — s'], 'Plan the tasks.'],
    ['waiting_user', ['Iteration 1: ask_user — s'], 'Decide how the loop goes on: it waits for you.'],
    ['completed', ['Iteration 1: stop_success — s'], 'Complete the project.'],
    ['blocked', ['Iteration 1: stop_blocked — s'], 'Complete the project.'],
  ])('tells the next step of a loop that is %s after %j', (status, history, step) => {
    const loop: Loop = {
      goal: 'g',
      stopCondition: 's',
      iterationTemplate: 't',
      maxIterations: 3,
      currentIteration: 1,
      status,
      history,
    };
    const meta: ProjectMeta = { project_id: 'p', title: 'T', status: 'active' };

    expect(
      composeReport({ meta, plan: planOf([node('a', 'completed')], loop), tasks: new Map(), team: DEFAULT_TEAM }),
    ).toContain(`### Next steps\n\n- ${step}\n`);
  });

  test('wakes nobody and stays in its frame, whatever the records say', () => {
    const piece = fc.constantFrom(
      '@bob:hs.local',
      '@room',
      '|',
      '\n',
      '```',
      '# h',
      '<script>',
      'NO_REPLY',
      '`',
      '](',
      '---',
    );
    const text = fc.array(fc.oneof(piece, fc.string()), { maxLength: 5 }).map((parts) => parts.join(' '));
    const status = fc.constantFrom<NodeStatus>('pending', 'delegated', 'completed', 'blocked', 'revision', 'cancelled');
    fc.assert(
      fc.property(
        fc.array(fc.record({ title: text, assignee: text, summary: text, status }), { minLength: 1, maxLength: 5 }),
        text,
        (records, title) => {
          const nodes = records.map((record, index) => ({
            ...node(`p-${index}`, record.status),
            title: record.title,
            assignee: record.assignee,
          }));
          const tasks = records.map(({ summary, assignee }, index): [string, TaskMeta] => [
            `p-${index}`,
            {
              task_id: `p-${index}`,
              project_id: 'p',
              task_title: summary,
              assigned_to: assignee,
              status: 'in_progress',
              summary,
              cancel_reason: summary,
              deliverables: [summary],
            },
          ]);
          const report = composeReport({
            meta: { project_id: 'p', title, status: 'active' },
            plan: planOf(nodes),
            tasks: new Map(tasks),
            team: DEFAULT_TEAM,
          });
          const lines = report.split('\n');
          expect(mentionsIn(report)).toEqual([]);
          expect(report).not.toContain('@');
          expect(report).not.toContain('NO_REPLY');
          expect(lines.filter((line) => line.startsWith('#')).length).toBeLessThanOrEqual(4);
          expect(lines.filter((line) => line.startsWith('```'))).toEqual(['```text', '```']);
          const rows = lines.filter((line) => line.startsWith('| p-'));
          expect(rows.map((row) => row.replaceAll('\\|', '').split('|').length)).toEqual(records.map(() => 7));
        },
      ),
    );
  });

  test('stays small for a plan of thousands', () => {
    const nodes = Array.from({ length: 5_000 }, (_, index) => ({
      ...node(`p-${index}`, index % 2 === 0 ? ('delegated' as const) : ('pending' as const), `p-${index - 1}`, 'p-0'),
      title: 'x'.repeat(1_000),
    }));
    const report = composeReport({
      meta: { project_id: 'p', title: 'T'.repeat(100_000), status: 'active' },
      plan: planOf(nodes),
      tasks: new Map(),
      team: DEFAULT_TEAM,
    });

    expect(report.length).toBeLessThan(16_000);
  });
});

describe('drawGraph', () => {
  test('draws what follows on what, with nodes side by side that wait for the same ones', () => {
    const nodes = [
      node('a', 'completed'),
      node('b', 'delegated', 'a'),
      node('c', 'pending', 'a'),
      node('d', 'pending', 'b', 'c'),
      node('e', 'pending', 'c'),
      node('f', 'blocked'),
    ];

    expect(drawGraph(nodes, new Set(), 'p', inEnglish)).toEqual(['a ✅ -> b 🔄, c ⏳ -> d ⏳', 'c -> e ⏳', 'f ❌']);
  });

  test('draws a plan of fifteen nodes in a few lines', () => {
    const first = ['02', '03', '04', '05', '06', '07'].map((id) => node(`p-${id}`, 'completed', 'p-01'));
    const nodes = [
      node('p-01', 'completed'),
      ...first,
      node('p-08', 'revision', 'p-04', 'p-07'),
      node('p-08b', 'completed', 'p-04', 'p-07'),
      node('p-09', 'blocked', 'p-07', 'p-03'),
      node('p-09b', 'completed', 'p-03', 'p-07'),
      node('p-10', 'delegated', 'p-05', 'p-06'),
      node('p-11', 'pending', 'p-02', 'p-08b', 'p-09b', 'p-10'),
      node('p-12', 'pending', 'p-11'),
      node('p-13', 'pending', 'p-12'),
    ];

    expect(drawGraph(nodes, new Set(['p-10']), 'p', inEnglish)).toEqual([
      '01 ✅ -> 02 ✅, 03 ✅, 04 ✅, 05 ✅, 06 ✅, 07 ✅',
      '04, 07 -> 08 🔁, 08b ✅',
      '03, 07 -> 09 ❌, 09b ✅',
      '05, 06 -> 10 🔄',
      '02, 08b, 09b, 10 -> 11 ⏳ -> 12 ⏳ -> 13 ⏳',
    ]);
  });

  test('folds long lines between nodes', () => {
    const wide = Array.from({ length: 12 }, (_, index) => node(`branch-${index}`, 'completed', 'a'));
    const chain = Array.from({ length: 12 }, (_, index) =>
      node(`chain-${index}`, 'pending', index === 0 ? 'nowhere' : `chain-${index - 1}`),
    );

    expect(drawGraph([node('a', 'completed'), ...wide], new Set(), 'p', inEnglish)).toEqual([
      'a ✅ -> branch-0 ✅, branch-1 ✅, branch-2 ✅, branch-3 ✅, branch-4 ✅, branch-5 ✅,',
      '   branch-6 ✅, branch-7 ✅, branch-8 ✅, branch-9 ✅, branch-10 ✅, branch-11 ✅',
    ]);
    expect(drawGraph(chain, new Set(), 'p', inEnglish)).toEqual([
      'chain-0 ⏳ -> chain-1 ⏳ -> chain-2 ⏳ -> chain-3 ⏳ -> chain-4 ⏳ -> chain-5 ⏳',
      '   -> chain-6 ⏳ -> chain-7 ⏳ -> chain-8 ⏳ -> chain-9 ⏳ -> chain-10 ⏳',
      '   -> chain-11 ⏳',
    ]);
  });

  test('draws cycles without end', () => {
    const cycle = [node('x', 'pending', 'y'), node('y', 'pending', 'x'), node('z', 'pending', 'z')];

    expect(drawGraph(cycle, new Set(), 'p', inEnglish)).toEqual(['y ⏳ -> x ⏳ -> y', 'z ⏳ -> z']);
  });

  test('draws a large graph around what changed, or from its start', () => {
    const nodes = Array.from({ length: 40 }, (_, index) =>
      node(`p-${index}`, 'pending', ...(index === 0 ? [] : [`p-${index - 1}`])),
    );

    expect(drawGraph(nodes, new Set(['p-20']), 'p', inEnglish)).toEqual(['19 ⏳ -> 20 ⏳ -> 21 ⏳', '… and 37 more']);
    expect(drawGraph(nodes, new Set(), 'p', inEnglish).at(0)).toMatch(/^0 ⏳ -> 1 ⏳ -> 2 ⏳ -> /);
  });

  test('every edge appears once, and every node once with its symbol', () => {
    const graphs = fc.array(fc.array(fc.nat(15), { maxLength: 4 }), { minLength: 1, maxLength: 16 });
    fc.assert(
      fc.property(graphs, (dependencies) => {
        const nodes = dependencies.map((ids, index) => node(`n${index}`, 'pending', ...ids.map((id) => `n${id}`)));
        const known = new Set(nodes.map(({ id }) => id));
        const edges = nodes.flatMap(({ id, dependsOn }) =>
          [...new Set(dependsOn)].filter((from) => known.has(from)).map((from) => `${from}>${id}`),
        );
        const drawing = drawGraph(nodes, new Set(), 'p', inEnglish).join('\n');
        const drawn = drawing
          .replaceAll('\n   ', ' ')
          .split('\n')
          .flatMap((line) => {
            const steps = line.split(' -> ').map((step) => step.replaceAll(' ⏳', '').split(', '));
            return steps.flatMap((ids, index) =>
              ids.flatMap((id) => (steps[index - 1] ?? []).map((from) => `${from}>${id}`)),
            );
          });
        const marked = Array.from(drawing.matchAll(/(\S+) ⏳/g), ([, id = '']) => id);
        expect(drawn.sort()).toEqual(edges.sort());
        expect(marked.toSorted()).toEqual([...known].toSorted());
      }),
    );
  });
});

test('drawLoop marks each iteration by its last decision', () => {
  const loop: Loop = {
    goal: 'g',
    stopCondition: 's',
    iterationTemplate: 't',
    maxIterations: 6,
    currentIteration: 4,
    status: 'running',
    history: [
      'Iteration 1: continue — a',
      'Iteration 2: replan — b',
      'Iteration 3: continue — c',
      'by hand: something',
    ],
  };

  expect(drawLoop(loop, 'Topic\nof today', { ...inEnglish, style: 'plain' })).toEqual([
    'Iteration 1 [done] -> Iteration 2 [revision] -> Iteration 3 [done] -> Iteration 4 [active] … Max 6',
    'Topic: Topic of today',
    'Last decision: by hand: something',
  ]);
  expect(drawLoop({ ...loop, currentIteration: 0, history: [] }, '', inEnglish)).toEqual(['Iteration 1 ⏳ … Max 6']);
});

test('a language that is not there yet falls back to English', () => {
  expect([labelsFor('en-GB'), labelsFor('xx'), labelsFor('')]).toEqual([
    labelsFor('en'),
    labelsFor('en'),
    labelsFor('en'),
  ]);
});
