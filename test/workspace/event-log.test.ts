import { describe, expect, test } from 'vitest';
import { FULL_LOG } from '../../src/protocol/event-logs.ts';
import { parseEventLines } from '../../src/protocol/records/event.ts';
import type { EventRecord } from '../../src/protocol/records/types.ts';
import { eventChanges } from '../../src/workspace/event-log.ts';
import { createView, memoryReader } from '../../src/workspace/snapshot.ts';

const event = (id: string, ts: string): EventRecord => ({
  id,
  ts,
  type: 'task.delegated',
  actor: { id: 'lead', role: 'leader' },
});

describe('the event log', () => {
  test('appends to one file per month and writer, oldest first', () => {
    const earlier = event('01', '2026-08-31T23:59:59Z');
    const path = 'shared/events/2026-08/lead.jsonl';
    const before = `${JSON.stringify(event('00', '2026-08-01T00:00:00Z'))}\n`;
    const view = createView(memoryReader({ [path]: before }));
    const changes = eventChanges(view, 'lead', [
      earlier,
      event('02', '2026-09-01T00:00:00Z'),
      event('03', '2026-09-01T00:00:01Z'),
    ]);
    expect(changes.map((change) => [change.kind, change.path])).toEqual([
      ['write', path],
      ['write', 'shared/events/2026-09/lead.jsonl'],
    ]);
    const texts = changes.map((change) => (change.kind === 'write' ? change.text : ''));
    expect(texts[0]?.startsWith(before)).toBe(true);
    expect(texts.map((text) => parseEventLines(text, path).events.map(({ id }) => id))).toEqual([
      ['00', '01'],
      ['02', '03'],
    ]);
  });

  test('closes a torn last line instead of gluing the next event to it', () => {
    const path = 'shared/events/2026-09/lead.jsonl';
    const view = createView(memoryReader({ [path]: '{"id":"torn' }));
    const [change] = eventChanges(view, 'lead', [event('02', '2026-09-01T00:00:00Z')]);
    const { events, diagnostics } = parseEventLines(change?.kind === 'write' ? change.text : '', path);
    expect(events.map(({ id }) => id)).toEqual(['02']);
    expect(diagnostics.map(({ line }) => line)).toEqual([1]);
  });

  test('goes on in a new file where the last one is full, however it ends', () => {
    const [first, second] = ['shared/events/2026-09/lead.jsonl', 'shared/events/2026-09/lead@0002.jsonl'];
    const long = `${JSON.stringify({ ...event('00', '2026-09-01T00:00:00Z'), note: 'n'.repeat(FULL_LOG) })}\n`;
    const added = (files: Readonly<Record<string, string>>): readonly (readonly [string, number])[] =>
      eventChanges(createView(memoryReader(files)), 'lead', [event('02', '2026-09-01T00:00:00Z')]).map((change) => [
        change.path,
        parseEventLines(change.kind === 'write' ? change.text : '', change.path).events.length,
      ]);
    expect(added({ [first]: long })).toEqual([[second, 1]]);
    expect(added({ [first]: `${long}{"id":"torn` })).toEqual([[second, 1]]);
    expect(added({ [first]: long, [second]: `${JSON.stringify(event('01', '2026-09-01T00:00:00Z'))}\n` })).toEqual([
      [second, 2],
    ]);
    expect(added({ [first]: '', [second]: long })).toEqual([['shared/events/2026-09/lead@0003.jsonl', 1]]);
    expect(added({ 'shared/events/2026-09/lead-2@0004.jsonl': long })).toEqual([[first, 1]]);
  });

  test('of many events at once fills one file after the other', () => {
    const [first, second, third] = ['lead', 'lead@0002', 'lead@0003'].map(
      (name) => `shared/events/2026-09/${name}.jsonl`,
    );
    const half = (id: string): EventRecord => ({
      ...event(id, '2026-09-01T00:00:00Z'),
      note: 'n'.repeat(FULL_LOG / 2),
    });
    const view = createView(memoryReader({ [first ?? '']: `${JSON.stringify(half('00'))}\n` }));
    const changes = eventChanges(view, 'lead', ['01', '02', '03', '04'].map(half));
    const written = changes.map((change) => {
      if (change.kind !== 'write') throw new Error('a log is written');
      const { events } = parseEventLines(change.text, change.path);
      return [
        change.path,
        events.map(({ id }) => id),
        parseEventLines(change.appended ?? '', change.path).events.length,
      ];
    });
    expect(written).toEqual([
      [first, ['00', '01'], 1],
      [second, ['02', '03'], 2],
      [third, ['04'], 1],
    ]);
  });

  test('never replaces a log that it cannot read', () => {
    const problem = { rule: 'file-not-utf8', severity: 'error', message: 'x', line: 1, column: 1 } as const;
    const view = createView({ ...memoryReader({}), exists: () => true, read: () => ({ problem }) });
    expect(() => eventChanges(view, 'lead', [event('02', '2026-09-01T00:00:00Z')])).toThrow(
      'shared/events/2026-09/lead.jsonl cannot be read, so nothing can be added to it',
    );
  });

  test('changes nothing when nothing happened', () => {
    expect(eventChanges(createView(memoryReader({})), 'lead', [])).toEqual([]);
  });
});

test('a line of the newest month that is no event is told by file and line', () => {
  const good = `${JSON.stringify(event('1', '2026-09-01T00:00:00Z'))}\n`;
  const view = createView(
    memoryReader({
      'shared/events/2026-08/lead.jsonl': 'long ago\n',
      'shared/events/2026-09/bo.jsonl': 'full, and told of while it was the newest\n',
      'shared/events/2026-09/bo@0002.jsonl': good,
      'shared/events/2026-09/cy.jsonl': good,
      'shared/events/2026-09/cy@0002.jsonl': `=======\n`,
      'shared/events/2026-09/lead.jsonl': `${good}\n${good}`,
      'shared/events/2026-09/ana.jsonl': `${good}<<<<<<< ours\n${good}=======\n>>>>>>> theirs\n`,
    }),
  );
  expect(view.diagnostics().map(({ rule, file, line }) => [rule, file, line])).toEqual([
    ['event-invalid', 'shared/events/2026-09/ana.jsonl', 2],
    ['event-invalid', 'shared/events/2026-09/cy@0002.jsonl', 1],
  ]);
});
