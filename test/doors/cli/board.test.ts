import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  layersOf,
  renderBoard,
  type BoardLoop,
  type BoardNode,
  type BoardProject,
} from '../../../src/doors/cli/board.ts';
import { boardProjects } from '../../../src/doors/cli/board-data.ts';
import { displayWidth } from '../../../src/doors/cli/text.ts';

const node = (
  id: string,
  status: string,
  dependsOn: readonly string[] = [],
  more: Partial<BoardNode> = {},
): BoardNode => ({
  id,
  title: `Title of ${id}`,
  status,
  assignee: 'ana',
  dependsOn,
  ...more,
});

const diamond: BoardProject = {
  id: 'report',
  title: 'Release report',
  status: 'active',
  kind: 'dag',
  nodes: [
    node('report-01', 'completed'),
    node('report-02', 'delegated', ['report-01'], { task: 'in_progress', assignee: 'bo' }),
    node('report-03', 'pending', ['report-01']),
    node('report-04', 'pending', ['report-02', 'report-03'], { assignee: '' }),
    node('report-05', 'blocked', ['report-01']),
    node('report-06', 'revision', ['report-01']),
  ],
  ready: ['report-03'],
};

describe('the board of a DAG', () => {
  test('shows layers, markers, owners, states and what each node waits for', () => {
    expect(renderBoard([diamond], { color: false, width: 100 })).toBe(
      [
        'Release report',
        'report · dag · active · 1 of 6 nodes accepted',
        '',
        '  1  [x]  01  Title of report-01  ana  completed',
        '  2  [~]  02  Title of report-02  bo   in_progress  ← 01',
        '     [ ]  03  Title of report-03  ana  ready        ← 01',
        '     [!]  05  Title of report-05  ana  blocked      ← 01',
        '     [→]  06  Title of report-06  ana  revision     ← 01',
        '  3  [ ]  04  Title of report-04  -    waiting      ← 02 03',
        '',
      ].join('\n'),
    );
  });

  test('has no colour codes unless colour is wanted', () => {
    expect(renderBoard([diamond], { color: false, width: 80 })).not.toContain('\u001b[');
    expect(renderBoard([diamond], { color: true, width: 80 })).toContain('\u001b[');
  });

  test('cuts long titles to the terminal and cannot be steered by them', () => {
    const wild = { ...diamond, nodes: [node('report-01', 'pending', [], { title: `\u001b[2J${'計画'.repeat(80)}` })] };
    const lines = renderBoard([wild], { color: false, width: 60 }).split('\n');
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(60);
    expect(lines.join('')).not.toContain('\u001b');
  });

  test('says what to do when there is nothing', () => {
    expect(renderBoard([], { color: false, width: 80 })).toBe(
      'no projects yet: `baton project create TITLE` makes one\n',
    );
    expect(renderBoard([{ ...diamond, nodes: [], ready: [] }], { color: false, width: 80 })).toContain(
      'no tasks planned',
    );
  });
});

describe('layers', () => {
  test('put every node once, below all that it depends on', () => {
    const graph = fc
      .integer({ min: 1, max: 25 })
      .chain((size) =>
        fc.tuple(
          ...Array.from({ length: size }, (_, index) =>
            fc
              .uniqueArray(fc.integer({ min: 0, max: Math.max(0, index - 1) }), { maxLength: index })
              .map((above) => node(`n${index}`, 'pending', index === 0 ? [] : above.map((other) => `n${other}`))),
          ),
        ),
      );
    fc.assert(
      fc.property(graph, (nodes) => {
        const layers = layersOf(nodes);
        const depth = new Map(layers.flatMap((layer, index) => layer.map(({ id }) => [id, index] as const)));
        expect([...depth.keys()].toSorted()).toEqual(nodes.map(({ id }) => id).toSorted());
        for (const { id, dependsOn } of nodes) {
          for (const above of dependsOn) expect(depth.get(above)).toBeLessThan(depth.get(id) ?? -1);
        }
      }),
    );
  });

  test('are drawn for a broken plan as well: cycles end, unknown dependencies count as met', () => {
    const layers = layersOf([node('a', 'pending', ['b']), node('b', 'pending', ['a']), node('c', 'pending', ['gone'])]);
    expect(layers.map((layer) => layer.map(({ id }) => id))).toEqual([['b', 'c'], ['a']]);
  });
});

describe('the board of a Loop', () => {
  const turning: BoardLoop = {
    goal: 'Polish the report',
    stopCondition: 'No finding is left',
    status: 'running',
    currentIteration: 3,
    maxIterations: 5,
    history: [
      'Iteration 1: continue — Nine findings Next: fix them',
      'Iteration 2: replan — Two findings',
      'by hand: words',
    ],
  };
  const loop: BoardProject = {
    ...diamond,
    kind: 'loop',
    nodes: [node('report-i003-01', 'delegated')],
    ready: [],
    loop: turning,
  };

  test('shows goal, stop condition, the iterations decided and under way, and the current tasks', () => {
    expect(renderBoard([loop], { color: false, width: 100 })).toBe(
      [
        'Release report',
        'report · loop · active · 0 of 1 node accepted',
        '',
        '  goal       Polish the report',
        '  stop when  No finding is left',
        '  loop       running, iteration 3 of at most 5',
        '  (1 ✓)──(2 ✓)──(3 ●)─ ─ max 5',
        '  #1         continue      Nine findings Next: fix them',
        '  #2         replan        Two findings',
        '             ?             by hand: words',
        '',
        '  1  [~]  i003-01  Title of report-i003-01  ana  delegated',
        '',
      ].join('\n'),
    );
  });

  test('ends where the loop ended', () => {
    const ended = {
      ...loop,
      loop: {
        ...turning,
        status: 'blocked',
        currentIteration: 2,
        history: ['Iteration 1: continue — a', 'Iteration 2: stop_blocked — b'],
      },
    };
    expect(renderBoard([ended], { color: false, width: 100 })).toContain('\n  (1 ✓)──(2 ✗)\n');
  });
});

describe('the answer that a board is read from', () => {
  test('is a list of workflow records', () => {
    expect(
      boardProjects({
        projects: [
          {
            project_id: 'report',
            title: 'Release report',
            status: 'active',
            plan_type: 'dag',
            nodes: [
              { id: 'report-01', name: 'Collect', status: 'completed', assignee: 'ana' },
              { id: 'report-02', name: 'Write', status: 'delegated' },
              { id: 'report-03', name: 'Read', status: 'pending' },
            ],
            edges: [{ source: 'report-01', target: 'report-02', conditional: false }],
            next: ['report-03'],
            tasks_detail: [{ task_id: 'report-02', status: 'submitted' }],
          },
        ],
      }),
    ).toEqual([
      {
        id: 'report',
        title: 'Release report',
        status: 'active',
        kind: 'dag',
        nodes: [
          { id: 'report-01', title: 'Collect', status: 'completed', assignee: 'ana', dependsOn: [] },
          {
            id: 'report-02',
            title: 'Write',
            status: 'delegated',
            assignee: '',
            dependsOn: ['report-01'],
            task: 'submitted',
          },
          { id: 'report-03', title: 'Read', status: 'pending', assignee: '', dependsOn: [] },
        ],
        ready: ['report-03'],
      },
    ]);
  });

  test('may lack anything', () => {
    expect(boardProjects({})).toEqual([]);
    expect(boardProjects({ projects: [null, 3, {}] })).toEqual([
      { id: '', title: '', status: '', kind: 'dag', nodes: [], ready: [] },
    ]);
  });
});
