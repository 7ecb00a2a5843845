import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { TOOLS } from '../../src/dialects/taskflow-table.ts';
import { parseLine } from '../../src/protocol/mention.ts';
import { mayWrite } from '../../src/protocol/ownership.ts';
import { checkDeliverable, classifyPath } from '../../src/protocol/paths.ts';
import { parsePlan } from '../../src/protocol/plan/parse.ts';
import { parseAgent } from '../../src/protocol/records/agent.ts';
import { parseEventLines } from '../../src/protocol/records/event.ts';
import { parseProjectMeta } from '../../src/protocol/records/project.ts';
import { parseRoomBinding } from '../../src/protocol/records/room-binding.ts';
import { parseTaskMeta } from '../../src/protocol/records/task.ts';
import { parseTeam } from '../../src/protocol/records/team.ts';
import { deliveryId, resultDigest } from '../../src/protocol/result/digest.ts';
import { parseResult } from '../../src/protocol/result/parse.ts';
import { findInconsistencies } from '../../src/rules/consistency.ts';
import { createView, memoryReader } from '../../src/workspace/snapshot.ts';
import { readDocument } from './documents.ts';

const { blocks } = readDocument('docs/protocol.md');
const files = new Map(
  blocks.filter(({ meta }) => meta.startsWith('shared/')).map(({ meta, text }) => [meta, `${text}\n`]),
);

/** What the real parser of each kind of file says of a text; `id` is the project, task or agent of the path. */
const PARSERS: Readonly<Record<string, (text: string, id: string, path: string) => readonly unknown[]>> = {
  team: (text) => parseTeam(text).diagnostics,
  agent: (text, id) => parseAgent(text, id).diagnostics,
  'project-meta': (text, id) => parseProjectMeta(text, id).diagnostics,
  'project-plan': (text) => parsePlan(text).diagnostics,
  'task-meta': (text, id) => parseTaskMeta(text, id).diagnostics,
  'task-spec': (text) => (text.trim() === '' ? ['spec is required'] : []),
  'task-result': (text, id) => {
    const { result, diagnostics } = parseResult(text);
    const problems = (result?.deliverables ?? []).map((path) => checkDeliverable(path, id));
    return [...diagnostics, ...problems.filter((problem) => problem !== undefined)];
  },
  roomflow: (text, _, path) => parseRoomBinding(text, path).diagnostics,
  events: (text, _, path) => parseEventLines(text, path).diagnostics,
};

function diagnosticsOf(path: string, text: string): readonly unknown[] {
  const place = classifyPath(path);
  const [id = ''] = ['projectId', 'taskId', 'agentId'].flatMap((key) => new Map(Object.entries(place)).get(key) ?? []);
  return PARSERS[place.kind]?.(text, id, path) ?? [`nothing reads ${path}`];
}

describe('the file examples of docs/protocol.md', () => {
  test('are of every kind that the page describes', () => {
    const kinds = new Set([...files.keys()].map((path) => classifyPath(path).kind));
    expect([...kinds].sort()).toEqual(Object.keys(PARSERS).sort());
  });

  test.each([...files])('%s is read without a complaint', (path, text) => {
    expect(diagnosticsOf(path, text)).toEqual([]);
  });

  test('make one workspace in which nothing contradicts anything', () => {
    const view = createView(memoryReader(Object.fromEntries(files)));
    expect(view.projectIds()).toEqual(['polish-20260902-090000', 'report-20260901-101500']);
    expect(findInconsistencies(view)).toEqual([]);
  });

  test('carry the digest and the delivery id that the page defines', () => {
    const [path = '', text = ''] = [...files].find(([name]) => name.endsWith('-01/meta.json')) ?? [];
    const { meta } = parseTaskMeta(text, path.split('/')[2] ?? '');
    const { result } = parseResult(files.get(path.replace('meta.json', 'result.md')) ?? '');
    expect(meta?.result_digest).toBe(result === undefined ? 'no result' : resultDigest(result));
    expect(meta?.continuation?.delivery_id).toBe(
      deliveryId(meta?.project_id ?? '', meta?.task_id ?? '', meta?.submission_id ?? ''),
    );
  });

  test('of baton.json is a configuration that starts', () => {
    const [example] = blocks.filter(({ meta }) => meta === 'baton.json');
    expect(parseConfig(example?.text ?? '', {})).toMatchObject({
      identity: { localpart: 'ana', matrixUserId: '@ana:local', role: 'worker' },
      git: { remote: '/srv/team.git', branch: 'main', lanePrefix: 'lanes/' },
    });
  });

  test('of a call names a tool and an action that exist', () => {
    const calls = blocks
      .filter(({ meta }) => meta === 'call')
      .map(({ text }) => JSON.parse(text) as Record<string, string>);
    expect(calls.map(({ tool, action }) => TOOLS[tool ?? '']?.[action ?? '']?.operation)).toEqual(['task.ack']);
  });

  test('of lines in rooms are read as what they say', () => {
    const [lines] = blocks.filter(({ meta }) => meta === 'room lines');
    expect((lines?.text ?? '').split('\n').map((line) => parseLine(line)?.kind)).toEqual([
      'assigned',
      'completed',
      'blocked',
      'revision',
      'interrupted',
      'attention',
      'answered',
      'project-completed',
    ]);
  });
});

describe('the table of owners', () => {
  const task = 'shared/tasks/t-01';
  const cases: readonly (readonly [path: string, leader: boolean, assignee: boolean, other: boolean])[] = [
    ['shared/team.json', true, false, false],
    ['shared/projects/p/plan.md', true, false, false],
    ['shared/roomflow/project-rooms/p-0123456789abcdef.json', true, false, false],
    ['shared/agents/ana.json', true, true, false],
    [`${task}/spec.md`, true, false, false],
    [`${task}/base/input.csv`, true, false, false],
    [`${task}/meta.json`, true, true, false],
    [`${task}/result.md`, false, true, false],
    [`${task}/workspace/out.md`, false, true, false],
    ['shared/events/2026-09/lead.jsonl', true, false, false],
    ['shared/events/2026-09/ana.jsonl', false, true, false],
    ['global-shared/style.md', false, false, false],
    ['baton.json', false, false, false],
  ];

  test.each(cases)('holds for %s', (path, leader, assignee, other) => {
    const may = (localpart: string, role: 'leader' | 'worker'): boolean =>
      mayWrite({ localpart, role }, path, () => 'ana').allowed;
    expect([may('lead', 'leader'), may('ana', 'worker'), may('bo', 'worker')]).toEqual([leader, assignee, other]);
  });
});
