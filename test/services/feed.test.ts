import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createEventBus } from '../../src/events.ts';
import { systemClock } from '../../src/adapters/clock.ts';
import { createFeed } from '../../src/services/feed.ts';
import type { Happening, Marks } from '../../src/services/feed.ts';
import { renderEventLine } from '../../src/protocol/records/event.ts';
import { createSecrets } from '../../src/protocol/secrets/known.ts';
import { createWorkTree } from '../../src/workspace/store.ts';
import { testFolder } from '../support/folders.ts';

const LEAD = 'shared/events/2026-09/lead.jsonl';
const ANA = 'shared/events/2026-09/ana.jsonl';

const line = (id: string, note = ''): string =>
  renderEventLine({
    id,
    ts: '2026-09-01T10:00:00Z',
    type: 'task.acknowledged',
    actor: { id: 'ana', role: 'worker' },
    subject: { kind: 'task', id: 't-1', project_id: 'p' },
    from: 'assigned',
    to: 'in_progress',
    ...(note === '' ? {} : { note }),
  });

/** A feed on a folder of logs, to which pulls are reported by hand. */
function feedOn() {
  const root = testFolder('feed');
  const events = createEventBus();
  const secrets = createSecrets({ SOME_TOKEN: 'q7Zk93nLpX2vT8w' });
  const feed = createFeed({ events, workTree: createWorkTree(root), clock: systemClock, secrets });
  const path = (log: string): string => join(root, log);
  const add = (log: string, text: string): void => {
    mkdirSync(dirname(path(log)), { recursive: true });
    appendFileSync(path(log), text);
  };
  const pulled = (...changed: string[]): void =>
    events.emit('sync:changed', { remote: true, changed, refusals: [], conflicts: [] });
  const listen = (marks?: Marks) => {
    const told: Happening[] = [];
    const following = feed.follow(marks, (happening) => told.push(happening));
    return { told, following, ids: () => told.map(({ id, kind }) => id ?? kind) };
  };
  return { path, add, pulled, listen, events };
}

describe('a feed', () => {
  test('tells of every event that a log gains, whoever wrote it, and of none from before', () => {
    const { add, pulled, listen } = feedOn();
    add(LEAD, line('e1'));
    const { told } = listen();
    add(LEAD, line('e2'));
    add(ANA, line('e3', 'begun'));
    pulled(ANA, LEAD, 'shared/tasks/t-1/meta.json');
    const event = {
      at: '2026-09-01T10:00:00Z',
      kind: 'event',
      what: 'task.acknowledged',
      actor: 'ana',
      role: 'worker',
      project: 'p',
      task: 't-1',
      from: 'assigned',
      to: 'in_progress',
    };
    expect(told).toEqual([
      { ...event, note: 'begun', id: 'e3', mark: { log: ANA, end: line('e3', 'begun').length } },
      { ...event, id: 'e2', mark: { log: LEAD, end: line('e1').length * 2 } },
    ]);
  });

  test('goes on from where somebody heard last, also in logs that came since', () => {
    const { add, listen } = feedOn();
    add(LEAD, line('e1') + line('e2'));
    add(ANA, line('e3'));
    const { following, ids } = listen({ [LEAD]: line('e1').length });
    expect(ids()).toEqual(['e3', 'e2']);
    expect(following.marks).toEqual({ [LEAD]: line('e1').length * 2, [ANA]: line('e3').length });
  });

  test('waits for the end of a line, and passes by what is no event', () => {
    const { add, pulled, listen } = feedOn();
    const { ids } = listen();
    add(LEAD, `<<<<<<<\n${line('e1')}${line('ü2').slice(0, 40)}`);
    pulled(LEAD);
    expect(ids()).toEqual(['e1']);
    add(LEAD, line('ü2').slice(40));
    pulled(LEAD);
    expect(ids()).toEqual(['e1', 'ü2']);
  });

  test('of many parts of a log that came at once tells the last, and of what is before them only that it is there', () => {
    const { add, pulled, listen } = feedOn();
    add(LEAD, line('e1'));
    const { told, ids, following } = listen();
    const parts = Array.from({ length: 12 }, (_, index) =>
      LEAD.replace('.jsonl', `@${String(index + 2).padStart(4, '0')}.jsonl`),
    );
    const whole = Array.from({ length: 300 }, () => line('x')).join('');
    for (const part of parts) add(part, whole);
    add(LEAD, line('e2'));
    pulled(ANA, ...parts.toReversed(), LEAD);
    expect(ids()[0]).toBe('gap');
    expect(told.filter(({ kind }) => kind === 'gap')).toHaveLength(1);
    const toldParts = [...new Set(told.flatMap(({ mark }) => mark?.log ?? []))];
    expect(toldParts.length * whole.length).toBeGreaterThan(512 * 1024);
    expect(toldParts.length * whole.length).toBeLessThan(512 * 1024 + 2 * whole.length);
    expect(toldParts).toEqual(parts.slice(-toldParts.length));
    expect(following.marks).toMatchObject({ [LEAD]: line('e1').length * 2, [parts[0] ?? '']: whole.length });
    pulled(...parts, LEAD);
    expect(told).toHaveLength(toldParts.length * 300 + 1);
  });

  test('says so when a log was shortened by hand, or gained more than is told at once', () => {
    const { add, path, pulled, listen } = feedOn();
    add(LEAD, line('e1') + line('e2'));
    const { told, ids } = listen();
    writeFileSync(path(LEAD), line('e1'));
    pulled(LEAD);
    expect(told.map(({ kind, note }) => [kind, note])).toEqual([
      ['gap', `${LEAD} is shorter than it was: somebody changed it by hand`],
    ]);
    const long = Array.from({ length: 4_000 }, (_, index) => line(`x${index}`));
    add(LEAD, long.join(''));
    pulled(LEAD);
    expect(ids().slice(0, 2)).toEqual(['gap', 'gap']);
    expect(ids().at(-1)).toBe('x3999');
    expect(ids().length).toBeLessThan(4_000);
    expect(told.at(-1)?.mark?.end).toBe(readFileSync(path(LEAD)).length);
  });

  test('tells what only the node knows, without secrets, until it is stopped', () => {
    const { events, listen } = feedOn();
    const { told, following } = listen();
    const subject = { project: 'p', task: 't-1' };
    events.emit('operation:refused', { operation: 'task.ack', actor: 'bo', code: 'paused', message: 'no', subject });
    events.emit('finding:raised', { key: 'orphan:t-1', message: 'lost', remedy: 'find it', subject });
    events.emit('finding:cleared', { key: 'orphan:t-1' });
    events.emit('message:sent', { txn: 'm1', room: '!team:local', eventId: '$1' });
    events.emit('message:failed', { txn: 'm2', room: '!team:local', error: 'q7Zk93nLpX2vT8w is wrong' });
    events.emit('node:problem', { what: 'the reconciler', error: new Error('q7Zk93nLpX2vT8w') });
    following.stop();
    events.emit('finding:cleared', { key: 'another' });
    expect(told.map((happening) => ({ ...happening, at: 'now' }))).toEqual(
      [
        { kind: 'refused', what: 'task.ack', actor: 'bo', ...subject, code: 'paused', note: 'no' },
        { kind: 'finding', what: 'orphan:t-1', ...subject, note: 'lost', remedy: 'find it' },
        { kind: 'cleared', what: 'orphan:t-1' },
        { kind: 'message', what: 'm1', note: 'reached !team:local' },
        { kind: 'unsent', what: 'm2', note: expect.not.stringContaining('q7Zk') },
        { kind: 'problem', what: 'the reconciler', note: expect.not.stringContaining('q7Zk') },
      ].map((expected) => ({ ...expected, at: 'now' })),
    );
  });
});
