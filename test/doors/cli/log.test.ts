import { describe, expect, test } from 'vitest';
import { terminal } from './harness.ts';

const entry = {
  at: '2026-09-01T10:00:00Z',
  what: 'task.delegated',
  actor: 'lead',
  role: 'leader',
  project: 'p',
  task: 't-1',
  from: 'pending',
  to: 'assigned',
  id: 'e1',
  commit: '0123456789abcdef0123456789abcdef01234567',
  durability: 'replicated',
};

const answer = (more: boolean) => () => ({
  ok: true,
  id: 't-1',
  count: 2,
  more,
  entries: [
    entry,
    { ...entry, actor: 'ana', what: 'task.progress', task: 't-2', note: 'half\u0007', durability: 'journaled' },
  ].map((it, index) => (index === 0 ? it : { ...it, commit: undefined, from: undefined, to: undefined })),
});

describe('baton log', () => {
  test('draws one line an event: when, who, in which commit, how safe, what', async () => {
    const { run, app } = terminal({ answer: answer(false) });
    expect(await run('log', 't-1', '--limit', '2')).toEqual({
      code: 0,
      stdout: [
        '2026-09-01T10:00:00Z  lead  0123456789  replicated  task.delegated       pending → assigned\n',
        '2026-09-01T10:00:00Z  ana   -           journaled   task.progress   t-2  half\n',
      ].join(''),
      stderr: '',
    });
    expect(app.calls).toMatchObject([{ tool: 'node', action: 'log', payload: { id: 't-1', limit: '2' } }]);
  });

  test('says how to see more where older events are left out, and answers programs with the whole', async () => {
    const { run } = terminal({ answer: answer(true) });
    expect((await run('log', 't-1')).stdout).toMatch(/^older events are left out: `baton log t-1 --limit 20`\n/);
    expect(JSON.parse((await run('log', 't-1', '--json')).stdout)).toMatchObject({ more: true, entries: [entry, {}] });
  });

  test('says so when there is nothing to tell', async () => {
    const { run } = terminal({ answer: () => ({ ok: true, id: 't-1', count: 0, more: false, entries: [] }) });
    expect((await run('log', 't-1')).stdout).toBe('nothing is written down about t-1 yet\n');
  });
});
