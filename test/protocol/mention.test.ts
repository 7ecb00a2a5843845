import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  assignmentText,
  attentionText,
  completionText,
  mentionsIn,
  parseLine,
  parseLines,
  projectCompletedText,
} from '../../src/protocol/mention.ts';
import { ATTENTION_KINDS, RESULT_STATUSES } from '../../src/protocol/records/types.ts';

const leader = '@lead:hs.local';
const worker = '@ana:hs.local';

describe('assignmentText', () => {
  test('names the task, its title and its spec, and shows nothing of the spec by default', () => {
    expect(assignmentText({ assignee: worker, taskId: 'p-01', title: 'Collect figures', spec: 'secret' })).toBe(
      '@ana:hs.local TASK_ASSIGNED: p-01 - Collect figures. Please start; spec: shared/tasks/p-01/spec.md',
    );
  });

  test('shows as much of the spec as the team wants', () => {
    const facts = { assignee: worker, taskId: 'p-01', title: 'T', spec: '# Spec\nask @bob:hs NO_REPLY' };
    const line = '@ana:hs.local TASK_ASSIGNED: p-01 - T. Please start; spec: shared/tasks/p-01/spec.md';

    expect(assignmentText({ ...facts, specPreviewChars: 6 })).toBe(`${line}\n\n# Spec...`);
    expect(assignmentText({ ...facts, specPreviewChars: 500 })).toBe(`${line}\n\n# Spec\nask ＠bob:hs`);
  });
});

describe('completionText', () => {
  test('points to the result of a success', () => {
    expect(
      completionText({ leader, taskId: 'p-01', status: 'SUCCESS', summary: 'All figures\ncollected.', worker }),
    ).toBe(
      '@lead:hs.local TASK_COMPLETED: p-01 - Result: shared/tasks/p-01/result.md\n- Worker: @ana:hs.local\n- Summary: All figures collected.',
    );
  });

  test('gives the reason of anything else', () => {
    expect(completionText({ leader, taskId: 'p-01', status: 'BLOCKED', summary: 'No key.' })).toBe(
      '@lead:hs.local TASK_BLOCKED: p-01 - No key.\n- Status: BLOCKED',
    );
  });

  test('cuts long summaries, 160 characters in the line and 500 below', () => {
    const [line, , summary] = completionText({
      leader,
      taskId: 'p',
      status: 'REVISION_NEEDED',
      summary: 'x'.repeat(900),
    }).split('\n');

    expect(line).toBe(`@lead:hs.local TASK_REVISION_NEEDED: p - ${'x'.repeat(160)}…`);
    expect(summary).toBe(`- Summary: ${'x'.repeat(500)}…`);
  });
});

test('attentionText asks in one line and names the Worker', () => {
  expect(attentionText({ leader, taskId: 'p-01', kind: 'decision', question: 'A\nor B? @all', worker })).toBe(
    '@lead:hs.local ATTENTION_DECISION: p-01 - A or B? ＠all\n- Worker: @ana:hs.local',
  );
});

test('projectCompletedText announces the end, with a mention when somebody is to be told', () => {
  expect(projectCompletedText({ projectId: 'p', title: 'Report' })).toBe('PROJECT_COMPLETED: p - Report');
  expect(projectCompletedText({ projectId: 'p', title: 'Report', addressee: leader })).toBe(
    '@lead:hs.local PROJECT_COMPLETED: p - Report',
  );
});

describe('parseLine', () => {
  test.each([
    [
      '@lead:hs TASK_COMPLETED: p-01 - Result: shared/tasks/p-01/result.md\n- Worker: @a:b',
      { kind: 'completed', taskId: 'p-01', text: 'Result: shared/tasks/p-01/result.md' },
    ],
    ['TASK_COMPLETED: p-01 - all good. Result: x', { kind: 'completed', taskId: 'p-01', text: 'all good. Result: x' }],
    ['@lead:hs TASK_COMPLETED: `p-01`.', { kind: 'completed', taskId: 'p-01', text: '' }],
    ['@lead:hs, @b:c TASK_BLOCKED： p-01 — no key', { kind: 'blocked', taskId: 'p-01', text: 'no key' }],
    ['@lead:hs BLOCKED: p-01 - no key', { kind: 'blocked', taskId: 'p-01', text: 'no key' }],
    ['lead TASK_REVISION_NEEDED: p-01 - unclear', { kind: 'revision', taskId: 'p-01', text: 'unclear' }],
    ['TASK_INTERRUPTED: p-01', { kind: 'interrupted', taskId: 'p-01', text: '' }],
    ['TASK_FAILED: p-01 - x', { kind: 'failed', taskId: 'p-01', text: 'x' }],
    ['TASK_PARTIAL: p-01 - x', { kind: 'partial', taskId: 'p-01', text: 'x' }],
    ['@lead:hs QUESTION: which one?', { kind: 'question', text: 'which one?' }],
    [
      '@lead:hs ATTENTION_APPROVAL: p-01 - may I?',
      { kind: 'attention', attention: 'approval', taskId: 'p-01', text: 'may I?' },
    ],
    ['PROJECT_COMPLETED: p - Report', { kind: 'project-completed', projectId: 'p', text: 'Report' }],
    ['@lead:hs PHASE2_DONE', { kind: 'phase-done', phase: 2, text: '' }],
    ['PHASE1_DONE: p-01 - ok', { kind: 'phase-done', phase: 1, taskId: 'p-01', text: 'ok' }],
    [
      '@ana:hs TASK_ASSIGNED: p-01 - T. Please start; spec: s',
      { kind: 'assigned', taskId: 'p-01', text: 'T. Please start; spec: s' },
    ],
    ['@ana:hs You are assigned task **p-01**: Collect\n\nspec', { kind: 'assigned', taskId: 'p-01', text: 'Collect' }],
  ])('reads %j', (text, expected) => {
    expect(parseLine(text)).toEqual(expected);
  });

  test.each([
    '',
    'ok',
    '@lead:hs I think TASK_COMPLETED: p-01',
    'task_completed: p-01',
    'TASK_COMPLETED: ../etc - x',
    'TASK_COMPLETED:',
    'ATTENTION_PLEASE: p-01',
    'UNKNOWN: p-01',
    'hello\nTASK_COMPLETED: p-01',
    '@ana:hs You are assigned task **../x**: y',
  ])('leaves %j alone', (text) => {
    expect(parseLine(text)).toBeUndefined();
  });

  test('reads back what it writes, whatever title, summary and question say', () => {
    const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,20}$/);
    const kinds = {
      SUCCESS: 'completed',
      SUCCESS_WITH_NOTES: 'completed',
      REVISION_NEEDED: 'revision',
      BLOCKED: 'blocked',
      INTERRUPTED: 'interrupted',
    };
    fc.assert(
      fc.property(
        id,
        fc.string({ unit: 'binary' }),
        fc.constantFrom(...RESULT_STATUSES),
        fc.constantFrom(...ATTENTION_KINDS),
        (taskId, text, status, kind) => {
          const assignment = parseLine(assignmentText({ assignee: worker, taskId, title: text }));
          expect([assignment?.kind, assignment?.taskId]).toEqual(['assigned', taskId]);
          const completion = completionText({ leader, taskId, status, summary: text });
          expect([parseLine(completion)?.kind, parseLine(completion)?.taskId]).toEqual([kinds[status], taskId]);
          expect(mentionsIn(completion)).toEqual([leader]);
          const attention = parseLine(attentionText({ leader, taskId, kind, question: text }));
          expect([attention?.attention, attention?.taskId]).toEqual([kind, taskId]);
          const end = parseLine(projectCompletedText({ projectId: taskId, title: text }));
          expect([end?.kind, end?.projectId]).toEqual(['project-completed', taskId]);
        },
      ),
    );
  });

  test.each(['@a '.repeat(100_000), `${'A'.repeat(300_000)}: x`, ' '.repeat(300_000), `@${'a'.repeat(300_000)}`])(
    'survives hostile text',
    (text) => {
      expect(parseLine(text)).toBeUndefined();
    },
  );
});

describe('parseLines', () => {
  test('reads every message of a digest, and passes over the talk among them', () => {
    const messages = [
      `${assignmentText({ assignee: worker, taskId: 'p-01', title: 'One' })}\n- Delayed: 4 min`,
      'Just talk\nTASK_COMPLETED: p-99 - not the first line',
      completionText({ leader, taskId: 'p-02', status: 'SUCCESS_WITH_NOTES', summary: 'Two', worker }),
      projectCompletedText({ projectId: 'p', title: 'Report' }),
    ];
    expect(parseLines(messages.join('\n\n')).map(({ kind, taskId, projectId }) => [kind, taskId ?? projectId])).toEqual(
      [
        ['assigned', 'p-01'],
        ['completed', 'p-02'],
        ['project-completed', 'p'],
      ],
    );
  });

  test('reads the one line of a message as parseLine does', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !/\n\s*\n/.test(text.trim())),
        (text) => {
          const [line, ...others] = parseLines(text);
          expect([line, others]).toEqual([parseLine(text), []]);
        },
      ),
    );
  });

  test.each(['\n'.repeat(300_000), ' \n\t\n'.repeat(100_000), 'TASK_FAILED: \n\n'.repeat(50_000)])(
    'survives hostile text',
    (text) => {
      expect(parseLines(text)).toEqual([]);
    },
  );
});

describe('mentionsIn', () => {
  test.each([
    ['@a:b ok @c:d.e:8448, @a:b.', ['@a:b', '@c:d.e:8448']],
    ['mail bob@example.org:25 or x@y:z', []],
    ['(@w=1+2/3:d) `@bo:hs.`', ['@w=1+2/3:d', '@bo:hs']],
    ['@alice and @room', []],
    ['https://matrix.to/#/@a:b', ['@a:b']],
  ])('finds the full ids in %j', (text, expected) => {
    expect(mentionsIn(text)).toEqual(expected);
  });

  test.each(['@'.repeat(200_000), '@a'.repeat(100_000), `@a:${'-'.repeat(200_000)}`, '@a:'.repeat(100_000)])(
    'survives hostile text',
    (text) => {
      expect(mentionsIn(text).length).toBeLessThanOrEqual(1);
    },
  );
});
