import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createNameTable } from '../../src/sync/lane-names.ts';
import { checkRecord } from '../../src/sync/lane-records.ts';
import type { RecordTexts } from '../../src/sync/lane-records.ts';
import { commitMessage, integrationMessage } from '../../src/sync/message.ts';

const table = () => createNameTable(['a/b/c.md', 'a/file', 'Ärger.md']);

const record = (more: object = {}): string =>
  JSON.stringify({ task_id: 't', project_id: 'p', task_title: 'T', assigned_to: 'ana', status: 'assigned', ...more });

const check = (kind: 'events' | 'task-meta', path: string, texts: RecordTexts) => checkRecord(kind, path, texts, 'ana');

const events = (base: string | undefined, lane: string): unknown =>
  check('events', 'shared/events/2026-11/ana.jsonl', { base, lane, main: base });

const step = (label: string, task: string, changes: readonly { kind: 'write'; path: string; text: string }[] = []) => ({
  transaction: { actor: { localpart: 'ana', role: 'worker' as const }, label, subject: { project: 'p', task } },
  changes,
});

describe('names that a lane adds', () => {
  test.each([
    ['a/b/d.md', undefined],
    ['new/x', undefined],
    ['a/b/C.md', 'case-twin'],
    ['A/x', 'case-twin'],
    ['a/B/x', 'case-twin'],
    ['a\u0308rger.md', 'case-twin'],
    ['a/file/x', 'not-owner'],
    ['a/b', 'not-owner'],
  ])('%s: %s', (path, reason) => expect(table().problem(path)?.reason).toBe(reason));

  test('become free when their last file is removed', () => {
    const names = table();
    names.remove('a/b/c.md');
    expect([names.problem('a/b'), names.problem('a/B/x')]).toEqual([undefined, undefined]);
    names.add('a/B/x');
    expect(names.problem('a/b/x')?.reason).toBe('case-twin');
  });

  test('taken one after the other never give two that a file system would confuse', () => {
    const name = fc.constantFrom('a', 'A', 'b', 'B');
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(fc.array(path), (paths) => {
        const names = createNameTable([]);
        const taken = paths.filter((candidate, index) => {
          if (paths.indexOf(candidate) !== index || names.problem(candidate) !== undefined) return false;
          names.add(candidate);
          return true;
        });
        const folded = taken.map((candidate) => candidate.toLowerCase());
        expect(new Set(folded).size).toBe(folded.length);
        for (const one of folded) expect(folded.some((other) => other.startsWith(`${one}/`))).toBe(false);
      }),
    );
  });
});

describe('a record on a lane', () => {
  const path = 'shared/tasks/t/meta.json';
  test('is taken whole when only the own fields changed', () => {
    const lane = record({ status: 'submitted', summary: 's' });
    expect(check('task-meta', path, { base: record(), lane, main: record({ event_id: '$e' }) })).toEqual({
      kind: 'whole',
    });
  });

  test('gives its own fields when others changed too, also fields that it removed', () => {
    const outcome = check('task-meta', path, {
      base: record({ room_id: '!r', note: 1 }),
      lane: record({ status: 'in_progress', room_id: '!other' }),
      main: record({ room_id: '!r', note: 1 }),
    });
    expect(outcome).toMatchObject({
      kind: 'part',
      refused: [{ reason: 'forbidden-field', detail: "room_id and note are the Leader's" }],
    });
    expect(outcome.kind === 'part' ? JSON.parse(outcome.text) : undefined).toEqual(
      JSON.parse(record({ status: 'in_progress', room_id: '!r', note: 1 })),
    );
  });

  const refusedOf = (lane: object, main: object = {}): unknown => {
    const outcome = check('task-meta', path, { base: record(), lane: record(lane), main: record(main) });
    return outcome.kind === 'whole' ? [] : outcome.refused;
  };
  const CANCELLED = { status: 'cancelled' };
  const SUBMISSION = { ...CANCELLED, submitted_at: '2026-11-02T00:00:00Z', result_status: 'SUCCESS', summary: 's' };

  test.each<[string, object, object, string]>([
    ['one field', { ...CANCELLED, summary: 's' }, CANCELLED, 'summary says what its Worker may not say now'],
    [
      'a submission whose task is over',
      SUBMISSION,
      CANCELLED,
      'submitted_at, result_status and summary say what its Worker may not say now',
    ],
    [
      "a submission beside the Leader's fields",
      { ...SUBMISSION, room_id: '!r', note: 1 },
      CANCELLED,
      "submitted_at, result_status and summary say what its Worker may not say now; room_id and note are the Leader's",
    ],
  ])('is refused once for all of its fields: %s', (_, lane, main, detail) =>
    expect(refusedOf(lane, main)).toEqual([{ reason: 'forbidden-field', detail }]),
  );

  test('is refused in few words, however many fields somebody made up and however long their names are', () => {
    const made = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`f${index}${'x'.repeat(5_000)}`, 1]));
    const [refusal, ...others] = refusedOf(made) as readonly { readonly detail: string }[];
    expect(others).toEqual([]);
    expect(refusal?.detail).toMatch(/^f0x+…, .* and 490 more are the Leader's$/);
    expect(refusal?.detail.length).toBeLessThan(400);
  });

  test('is not blamed for what it has from main', () => {
    const outcome = check('task-meta', path, {
      base: record(),
      lane: record({ status: 'in_progress', event_id: '$e' }),
      main: record({ event_id: '$e' }),
    });
    expect(outcome).toEqual({ kind: 'whole' });
  });

  test('is not taken when its step is no longer legal', () => {
    const main = record({ status: 'cancelled' });
    expect(check('task-meta', path, { base: record(), lane: record({ status: 'submitted' }), main })).toEqual({
      kind: 'none',
      refused: [{ reason: 'illegal-transition', detail: "the task is 'cancelled', which 'submitted' cannot follow" }],
    });
  });

  test('is not taken when it cannot be read', () => {
    expect(check('task-meta', path, { base: record(), lane: '{\n"a"', main: record() })).toEqual({
      kind: 'none',
      refused: [{ reason: 'broken-file', detail: `invalid JSON in ${path}, line 2` }],
    });
    expect(check('task-meta', path, { base: record(), lane: undefined, main: record() })).toMatchObject({
      refused: [{ reason: 'broken-file' }],
    });
  });

  test('of events may only grow', () => {
    expect([events('1\n', '1\n2\n'), events(undefined, '1\n')]).toEqual([{ kind: 'whole' }, { kind: 'whole' }]);
    expect(events('1\n2\n', '1\n')).toMatchObject({ kind: 'none', refused: [{ reason: 'not-owner' }] });
  });
});

describe('the message of a commit', () => {
  test('is the step itself with its trailers, the submission among them', () => {
    const changes = [{ kind: 'write' as const, path: 'shared/tasks/t/meta.json', text: '{"submission_id":"s1"}' }];
    expect(commitMessage([step('taskflow(submit_task): t', 't', changes)])).toBe(
      'taskflow(submit_task): t\n\nActor: worker:ana\nOp: submit_task\nProject: p\nTask: t\nSubmission: s1\n',
    );
  });

  test('sums a group up and has a block for each step', () => {
    const steps = [
      step('taskflow(ack_task): a', 'a'),
      step('taskflow(ack_task): b', 'b'),
      step('workspace(hand_edit)', 'c'),
    ];
    expect(commitMessage(steps).split('\n\n')).toEqual([
      'taskflow: 2 ack_task, hand_edit',
      'Actor: worker:ana\nOp: ack_task\nProject: p\nTask: a',
      'Actor: worker:ana\nOp: ack_task\nProject: p\nTask: b',
      'Actor: worker:ana\nOp: hand_edit\nProject: p\nTask: c\n',
    ]);
  });

  test('gives nobody a trailer of their own making', () => {
    const forged = commitMessage([step('taskflow(x): t\nActor: admin:root', 't\n\nActor: admin:root')]);
    expect(forged.split('\n').filter((line) => line.startsWith('Actor:'))).toEqual(['Actor: worker:ana']);
    const refusal = { lane: 'l', localpart: 'ana', commit: 'c', path: 'a\nActor: x', reason: 'not-owner', detail: '' };
    expect(integrationMessage([{ lane: 'lanes/ana', localpart: 'ana' }], [refusal])).toBe(
      'integrate lanes/ana\n\nActor: worker:ana\nRefused: a Actor: x not-owner\n',
    );
  });
});
