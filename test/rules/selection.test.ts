import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newAgent } from '../../src/protocol/records/agent.ts';
import type { AgentRecord } from '../../src/protocol/records/types.ts';
import { holdingsIn, loadsOf, standingOf } from '../../src/rules/load.ts';
import { requiredFor, selectAgent } from '../../src/rules/selection.ts';
import type { Pool, Wanted } from '../../src/rules/selection.ts';
import { teamFiles } from '../../src/workspace/init.ts';
import { memoryReader } from '../../src/workspace/readers.ts';
import { createView } from '../../src/workspace/snapshot.ts';

const ANY: Wanted = { capabilities: [], excluded: [], withFallback: false };

const agent = (id: string, more: Partial<AgentRecord> = {}): AgentRecord => ({
  ...newAgent({ id, role: 'worker' }),
  ...more,
});
const pool = (agents: readonly AgentRecord[], more: Partial<Pool> = {}): Pool => ({
  agents,
  loads: new Map(),
  order: [],
  ...more,
});
const chosen = (wanted: Partial<Wanted>, from: Pool) => {
  const { agent: name, by } = selectAgent({ ...ANY, ...wanted }, from);
  return [name, by];
};

const samples = createView(
  memoryReader(Object.fromEntries(teamFiles({ team: 't', samples: true, now: '2026-09-01T10:00:00Z' }))),
);
const idle: Pool = { agents: samples.agents(), loads: loadsOf(holdingsIn(samples)), order: [] };

describe('the samples at the start', () => {
  test.each([
    ['TASK-005', 'copilot-agent', 0.47],
    ['TASK-007', 'agent-qr-feature', 0.92],
    ['TASK-008', 'agent-n8n-integration', (2 / 3) * 0.88],
    ['TASK-010', undefined, undefined],
  ])('give %s to %s', (taskId, expected, score) => {
    const capabilities = requiredFor({ taskId }, samples.team.policies.capabilityMap);
    const { agent: name, candidates } = selectAgent({ ...ANY, capabilities }, idle);
    expect(name).toBe(expected);
    if (score !== undefined) expect(candidates[0]?.score).toBeCloseTo(score, 8);
    if (taskId === 'TASK-008') expect(candidates[1]).toMatchObject({ agent: 'agent-vps-deploy', score: 0.3, place: 2 });
  });

  test('count what the busy one holds', () => {
    const busy = samples.agent('antigravity-main') as AgentRecord;
    expect(standingOf(busy, holdingsIn(samples))).toEqual({ load: 1, current_tasks: ['TASK-001'], status: 'ACTIVE' });
    const { candidates } = selectAgent({ ...ANY, capabilities: ['cicd'] }, idle);
    expect(candidates[0]).toMatchObject({ agent: 'antigravity-main', match: 1, score: 0.882 });
  });

  test.each([
    ['dev', 'claude-code', 'score'],
    ['test', 'eva', 'score'],
    ['validate', 'eva', 'score'],
    ['misc', 'eva', 'fallback'],
  ] as const)('give work of type %s to %s', (type, name, by) => {
    expect(chosen({ type, withFallback: true }, idle)).toEqual([name, by]);
  });

  test('take one who is preferred if it is able, and one who is ordered whatever it can', () => {
    expect(chosen({ type: 'docs', preferred: 'eva' }, idle)).toEqual(['eva', 'preference']);
    expect(chosen({ type: 'dev', preferred: 'eva' }, idle)).toEqual(['claude-code', 'score']);
    expect(chosen({ type: 'dev', ordered: '@EVA:hs' }, idle)).toEqual(['eva', 'order']);
    expect(chosen({ type: 'dev', excluded: ['claude-code'], withFallback: true }, idle)).toEqual(['eva', 'fallback']);
  });
});

describe('an agent is not asked', () => {
  test.each([
    ['not a worker', agent('a', { role: 'human' }), 0],
    ['disabled', agent('a', { enabled: false }), 0],
    ['offline', agent('a', { status: 'OFFLINE' }), 0],
    ['full', agent('a', { max_concurrent: 2 }), 2],
  ] as const)('that is %s', (reason, one, load) => {
    const { agent: name, candidates } = selectAgent(ANY, pool([one], { loads: new Map([['a', load]]) }));
    expect([name, candidates[0]]).toMatchObject([undefined, { eligible: false, reason }]);
  });

  test('that has nothing of what is required, though it prefers the type', () => {
    const one = agent('a', { preferred_types: ['dev'], capabilities: ['go'] });
    expect(chosen({ type: 'dev', capabilities: ['rust'] }, pool([one]))).toEqual([undefined, undefined]);
  });
});

describe('of several', () => {
  test('who prefers the type goes first, then who can it, then who is free', () => {
    const agents = [
      agent('able', { capabilities: ['DEV'] }),
      agent('fond', { preferred_types: ['dev'], reliability: 0.1 }),
      agent('other'),
    ];
    const { candidates } = selectAgent({ ...ANY, type: 'dev' }, pool(agents));
    expect(candidates.map(({ agent: name, tier }) => [name, tier])).toEqual([
      ['fond', 2],
      ['able', 1],
      ['other', 0],
    ]);
  });

  test('the kind of agent counts where it is asked for', () => {
    const agents = [agent('a'), agent('b', { agent_types: ['coder'] })];
    expect(chosen({ agentType: 'coder' }, pool(agents))).toEqual(['b', 'score']);
  });

  test('the less loaded one is taken, then who stands first with the team, then by name', () => {
    const agents = [agent('a', { max_concurrent: 4 }), agent('b', { max_concurrent: 4 }), agent('c')];
    expect(chosen({}, pool(agents))).toEqual(['a', 'score']);
    expect(chosen({}, pool(agents, { order: ['c', 'b'] }))).toEqual(['c', 'score']);
    expect(chosen({}, pool(agents, { loads: new Map([['a', 1]]) }))).toEqual(['b', 'score']);
  });

  test('of equal scores the smaller load decides', () => {
    const agents = [agent('a', { max_concurrent: 4 }), agent('b', { max_concurrent: 2 })];
    const loads = new Map([
      ['a', 2],
      ['b', 1],
    ]);
    expect(chosen({}, pool(agents, { loads }))).toEqual(['b', 'score']);
  });
});

test('what is required is the own list, else what the team says of the id, else of the type', () => {
  const map = { 'T-1': ['x'], dev: ['y'] };
  expect(requiredFor({ taskId: 'T-1', type: 'dev', own: ['z'] }, map)).toEqual(['z']);
  expect(requiredFor({ taskId: 'T-1', type: 'dev', own: [] }, map)).toEqual(['x']);
  expect(requiredFor({ taskId: 'T-2', type: 'dev' }, map)).toEqual(['y']);
  expect(requiredFor({ taskId: 'constructor' }, map)).toEqual([]);
});

const word = fc.constantFrom('dev', 'test', 'docs', 'DevOps', 'go', 'rust');
const words = fc.uniqueArray(word, { maxLength: 3 });
const record = fc.record({
  capabilities: words,
  preferred_types: words,
  agent_types: words,
  max_concurrent: fc.integer({ min: 1, max: 4 }),
  reliability: fc.double({ min: 0, max: 1, noNaN: true }),
  fallback: fc.boolean(),
  enabled: fc.boolean(),
  status: fc.constantFrom('ACTIVE' as const, 'IDLE' as const, 'OFFLINE' as const),
  load: fc.integer({ min: 0, max: 5 }),
});
const pools = fc.array(record, { maxLength: 6 }).map((records) => ({
  agents: records.map(({ load: _load, ...more }, index) => agent(`a${index}`, more)),
  loads: new Map(records.map(({ load }, index) => [`a${index}`, load])),
  order: ['a3', 'a1'],
}));
const wishes = fc.record(
  {
    type: word,
    agentType: word,
    preferred: fc.constantFrom('a0', 'a5'),
    capabilities: words,
    excluded: fc.subarray(['a0', 'a1', 'a2']),
    withFallback: fc.boolean(),
  },
  { requiredKeys: ['capabilities', 'excluded', 'withFallback'] },
);

describe('whatever is wanted of whomever', () => {
  test('the order in which agents are listed does not matter', () => {
    fc.assert(
      fc.property(pools, wishes, fc.infiniteStream(fc.nat()), (from, wanted, chances) => {
        const mixed = from.agents
          .map((one) => ({ one, at: chances.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ one }) => one);
        expect(selectAgent(wanted, { ...from, agents: mixed })).toEqual(selectAgent(wanted, from));
      }),
    );
  });

  test('nobody is chosen who is full, away, disabled or excluded, and everybody is told of', () => {
    fc.assert(
      fc.property(pools, wishes, (from, wanted) => {
        const { agent: name, by, candidates } = selectAgent(wanted, from);
        expect(candidates.map((one) => one.agent).sort()).toEqual(from.agents.map((one) => one.agent_id));
        const found = candidates.find((one) => one.agent === name);
        expect(found !== undefined).toBe(name !== undefined);
        if (name === undefined || found === undefined) {
          expect(candidates.every(({ place }) => place === undefined)).toBe(true);
        } else {
          expect(found.eligible).toBe(true);
          expect(found.load).toBeLessThan(found.max);
          expect(by === 'fallback' || found.place !== undefined).toBe(true);
          expect(wanted.excluded).not.toContain(name);
        }
      }),
    );
  });

  test('places count from one, without a better one behind', () => {
    fc.assert(
      fc.property(pools, wishes, (from, wanted) => {
        const ranked = selectAgent(wanted, from).candidates.filter(({ place }) => place !== undefined);
        expect(ranked.map(({ place }) => place)).toEqual(ranked.map((_, index) => index + 1));
        for (const [index, one] of ranked.slice(1).entries()) {
          const before = ranked[index];
          const isWorse = before !== undefined && (before.tier > one.tier || before.score >= one.score);
          expect(isWorse).toBe(true);
        }
      }),
    );
  });
});
