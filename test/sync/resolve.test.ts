import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSetAside, resolveFile, setAsidePath } from '../../src/sync/resolve.ts';
import type { Divergence, Resolution, Side } from '../../src/sync/resolve.ts';
import { PLAN } from './workshop.ts';

interface Case {
  readonly path?: string;
  readonly base?: string | undefined;
  readonly local?: string | undefined;
  readonly remote?: string | undefined;
  readonly owner?: Side;
  readonly leaderSide?: Side;
}

const bytes = (text: string | undefined): Uint8Array | undefined =>
  text === undefined ? undefined : Buffer.from(text, 'utf8');

function resolve({ path = 'shared/projects/p/result.md', base, local, remote, owner, leaderSide }: Case): Resolution {
  const divergence: Divergence = {
    path,
    base: bytes(base),
    local: bytes(local),
    remote: bytes(remote),
    owner,
    leaderSide,
  };
  return resolveFile(divergence);
}

const META = 'shared/tasks/t/meta.json';

function resolveRecord(base: object, local: object, remote: object, options: Case = {}): unknown {
  const outcome = resolve({
    path: META,
    base: JSON.stringify(base),
    local: JSON.stringify(local),
    remote: JSON.stringify(remote),
    leaderSide: 'remote',
    ...options,
  });
  return outcome.kind === 'text' ? JSON.parse(outcome.text) : outcome;
}

const entry = (minute: number, action: string): object => ({
  ts: `2026-11-20T10:${String(minute).padStart(2, '0')}:00Z`,
  from: 'a',
  to: 'b',
  action,
  actor: 'worker:ana',
});

describe('a path that one side changed', () => {
  test.each<[string, Case, Side]>([
    ['local only', { base: 'a', local: 'b', remote: 'a' }, 'local'],
    ['remote only', { base: 'a', local: 'a', remote: 'b' }, 'remote'],
    ['both alike', { base: 'a', local: 'b', remote: 'b' }, 'remote'],
    ['removed locally', { base: 'a', local: undefined, remote: 'a' }, 'local'],
    ['removed remotely', { base: 'a', local: 'a', remote: undefined }, 'remote'],
    ['added locally', { local: 'a' }, 'local'],
    ['added remotely', { remote: 'a' }, 'remote'],
  ])('takes that side: %s', (_, given, side) => expect(resolve(given)).toEqual({ kind: 'take', side }));
});

describe('a path that both sides changed', () => {
  test('takes the side of its single owner, also when that one removed it', () => {
    expect(resolve({ base: 'a', local: 'b', remote: 'c', owner: 'local' })).toEqual({ kind: 'take', side: 'local' });
    expect(resolve({ base: 'a', local: 'b', remote: 'c', owner: 'remote' })).toEqual({ kind: 'take', side: 'remote' });
    expect(resolve({ base: 'a', local: undefined, remote: 'c', owner: 'local' })).toEqual({
      kind: 'take',
      side: 'local',
    });
  });

  test('keeps the remote and sets the local text aside when no rule decides', () => {
    expect(resolve({ base: 'a', local: 'b', remote: 'c' })).toEqual({ kind: 'set-aside' });
    expect(resolve({ base: 'a', local: 'b', remote: undefined })).toEqual({ kind: 'set-aside' });
    expect(resolve({ base: 'a', local: undefined, remote: 'c' })).toEqual({ kind: 'take', side: 'remote' });
    expect(resolve({ path: META, base: '{}', local: 'x', remote: 'y' })).toEqual({ kind: 'set-aside' });
  });

  test('sets bytes aside that are no text, whatever the file is called', () => {
    const local = Uint8Array.from([0xff, 0xfe, 0]);
    const remote = Uint8Array.from([0x7b, 0]);
    const divergence = { path: META, base: undefined, local, remote, owner: undefined, leaderSide: undefined };
    expect(resolveFile(divergence)).toEqual({ kind: 'set-aside' });
  });

  test('takes the side whose JSON can be read', () => {
    expect(resolve({ path: META, base: '{}', local: '{"a":1}', remote: '{' })).toEqual({ kind: 'take', side: 'local' });
    expect(resolve({ path: META, base: '{}', local: '{', remote: '{"a":1}' })).toEqual({
      kind: 'take',
      side: 'remote',
    });
  });

  test('merges a plan by node, and keeps prose that cannot be merged beside it', () => {
    const path = 'shared/projects/p/plan.md';
    expect(
      resolve({
        path,
        base: PLAN,
        local: PLAN.replace('[~] t-ana — First', '[x] t-ana — First'),
        remote: PLAN.replace('[~] t-ana — First', '[~] t-ana — First thing'),
      }),
    ).toEqual({ kind: 'text', text: PLAN.replace('[~] t-ana — First', '[x] t-ana — First thing') });
    const prose = resolve({
      path,
      base: PLAN,
      local: PLAN.replace('# Team Project: P', '# Ours'),
      remote: PLAN.replace('# Team Project: P', '# Theirs'),
    });
    expect(prose).toMatchObject({ kind: 'set-aside' });
    expect(JSON.stringify(prose)).not.toContain('<<<<');
  });

  test('unites the lines of an event log, each once', () => {
    const path = 'shared/events/2026-11/ana.jsonl';
    expect(resolve({ path, base: '1\n', local: '1\n3\n4\n', remote: '1\r\n2\r\n3' })).toEqual({
      kind: 'text',
      text: '1\n2\n3\n4\n',
    });
  });

  test('merges other JSON by field, nested objects too', () => {
    const path = 'shared/team.json';
    const base = { name: 'a', policies: { language: 'en', reportStyle: 'emoji' }, rooms: ['x'] };
    const local = { ...base, policies: { language: 'de', reportStyle: 'emoji' }, rooms: ['y'], more: 1 };
    const remote = { ...base, name: 'b', policies: { language: 'en', reportStyle: 'plain' }, rooms: ['z'] };
    expect(resolveRecord(base, local, remote, { path })).toEqual({
      name: 'b',
      policies: { language: 'de', reportStyle: 'plain' },
      rooms: ['z'],
      more: 1,
    });
  });

  test('leaves an agent its own status and the Leader all else', () => {
    const path = 'shared/agents/ana.json';
    const base = { agent_id: 'ana', status: 'IDLE', enabled: true };
    const merged = resolveRecord(
      base,
      { ...base, status: 'ACTIVE', enabled: 'mine' },
      { ...base, status: 'OFFLINE', enabled: false },
      { path, leaderSide: 'remote' },
    );
    expect(merged).toEqual({ agent_id: 'ana', status: 'ACTIVE', enabled: false });
  });
});

describe('a task record that both sides changed', () => {
  const BASE = { task_id: 't', project_id: 'p', task_title: 'T', assigned_to: 'ana', status: 'assigned' };

  test('takes each field from its owner and the status that is further', () => {
    const merged = resolveRecord(
      BASE,
      { ...BASE, status: 'submitted', summary: 'done', task_title: 'mine', submission_id: 's1', room_id: 'stolen' },
      {
        ...BASE,
        status: 'in_progress',
        summary: 'no',
        task_title: 'Better',
        submission_id: 's0',
        room_id: '!r',
        event_id: '$e',
      },
    );
    expect(merged).toEqual({
      ...BASE,
      status: 'submitted',
      summary: 'done',
      task_title: 'Better',
      submission_id: 's1',
      room_id: '!r',
      event_id: '$e',
    });
  });

  test.each([
    ['submitted', 'cancelled', 'cancelled'],
    ['in_progress', 'prepared', 'in_progress'],
    ['submitted', 'completed', 'completed'],
    ['revision', 'completed', 'completed'],
    ['submitted', 'made-up', 'submitted'],
    ['made-up', 'other', 'other'],
  ])('status %s against %s becomes %s on either side', (left, right, winner) => {
    const one = resolveRecord({ ...BASE, status: 'assigned' }, { ...BASE, status: left }, { ...BASE, status: right });
    expect(one).toMatchObject({ status: winner });
  });

  test('loses neither room nor assignee nor project to a copy that lacks them', () => {
    const whole = { ...BASE, room_id: '!r' };
    const { assigned_to: _assignee, project_id: _project, ...poor } = BASE;
    expect(resolveRecord(whole, { ...whole, status: 'in_progress' }, { ...poor, room_id: '', note: 1 })).toEqual({
      ...whole,
      status: 'in_progress',
      note: 1,
    });
  });

  test('keeps the earliest of times that are set once', () => {
    const merged = resolveRecord(
      BASE,
      { ...BASE, acknowledged_at: '2026-11-20T10:00:05Z', submitted_at: '2026-11-20T11:00:00Z' },
      { ...BASE, acknowledged_at: '2026-11-20T10:00:01Z', submitted_at: '2026-11-20T13:00:00+01:00' },
    );
    expect(merged).toMatchObject({ acknowledged_at: '2026-11-20T10:00:01Z', submitted_at: '2026-11-20T11:00:00Z' });
  });

  test('unites histories in the order of time, the newest fifty', () => {
    const shared = Array.from({ length: 49 }, (_, minute) => entry(minute, 'progress'));
    const merged = resolveRecord(
      { ...BASE, history: shared },
      { ...BASE, history: [...shared, entry(55, 'submit_task')] },
      { ...BASE, history: [...shared, entry(52, 'cancel_task')] },
    ) as { history: readonly object[] };
    expect(merged.history).toEqual([...shared.slice(1), entry(52, 'cancel_task'), entry(55, 'submit_task')]);
  });

  test('leaves each history in its own order, whatever a clock said, and lets an end come last', () => {
    const step = (ts: string, from: string, to: string): object => ({ ts, from, to, action: to, actor: 'lead' });
    const shared = [
      step('2026-11-20T11:00:00Z', 'planned', 'assigned'),
      step('2026-11-20T10:01:00Z', 'assigned', 'in_progress'),
    ];
    const submitted = step('2026-11-20T11:03:00Z', 'in_progress', 'submitted');
    const cancelled = step('2026-11-20T10:02:00Z', 'in_progress', 'cancelled');
    const [one, other] = [submitted, cancelled].map((last) => ({ ...BASE, history: [...shared, last] }));
    for (const [local, remote] of [
      [one, other],
      [other, one],
    ]) {
      const { history } = resolveRecord({ ...BASE, history: shared }, local ?? {}, remote ?? {}) as {
        history: unknown;
      };
      expect(history).toEqual([...shared, submitted, cancelled]);
    }
  });

  test('lets a result come behind a delegation that knew nothing of it, so that the history ends where the task is', () => {
    const step = (second: number, from: string, to: string): object => ({
      ts: `2026-11-20T10:00:0${second}Z`,
      from,
      to,
      action: to === 'submitted' ? 'submit_task' : 'delegate_task',
      actor: to === 'submitted' ? 'worker:ana' : 'leader:lead',
    });
    const shared = [step(0, 'planned', 'prepared'), step(0, 'prepared', 'assigned')];
    const base = { ...BASE, status: 'assigned', history: shared };
    const submitted = step(1, 'assigned', 'submitted');
    const delegated = [2, 3].flatMap((at) => [step(at, 'assigned', 'prepared'), step(at, 'prepared', 'assigned')]);
    const [mine, theirs] = [
      { ...base, status: 'submitted', history: [...shared, submitted] },
      { ...base, history: [...shared, ...delegated] },
    ];
    for (const merged of [resolveRecord(base, mine, theirs), resolveRecord(base, theirs, mine)])
      expect(merged).toMatchObject({ status: 'submitted', history: [...shared, ...delegated, submitted] });
  });

  test('keeps steps that came again within one second', () => {
    const step = (from: string, to: string, note?: string): object => ({
      ts: '2026-11-20T10:00:00Z',
      from,
      to,
      action: note === undefined ? 'delegate_task' : 'progress',
      ...(note === undefined ? {} : { note }),
    });
    const shared = [step('planned', 'prepared'), step('prepared', 'assigned')];
    const base = { ...BASE, status: 'assigned', history: shared };
    const submitted = { ...entry(5, 'submit_task'), from: 'assigned', to: 'submitted' };
    const again = [...shared, step('assigned', 'prepared'), step('prepared', 'assigned')];
    const notes = [...shared, step('assigned', 'assigned', 'one'), step('assigned', 'assigned', 'two')];
    for (const longer of [again, notes]) {
      const [mine, theirs] = [
        { ...base, history: longer, summary: 'mine' },
        { ...base, history: [...shared, submitted], summary: 'theirs' },
      ];
      for (const merged of [resolveRecord(base, mine, theirs), resolveRecord(base, theirs, mine)])
        expect(merged).toMatchObject({ history: [...longer, submitted] });
    }
  });

  test('unites two histories to the same one from either side, without a step lost or out of its order', () => {
    const steps = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 12 });
    const pair = fc.tuple(steps, steps, steps);
    const named = (ids: readonly number[], side: string): readonly object[] =>
      ids.map((id) => ({ ...entry(id, side), to: ['cancelled', 'assigned'][id % 7] ?? 'in_progress' }));
    fc.assert(
      fc.property(pair, ([first, mine, theirs]) => {
        const base = named(first, 'shared');
        const [local, remote] = [
          [...base, ...named(mine, 'mine')],
          [...base, ...named(theirs, 'theirs')],
        ];
        const unite = (ours: readonly object[], others: readonly object[]): readonly object[] =>
          (
            resolveRecord({ ...BASE, history: base }, { ...BASE, history: ours }, { ...BASE, history: others }) as {
              history: readonly object[];
            }
          ).history;
        const merged = unite(local, remote);
        expect(unite(remote, local)).toEqual(merged);
        const words = merged.map((one) => JSON.stringify(one));
        for (const side of [local, remote]) {
          const own = side.map((one) => JSON.stringify(one));
          expect(words.filter((word) => own.includes(word))).toEqual(own);
        }
        expect(merged).toHaveLength(new Set([...local, ...remote].map((one) => JSON.stringify(one))).size);
      }),
    );
  });

  test('keeps an answered question answered and a resolved submission resolved', () => {
    const question = {
      kind: 'decision',
      question: 'Which?',
      attempt: 1,
      requestedAt: '2026-11-20T10:00:00Z',
      resolved: false,
    };
    const other = { ...question, question: 'When?' };
    const merged = resolveRecord(
      { ...BASE, attention: [question] },
      { ...BASE, attention: [question, other], continuation: { status: 'pending', delivery_id: 'd' } },
      {
        ...BASE,
        attention: [{ ...question, resolved: true }],
        continuation: { status: 'resolved', delivery_id: 'd', resolution: 'completed' },
      },
    );
    expect(merged).toMatchObject({
      attention: [{ ...question, resolved: true }, other],
      continuation: { status: 'resolved', delivery_id: 'd', resolution: 'completed' },
    });
  });

  test.each(['local', 'remote'] as const)('keeps an answer that only the %s side has', (side) => {
    const question = { kind: 'decision', question: 'Which?', attempt: 1, requestedAt: '2026-11-20T10:00:00Z' };
    const open = { ...question, resolved: false };
    const told = { ...question, eventId: '$q', resolved: false };
    const answered = {
      ...question,
      resolved: true,
      answer: 'b',
      answeredBy: 'admin',
      answeredAt: '2026-11-20T11:00:00Z',
    };
    const [local, remote] = side === 'local' ? [answered, told] : [told, answered];
    const merged = resolveRecord(
      { ...BASE, attention: [open] },
      { ...BASE, attention: [local] },
      { ...BASE, attention: [remote] },
    );
    expect(merged).toMatchObject({ attention: [{ ...answered, eventId: '$q' }] });
  });

  test('meets itself in another spelling', () => {
    const merged = resolveRecord(
      { taskId: 't', projectId: 'p', taskTitle: 'T', assignedTo: '@ana:d', status: 'assigned' },
      { ...BASE, assigned_to_mxid: '@ana:d', status: 'in_progress' },
      { taskId: 't', projectId: 'p', taskTitle: 'T', assignedTo: '@ana:d', status: 'assigned', eventId: '$e' },
    );
    expect(merged).toEqual({ ...BASE, assigned_to_mxid: '@ana:d', status: 'in_progress', event_id: '$e' });
  });

  test('holds the same whichever side is called local', () => {
    const status = fc.constantFrom('prepared', 'assigned', 'in_progress', 'submitted', 'completed', 'cancelled');
    const record = fc.record({
      status,
      summary: fc.constantFrom('one', 'two'),
      room_id: fc.constantFrom('!a', '!b'),
      acknowledged_at: fc.constantFrom('2026-11-20T10:00:00Z', '2026-11-20T09:00:00Z'),
    });
    fc.assert(
      fc.property(record, record, record, (base, worker, leader) => {
        const one = resolveRecord(
          { ...BASE, ...base },
          { ...BASE, ...worker },
          { ...BASE, ...leader },
          { leaderSide: 'remote' },
        );
        const two = resolveRecord(
          { ...BASE, ...base },
          { ...BASE, ...leader },
          { ...BASE, ...worker },
          { leaderSide: 'local' },
        );
        const value = (outcome: unknown, local: object, remote: object): unknown => {
          const { kind, side } = outcome as { kind?: string; side?: Side };
          return kind === 'take' ? { ...BASE, ...(side === 'local' ? local : remote) } : outcome;
        };
        expect(value(one, worker, leader)).toEqual(value(two, leader, worker));
      }),
    );
  });

  test('treats keys such as __proto__ as data', () => {
    const outcome = resolve({
      path: META,
      base: '{"a":1}',
      local: '{"a":2,"__proto__":{"x":1}}',
      remote: '{"a":3,"constructor":"c"}',
    });
    expect(outcome).toMatchObject({ kind: 'text', text: expect.stringContaining('"__proto__"') as unknown });
    expect(({} as Record<string, unknown>)['x']).toBe(undefined);
  });
});

describe('a text that is set aside', () => {
  test('gets a name beside its file that holds nothing else', () => {
    expect(setAsidePath('a/b.md', 'ana', () => false)).toBe('a/b.md.conflict-ana');
    expect(setAsidePath('a/b.md', 'ana', (path) => path === 'a/b.md.conflict-ana')).toBe('a/b.md.2.conflict-ana');
    expect(setAsidePath('a/b.md', 'a/../x', () => false)).toBe('a/b.md.conflict-a_.._x');
    expect(isSetAside('a/b.md.2.conflict-ana')).toBe(true);
    expect(isSetAside('a.conflict-x/b.md')).toBe(false);
  });
});
