import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkAnswer } from '../../src/dialects/engine-check.ts';
import {
  NOTICES,
  alertText,
  contradiction,
  digestText,
  silencedBy,
  taskText,
  urgentPings,
  withPlace,
} from '../../src/dialects/engine-notify.ts';

const subtask = {
  id: 'subtask_01',
  task_id: 'TASK-001-01',
  title: 'Part',
  status: 'IN_PROGRESS',
  progress: 40,
  agent: 'bo',
};
const task = {
  task_id: 'TASK-001',
  title: 'Build *it* for @everyone',
  status: 'TESTING',
  priority: 'P1',
  progress: 40,
  eta: '2026-09-02T00:00:00Z',
  subtasks: [subtask, { ...subtask, id: 'subtask_02', status: 'DONE', progress: 100 }],
  history: [
    { from: 'APPROVED', to: 'IN_PROGRESS' },
    { from: 'IN_PROGRESS', to: 'TESTING', note: 'by itself' },
  ],
};

describe('a text for a chat', () => {
  test('tells of a new task', () => {
    expect(taskText(task, 'created', 'discord')).toBe(
      '🆕 **TASK-001** created: Build \\*it\\* for ＠everyone\n🧪 TESTING · P1 · eta 2026-09-02T00:00:00Z',
    );
  });

  test('tells how far a task is, with its subtasks', () => {
    expect(taskText(task, 'status', 'plain').split('\n')).toEqual([
      'TASK-001 Build *it* for ＠everyone',
      '🧪 TESTING · P1 · [████░░░░░░] 40% · eta 2026-09-02T00:00:00Z',
      '- subtask_01 🔨 IN_PROGRESS [████░░░░░░] 40% Part · bo',
      '- subtask_02 🎉 DONE [██████████] 100% Part · bo',
    ]);
  });

  test('tells the last step', () => {
    expect(taskText(task, 'transition', 'plain')).toBe(
      'TASK-001: IN_PROGRESS → 🧪 TESTING (by itself) · Build *it* for ＠everyone',
    );
    expect(taskText({ ...task, history: [] }, 'transition', 'plain')).toContain('TASK-001: 🧪 TESTING');
  });

  test('tells the end, and does not claim one that has not come', () => {
    expect(taskText({ ...task, status: 'COMPLETED', progress: 100 }, 'completed', 'plain').split('\n')).toEqual([
      '🎉 TASK-001 completed: Build *it* for ＠everyone',
      '[██████████] 100%',
      '1 of 2 subtasks done',
    ]);
    expect(taskText(task, 'completed', 'plain')).toContain('TASK-001 is not completed');
  });

  test('calls people about an alert, with what mends it', () => {
    const alert = { message: 'bo is silent', command: "baton message send --message '@bo: hello?'" };
    expect(alertText(task, { type: 'stuck', subtask, pings: ['<@42>'], alert }, 'discord').split('\n')).toEqual([
      '🚨 <@42> **TASK-001**/**subtask_01** STUCK: Part',
      '🔨 IN_PROGRESS · [████░░░░░░] 40% · bo',
      'bo is silent',
      "`baton message send --message '@bo: hello?'`",
    ]);
  });

  test.each([
    ['stuck', 'DONE', 'TASK-001/subtask_01 is DONE, and not stuck'],
    ['slow', 'FAILED', 'TASK-001/subtask_01 is FAILED, and not slow'],
    ['overdue', 'DONE', 'TASK-001/subtask_01 is DONE, and not overdue'],
    ['failed', 'DONE', 'TASK-001/subtask_01 is DONE, and not failed'],
    ['failed', 'IN_PROGRESS', 'TASK-001/subtask_01 is IN_PROGRESS, and not failed'],
    ['failed', 'FAILED', undefined],
    ['stuck', 'IN_PROGRESS', undefined],
    ['overdue', 'PENDING', undefined],
    ['overdue', 'BLOCKED', undefined],
  ] as const)('raises no alarm that contradicts its subject: %s while %s', (type, status, said) => {
    expect(contradiction(task, type, { ...subtask, status })).toBe(said);
  });

  test('raises no alarm for a whole task that has ended, nor for a failure that no part of it had', () => {
    const done = { ...task, status: 'COMPLETED' };
    expect(contradiction(done, 'overdue', undefined)).toBe('TASK-001 is COMPLETED, and not overdue');
    expect(contradiction(done, 'failed', undefined)).toBe('TASK-001 is COMPLETED, and not failed');
    expect(contradiction({ ...task, subtasks: [{ status: 'FAILED' }] }, 'failed', undefined)).toBeUndefined();
  });

  test('mentions nobody by what others have written', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('discord', 'plain'), (title, style) => {
        for (const notice of NOTICES) {
          if (notice !== 'alert') expect(taskText({ ...task, title }, notice, style)).not.toContain('@');
        }
      }),
    );
  });
});

const envelope = {
  ok: true,
  alerts: [
    { type: 'failed', projectId: 'TASK-001', taskId: 'TASK-001-01', title: 'Part', message: 'failed', command: 'do' },
  ],
  summary: { projects: 1, tasks: 1, states: {}, alerts: {} },
  checked: 1,
  skipped: [{ path: 'shared/tasks/x/meta.json', reason: 'not JSON' }],
  items: [
    {
      kind: 'composite',
      id: 'TASK-001',
      title: 'T',
      status: 'active',
      phase: 'in_progress',
      priority: 'P2',
      progress: 50,
    },
  ],
};

describe('what a team says of texts for a chat (S002-34)', () => {
  const notifications = { heartbeatUpdates: true, transitions: true, urgentPing: true, completionSummary: true };
  const discord = { enabled: true, humanIds: ['42', '43'], notifications };
  const silent = (name: keyof typeof notifications) =>
    (['digest', ...NOTICES] as const).filter(
      (what) => silencedBy(what, { ...discord, notifications: { ...notifications, [name]: false } }) !== undefined,
    );

  test('keeps kinds of texts from being told, each by the setting that it names', () => {
    expect((['digest', ...NOTICES] as const).filter((what) => silencedBy(what, discord) !== undefined)).toEqual([]);
    expect([
      silent('heartbeatUpdates'),
      silent('transitions'),
      silent('completionSummary'),
      silent('urgentPing'),
    ]).toEqual([['digest'], ['transition'], ['completed'], []]);
  });

  test('calls its people about an alert on Discord, unless it wants none called', () => {
    expect(urgentPings(discord, 'discord')).toEqual(['<@42>', '<@43>']);
    expect(urgentPings(discord, 'plain')).toEqual([]);
    expect(urgentPings({ ...discord, notifications: { ...notifications, urgentPing: false } }, 'discord')).toEqual([]);
  });

  test('links to its place on Discord', () => {
    expect(withPlace('text', discord, 'discord')).toBe('text');
    expect(withPlace('text', { ...discord, guild: '1' }, 'discord')).toBe('text\n🔗 <https://discord.com/channels/1>');
    expect(withPlace('text', { ...discord, guild: '1', category: '2' }, 'plain')).toBe(
      'text\n🔗 https://discord.com/channels/1/2',
    );
  });
});

describe('the answer of a check', () => {
  test('names subtasks as parts of their task, and tells what has gone on', () => {
    const moved = { ok: true, from: 'in_progress', state: 'testing', steps: ['test'] };
    // The envelope is of the look that follows the steps.
    const items = envelope.items.map((item) => ({ ...item, phase: 'testing' }));
    const answer = checkAnswer({ ...envelope, items }, [
      { id: 'TASK-001', answer: moved },
      { id: 'TASK-002', answer: { ok: false, error: 'somebody was quicker' } },
    ]);
    expect(answer).toMatchObject({
      alerts: [{ type: 'failed', task_id: 'TASK-001', subtask_id: 'subtask_01' }],
      transitions: [{ task_id: 'TASK-001', from: 'IN_PROGRESS', to: 'TESTING', events: ['test'] }],
      skipped: [{ reason: 'not JSON' }, { reason: 'somebody was quicker' }],
      checked: 1,
    });
    expect(digestText(answer, 'plain').split('\n')).toEqual([
      '📋 Heartbeat digest: 1 open task, 1 alert',
      '➡️ TASK-001: IN_PROGRESS → 🧪 TESTING',
      '🚨 TASK-001/subtask_01 FAILED: failed do',
      'TASK-001 🧪 TESTING [█████░░░░░] 50% T',
      '⚠️ skipped shared/tasks/x/meta.json: not JSON',
      '⚠️ skipped shared/projects/TASK-002/plan.md: somebody was quicker',
    ]);
  });

  test('fits into one message of Discord, and says what it left out', () => {
    const items = Array.from({ length: 200 }, (_, index) => ({ ...envelope.items[0], id: `TASK-${index}` }));
    const text = digestText(checkAnswer({ ...envelope, items }, []), 'discord');
    expect(text.length).toBeLessThan(2_000);
    expect(text).toMatch(/… \d+ more lines: baton check$/);
  });

  test('keeps a refusal', () => {
    expect(checkAnswer({ ok: false, code: 'not-found', error: 'task not found: X' }, [])).toEqual({
      ok: false,
      code: 'not-found',
      error: 'Task X not found',
    });
  });
});
