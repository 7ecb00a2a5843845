import { beforeEach, describe, expect, test } from 'vitest';
import { requireCapacity } from '../../../src/flows/agent-flow/roster.ts';
import { memoryReader } from '../../../src/workspace/readers.ts';
import { createView } from '../../../src/workspace/snapshot.ts';
import { ana, createOffice, lead, ok, planned, refused } from '../office.ts';
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

  test('takes words with commas between them for several, wherever a list of words is taken', async () => {
    const answer = await ok(
      call('register', { agent: 'ana', capabilities: ['dev, test', 'docs', 'dev'], agentTypes: ['a,b'] }),
    );
    expect(answer['agent']).toMatchObject({ capabilities: ['dev', 'test', 'docs'], agent_types: ['a', 'b'] });
    await ok(call('capabilities', { agent: 'ana', add: ['ops,qa'], remove: ['docs,dev'] }));
    expect(fileOf('ana')).toMatchObject({ capabilities: ['test', 'ops', 'qa'] });
    expect(await ok(call('select', { capability: ['ops,qa'] }))).toMatchObject({
      agent: 'ana',
      wanted: { capabilities: ['ops', 'qa'] },
    });
    const made = { title: 'Alone', requiredCapabilities: ['ops,qa'], tags: ['x,y'] };
    expect(await ok(office.call(lead, 'engine', 'create_task', made))).toMatchObject({
      task: { required_capabilities: ['ops', 'qa'], tags: ['x', 'y'] },
    });
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
    [{ agent: 'bo', maxConcurrent: 0 }, 'invalid-argument: payload.maxConcurrent must be at least 1'],
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
    expect(await refused(office, () => call('show', { agent: 'zoe' }))).toBe('not-found: Agent not found: zoe');
  });
});

describe('set_status', () => {
  beforeEach(() => {
    office.files['shared/agents/ana.json'] = '{"agent_id":"ana","extra":1}\n';
    office.hire('bo');
  });

  test('writes nothing else into the record, so that a Worker may do it', async () => {
    const answer = await ok(office.call(ana, 'agent', 'set_status', { agent: 'ana', status: 'offline' }));
    expect(answer).toMatchObject({ agent: { agent_id: 'ana', status: 'OFFLINE', load: 0, current_tasks: [] } });
    expect(fileOf('ana')).toEqual({ agent_id: 'ana', extra: 1, status: 'OFFLINE' });
    expect(office.events).toMatchObject([{ type: 'agent.status', from: 'IDLE', to: 'OFFLINE' }]);
  });

  test('again changes nothing', async () => {
    const before = { ...office.files };
    expect(await ok(call('set_status', { agent: 'bo', status: 'IDLE' }))).toMatchObject({ reused: true });
    expect(office.files).toEqual(before);
  });

  test.each<readonly [typeof lead, Record<string, unknown>, string]>([
    [lead, { agent: 'zoe', status: 'IDLE' }, 'not-found: Agent not found: zoe'],
    [lead, { agent: 'bo', status: 'busy' }, 'invalid-argument: unknown status: busy'],
    [lead, { agent: 'bo', status: 'OVERLOADED' }, 'invalid-argument: OVERLOADED follows from what an agent holds'],
    [lead, { agent: 'bo' }, 'invalid-argument: payload.status is required'],
    [ana, { agent: 'bo', status: 'ACTIVE' }, 'not-owner: shared/agents/bo.json belongs to the leader: ana is not bo'],
  ])('refuses %j %j', async (actor, payload, message) => {
    expect(await refused(office, () => office.call(actor, 'agent', 'set_status', payload))).toBe(message);
  });
});

describe('capabilities', () => {
  beforeEach(() => ok(call('register', { agent: 'ana', capabilities: ['dev', 'docs'] })));

  test('shows what an agent can do, and changes it', async () => {
    const change = (payload: Record<string, unknown>) => ok(call('capabilities', { agent: 'ana', ...payload }));
    expect(await change({})).toMatchObject({ capabilities: ['dev', 'docs'], reused: true });
    expect(await change({ add: ['go', 'dev'], remove: ['docs'] })).toMatchObject({ capabilities: ['dev', 'go'] });
    expect(await change({ set: ['rust'] })).toMatchObject({ agent: 'ana', capabilities: ['rust'] });
    expect(fileOf('ana')).toMatchObject({ capabilities: ['rust'] });
  });

  test('refuses to take what is not there', async () => {
    expect(await refused(office, () => call('capabilities', { agent: 'ana', remove: ['go'] }))).toBe(
      'invalid-argument: ana has no capability go',
    );
  });
});

test('no name is checked while no Worker is registered, and one task at a time is allowed', () => {
  office.hire('lead');
  const view = createView(memoryReader(office.files));
  requireCapacity(view, 'gemini');
});

describe('what an agent holds', () => {
  beforeEach(async () => {
    for (const name of ['ana', 'bo']) office.hire(name);
    await planned(office, { a: [], b: [], c: [], d: ['a'] });
    for (const taskId of ['a', 'b']) await ok(office.call(lead, 'engine', 'assign_task', { projectId: 'p', taskId }));
  });

  test('is what it was given and has not handed in, and above its capacity it is overloaded', async () => {
    expect(await ok(call('show', { agent: 'ana' }))).toMatchObject({
      agent: { status: 'OVERLOADED', load: 2, current_tasks: ['a', 'b'] },
    });
    office.put({ ...office.task('a'), status: 'submitted' });
    expect(await ok(call('list'))).toMatchObject({
      agents: [
        { agent_id: 'ana', status: 'IDLE', load: 1, current_tasks: ['b'] },
        { agent_id: 'bo', load: 0 },
      ],
    });
  });

  test('keeps it from being chosen, unless it is ordered', async () => {
    expect(await ok(call('select'))).toMatchObject({
      agent: 'bo',
      by: 'score',
      candidates: [
        { agent: 'bo', place: 1, eligible: true, load: 0 },
        { agent: 'ana', eligible: false, reason: 'full', load: 2, max: 1 },
      ],
    });
    expect(await ok(call('select', { agent: 'ana' }))).toMatchObject({ agent: 'ana', by: 'order' });
    expect(await ok(call('select', { taskId: 'c' }))).toMatchObject({ agent: 'ana', by: 'order' });
    expect(await ok(call('select', { exclude: ['bo'] }))).toMatchObject({ agent: null });
  });

  test('keeps it from being given more by a dispatch', () => {
    const view = createView(memoryReader(office.files));
    expect(() => requireCapacity(view, 'ana')).toThrow('Agent at capacity: ana (2/1)');
    expect(() => requireCapacity(view, 'zoe')).toThrow('Agent not found: zoe');
    requireCapacity(view, '@bo:hs.local');
  });

  test('is asked for by name only of those who are there', async () => {
    expect(await refused(office, () => call('select', { prefer: 'zoe' }))).toBe('not-found: Agent not found: zoe');
    expect(await refused(office, () => call('select', { taskId: 'zz' }))).toBe('not-found: task not found: zz');
  });
});
