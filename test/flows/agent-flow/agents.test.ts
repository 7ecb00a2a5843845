import { beforeEach, describe, expect, test } from 'vitest';
import { ana, createOffice, lead, ok, refused } from '../office.ts';
import type { Office } from '../office.ts';

let office: Office;
const call = (action: string, payload: Record<string, unknown> = {}) => office.call(lead, 'agent', action, payload);
const fileOf = (name: string): unknown => JSON.parse(office.files[`shared/agents/${name}.json`] ?? '{}');

beforeEach(() => {
  office = createOffice();
  for (const name of ['ana', 'bo', 'w=1/2']) office.homeserver.accounts.add(`@${name}:hs.local`);
});

describe('register', () => {
  test('puts an account of the homeserver on the roster, under its name there', async () => {
    const answer = await call('register', {
      agent: 'ana',
      name: 'Ana',
      capabilities: ['dev'],
      maxConcurrent: '2',
      preferredTypes: ['test'],
    });
    const record = {
      schema: 1,
      agent_id: 'ana',
      name: 'Ana',
      matrix_user_id: '@ana:hs.local',
      role: 'worker',
      status: 'IDLE',
      capabilities: ['dev'],
      preferred_types: ['test'],
      agent_types: [],
      max_concurrent: 2,
      reliability: 1,
      fallback: false,
      enabled: true,
    };
    expect(answer).toEqual({ ok: true, tool: 'agent', action: 'register', agent: record, synced: true });
    expect(fileOf('ana')).toEqual(record);
    expect(office.events).toMatchObject([{ type: 'agent.registered', subject: { kind: 'agent', id: 'ana' } }]);
  });

  test.each(['ana', '@ana', ' @ana:hs.local '])('takes %j for @ana:hs.local', async (agent) => {
    expect(await ok(call('register', { agent }))).toMatchObject({ agent: { matrix_user_id: '@ana:hs.local' } });
  });

  test('keeps a name verbatim, whatever a file name can hold', async () => {
    await ok(call('register', { agent: '@w=1/2:hs.local' }));
    expect(fileOf('w=1%2F2')).toMatchObject({ agent_id: 'w=1/2', name: 'w=1/2', matrix_user_id: '@w=1/2:hs.local' });
    expect(await ok(call('show', { agent: 'w=1/2' }))).toMatchObject({ agent: { agent_id: 'w=1/2' } });
  });

  test('again changes nothing, and what is said anew only that', async () => {
    await ok(call('register', { agent: 'ana', capabilities: ['dev'] }));
    const before = { ...office.files };
    expect(await ok(call('register', { agent: 'ana' }))).toMatchObject({ reused: true });
    expect(office.files).toEqual(before);
    await ok(call('register', { agent: 'ana', role: 'human', enabled: 'no' }));
    expect(fileOf('ana')).toMatchObject({ role: 'human', enabled: false, capabilities: ['dev'] });
    expect(office.events.at(-1)).toMatchObject({ type: 'agent.changed' });
  });

  test('adds the full id to a record that was made before there was a homeserver', async () => {
    office.files['shared/agents/ana.json'] = '{"agent_id":"ana","capabilities":["dev"],"extra":1}\n';
    office.files['shared/agents/bo.json'] = '{"agent_id":"bo","matrix_user_id":"@bo:local"}\n';
    for (const agent of ['ana', 'bo']) await ok(call('register', { agent }));
    expect(fileOf('ana')).toMatchObject({ matrix_user_id: '@ana:hs.local', capabilities: ['dev'], extra: 1 });
    expect(fileOf('bo')).toMatchObject({ matrix_user_id: '@bo:hs.local' });
  });

  test.each<readonly [Record<string, unknown>, string]>([
    [{ agent: '@eve:hs.local' }, 'not-found: the homeserver knows no account @eve:hs.local'],
    [{ agent: '@Bo:hs.local' }, 'not-found: the homeserver knows no account @Bo:hs.local'],
    [{ agent: 'Ana' }, 'already-exists: Ana differs from the agent ana only by letter case'],
    [{ agent: '@ana:other' }, 'already-exists: the agent ana is @ana:hs.local, not @ana:other'],
    [{ agent: 'two words' }, 'invalid-argument: not a Matrix id: two words'],
    [{ agent: 'ana:hs.local' }, 'invalid-argument: not a Matrix id: ana:hs.local'],
    [{}, 'invalid-argument: payload.agent is required'],
    [{ agent: 'bo', maxConcurrent: 0 }, 'invalid-argument: Too small: expected number to be >=1'],
  ])('refuses %j', async (payload, message) => {
    await ok(call('register', { agent: 'ana' }));
    expect(await refused(office, () => call('register', payload))).toBe(message);
  });

  test('does not overwrite a record that cannot be read', async () => {
    office.files['shared/agents/ana.json'] = '{';
    expect(await refused(office, () => call('register', { agent: 'ana' }))).toBe(
      'broken-file: shared/agents/ana.json cannot be read',
    );
  });

  test('warns where the homeserver does not tell, and registers', async () => {
    office.homeserver.away = 'the homeserver cannot be reached';
    expect(await ok(call('register', { agent: 'zoe' }))).toMatchObject({
      agent: { matrix_user_id: '@zoe:hs.local' },
      warnings: ['not checked: the homeserver cannot be reached'],
    });
  });

  test('without a homeserver a bare name is a name, and a full id is kept', async () => {
    office.weather.chat = 'local';
    office.facts = { chat: { kind: 'local', self: '@lead:local' } };
    await ok(call('register', { agent: 'ana' }));
    await ok(call('register', { agent: '@bo:hs.domain' }));
    expect(fileOf('ana')).not.toHaveProperty('matrix_user_id');
    expect(fileOf('bo')).toMatchObject({ matrix_user_id: '@bo:hs.domain' });
  });

  test('is for the Leader', async () => {
    expect(await office.call(ana, 'agent', 'register', { agent: 'bo' })).toMatchObject({ code: 'wrong-role' });
  });
});

describe('list and show', () => {
  beforeEach(() => {
    for (const name of ['ana', 'bo', 'cy']) office.hire(name);
    office.homeserver.present.set(
      '!team:hs.local',
      new Map([
        ['@ana:hs.local', 'join'],
        ['@bo:hs.local', 'invite'],
      ]),
    );
  });

  test('say who is in the Team Room', async () => {
    expect(await ok(office.call(ana, 'agent', 'list'))).toMatchObject({
      count: 3,
      agents: [
        { agent_id: 'ana', matrix_user_id: '@ana:hs.local', team_room: 'joined' },
        { agent_id: 'bo', team_room: 'invited' },
        { agent_id: 'cy', team_room: 'absent' },
      ],
    });
    expect(await ok(call('show', { agent: '@bo:hs.local' }))).toMatchObject({ agent: { team_room: 'invited' } });
  });

  test('answer as well when the homeserver does not', async () => {
    office.homeserver.away = 'the homeserver cannot be reached';
    const answer = await ok(call('list'));
    expect(answer).toMatchObject({ count: 3, warnings: ['the homeserver cannot be reached'] });
    expect(JSON.stringify(answer)).not.toContain('team_room');
  });

  test('give the full id that follows from the localpart', async () => {
    office.files['shared/agents/di.json'] = '{"agent_id":"di"}\n';
    expect(await ok(call('show', { agent: 'di' }))).toMatchObject({ agent: { matrix_user_id: '@di:hs.local' } });
  });

  test('refuse who is not there', async () => {
    expect(await refused(office, () => call('show', { agent: 'zoe' }))).toBe('not-found: there is no agent zoe');
  });
});
