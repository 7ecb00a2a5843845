import { describe, expect, test } from 'vitest';
import type { NodeStatus, PlanNode } from '../../src/protocol/plan-types.ts';
import type { ProjectMeta } from '../../src/protocol/records/types.ts';
import {
  automaticSteps,
  inState,
  isTerminalProject,
  nextProjectState,
  PROJECT_EVENTS,
  PROJECT_STATES,
  PROJECT_TRANSITIONS,
  projectState,
  projectStep,
} from '../../src/rules/project-lifecycle.ts';
import type { ProjectEvent, ProjectState } from '../../src/rules/project-lifecycle.ts';

/** features.md §3.2 and protocol.md §10.10, written out a second time: rows are states, entries are event → state. */
const EXPECTED: Readonly<Record<ProjectState | 'none', Partial<Record<ProjectEvent, ProjectState>>>> = {
  none: { create: 'planning', create_project: 'approved' },
  planning: { approve: 'approved', reject: 'rejected' },
  approved: {
    start: 'in_progress',
    complete_project: 'completed',
    block: 'paused',
    pause: 'paused',
    resume: 'approved',
  },
  in_progress: {
    test: 'testing',
    complete_project: 'completed',
    block: 'paused',
    pause: 'paused',
    resume: 'in_progress',
    fail: 'failed',
  },
  testing: {
    review: 'review',
    reopen: 'in_progress',
    complete_project: 'completed',
    pause: 'paused',
    resume: 'testing',
    fail: 'failed',
  },
  review: {
    reopen: 'in_progress',
    complete: 'completed',
    complete_project: 'completed',
    pause: 'paused',
    resume: 'review',
    fail: 'failed',
  },
  paused: { complete_project: 'completed', unblock: 'in_progress', pause: 'paused', resume: 'testing', fail: 'failed' },
  completed: { complete_project: 'completed' },
  failed: {},
  rejected: {},
};

const everyStep = (['none', ...PROJECT_STATES] as const).flatMap((from) =>
  PROJECT_EVENTS.map((event) => [from, event, EXPECTED[from][event]] as const),
);

const record = (state: ProjectState): ProjectMeta =>
  inState({ project_id: 'p', title: 'P', status: 'active', phase: 'testing' }, state);

describe('the project table', () => {
  test.each(everyStep)('from %s, %s leads to %s', (from, event, to) => {
    expect(nextProjectState(from, event, 'testing')).toBe(to);
    if (from === 'none') return;
    expect(projectState(record(from))).toBe(from);
    if (to !== undefined) expect(projectStep(record(from), event)).toBe(from === 'paused' || to !== from ? to : from);
    else {
      const text = `Invalid transition: ${from.toUpperCase()} + '${event}'`;
      expect(() => projectStep(record(from), event)).toThrow(text);
    }
  });

  test('holds one row for each step and no other', () => {
    const written = everyStep.filter(([, , to]) => to !== undefined).map(([from, event]) => `${from} ${event}`);
    expect(PROJECT_TRANSITIONS.map(({ from, event }) => `${from} ${event}`).sort()).toEqual(written.sort());
  });

  test('ends a project as completed, failed or rejected', () => {
    const statuses = ['planning', 'active', 'paused', 'blocked', 'completed', 'failed', 'rejected'] as const;
    expect(statuses.filter(isTerminalProject)).toEqual(['completed', 'failed', 'rejected']);
  });
});

describe('a record', () => {
  test('without a phase is approved, and stays without one until work begins', () => {
    const plain: ProjectMeta = { project_id: 'p', title: 'P', status: 'paused' };
    expect(projectState({ status: 'active' })).toBe('approved');
    expect(inState(plain, 'approved')).toEqual({ ...plain, status: 'active' });
    expect(inState(plain, 'in_progress')).toEqual({ ...plain, status: 'active', phase: 'in_progress' });
  });

  test('of an older tool is read by what it means', () => {
    expect(projectState({ status: 'planning' })).toBe('planning');
    expect(projectState({ status: 'blocked' })).toBe('paused');
  });

  test('keeps its phase while it is paused', () => {
    const paused = inState({ project_id: 'p', title: 'P', status: 'active', phase: 'review' }, 'paused');
    expect(paused).toMatchObject({ status: 'paused', phase: 'review' });
    expect(projectStep(paused, 'resume')).toBe('review');
  });
});

describe('the steps that a project takes by itself', () => {
  const node = (id: string, type: string, status: NodeStatus): PlanNode => ({
    id,
    title: id,
    assignee: '',
    dependsOn: [],
    status,
    type,
    line: 1,
  });
  const active = { project_id: 'p', title: 'P', status: 'active' } as const;
  const BY_ITSELF = { autoTransition: true };

  test.each([
    ['nothing given out', 'approved', [node('a', 'dev', 'pending')], []],
    ['one given out', 'approved', [node('a', 'dev', 'delegated')], ['start']],
    ['some dev work open', 'in_progress', [node('a', 'dev', 'completed'), node('b', 'dev', 'delegated')], []],
    ['all dev work accepted', 'in_progress', [node('a', 'dev', 'completed'), node('b', 'test', 'pending')], ['test']],
    ['no dev work at all', 'in_progress', [node('a', 'docs', 'completed')], []],
    [
      'dev and test work accepted',
      'approved',
      [node('a', 'dev', 'completed'), node('b', 'test', 'completed')],
      ['start', 'test', 'review'],
    ],
    ['no test work', 'testing', [node('a', 'dev', 'completed')], []],
    ['planning', 'planning', [node('a', 'dev', 'completed')], []],
  ] as const)('with %s, from %s: %j', (_, phase, nodes, steps) => {
    expect(automaticSteps({ ...active, phase }, { nodes }, BY_ITSELF)).toEqual(steps);
  });

  test('are only the start where the team takes the others by hand (S002-34)', () => {
    const nodes = [node('a', 'dev', 'completed'), node('b', 'test', 'completed')];
    const steps = (phase: 'approved' | 'in_progress' | 'testing') =>
      automaticSteps({ ...active, phase }, { nodes }, { autoTransition: false });
    expect([steps('approved'), steps('in_progress'), steps('testing')]).toEqual([['start'], [], []]);
  });

  test.each(['superseded', 'taken-back', 'not-needed'])('do not count work that is withdrawn as %s', (cancelled) => {
    const gone = { ...node('a', 'dev', 'cancelled'), cancelled };
    const steps = (...nodes: readonly PlanNode[]) =>
      automaticSteps({ ...active, phase: 'in_progress' }, { nodes: [gone, ...nodes] }, BY_ITSELF);
    expect(steps(node('b', 'dev', 'completed'))).toEqual(['test']);
    // Of a kind of which nothing is left, nothing is accepted.
    expect(steps()).toEqual([]);
  });

  test('wait for work that has failed, until it is handed over', () => {
    const nodes = [node('a', 'dev', 'blocked'), node('b', 'dev', 'completed')];
    expect(automaticSteps({ ...active, phase: 'in_progress' }, { nodes }, BY_ITSELF)).toEqual([]);
  });

  test('wait in a project that was reopened until something more is accepted', () => {
    const nodes = [node('a', 'dev', 'completed')];
    const meta = { ...active, phase: 'in_progress', reopened: 1 } as const;
    expect(automaticSteps(meta, { nodes }, BY_ITSELF)).toEqual([]);
    expect(automaticSteps(meta, { nodes: [...nodes, node('b', 'dev', 'completed')] }, BY_ITSELF)).toEqual(['test']);
  });
});
