import { expect } from 'vitest';
import { callTool } from '../../src/dialects/taskflow.ts';
import type { Envelope } from '../../src/dialects/taskflow.ts';
import { OPERATIONS } from '../../src/flows/catalog.ts';
import type {
  AnnouncementDraft,
  Decision,
  DeliveryFact,
  Facts,
  Operation,
  OperationContext,
} from '../../src/flows/types.ts';
import { carryOut } from '../../src/flows/errand-runner.ts';
import { FlowError } from '../../src/protocol/errors.ts';
import { newAgent, renderAgent } from '../../src/protocol/records/agent.ts';
import { parseTaskMeta, renderTaskMeta } from '../../src/protocol/records/task.ts';
import { renderTeam } from '../../src/protocol/records/team.ts';
import type { Actor, EventDraft, TaskMeta } from '../../src/protocol/records/types.ts';
import { memoryReader } from '../../src/workspace/readers.ts';
import { createView } from '../../src/workspace/snapshot.ts';
import { createRoomBook } from './room-book.ts';
import type { RoomBook } from './room-book.ts';

export const lead: Actor = { localpart: 'lead', role: 'leader', matrixUserId: '@lead:hs.local' };
export const ana: Actor = { localpart: 'ana', role: 'worker', matrixUserId: '@ana:hs.local' };
export const bo: Actor = { localpart: 'bo', role: 'worker', matrixUserId: '@bo:hs.local' };
export const ROOM = 'room:!team:hs.local';
export const NOW = '2026-09-01T10:15:00Z';

/** `gone`: the remote cannot be reached. `silent`: no message gets through. `full`: none is taken for now. */
export interface Weather {
  chat: 'local' | 'remote';
  gone: boolean;
  silent: string | undefined;
  full: string | undefined;
}

/**
 * A tree of texts on which calls are played through the dialect and the flows, as `execute` plays them on disk and
 * git: decide, apply, deliver, follow up, settle. Nothing here refuses anything by itself.
 */
export interface Office {
  readonly files: Record<string, string>;
  readonly sent: AnnouncementDraft[];
  readonly events: EventDraft[];
  readonly weather: Weather;
  readonly adopted: string[];
  now: string;
  facts: Partial<Facts>;
  /** Where rooms are made and looked at. */
  readonly homeserver: RoomBook;
  call(actor: Actor, tool: string, action: string, payload?: unknown, dryRun?: unknown): Promise<Envelope>;
  /** Runs an operation that no door offers. */
  internal(name: string, input: unknown, actor?: Actor): Promise<Record<string, unknown>>;
  task(id: string): TaskMeta;
  put(meta: Partial<TaskMeta> & { readonly task_id: string }): void;
  /** Replaces a text in a file that must hold it. */
  edit(path: string, from: string, to: string): void;
  /** Puts a Worker on the roster, or the Leader. */
  hire(name: string): void;
  /** The plan's line of a node. */
  line(projectId: string, taskId: string): string | undefined;
}

export interface OfficeOptions {
  readonly chat?: 'local' | 'remote';
  readonly files?: Readonly<Record<string, string>>;
  readonly team?: Readonly<Record<string, unknown>>;
}

export function createOffice(options: OfficeOptions = {}): Office {
  const files: Record<string, string> = {
    'shared/team.json': renderTeam({
      name: 'demo',
      teamRoomId: '!team:hs.local',
      leaderDmRoomId: '!dm:hs.local',
      admin: { name: 'Admin', matrixUserId: '@admin:hs.local' },
      ...options.team,
    }),
    ...options.files,
  };
  const events = new Map<string, string>();
  let calls = 0;
  const office: Office = {
    files,
    sent: [],
    events: [],
    adopted: [],
    weather: { chat: options.chat ?? 'remote', gone: false, silent: undefined, full: undefined },
    now: NOW,
    facts: {},
    homeserver: createRoomBook('@lead:hs.local'),
    call: (actor, tool, action, payload, dryRun) =>
      callTool((name, input, given) => execute(name, input, given.actor, given.dryRun), {
        tool,
        action,
        payload,
        dryRun,
        actor,
      }),
    internal: (name, input, actor = lead) => execute(name, input, actor, false),
    task(id) {
      const { meta } = parseTaskMeta(files[`shared/tasks/${id}/meta.json`] ?? '', id);
      if (meta === undefined) throw new Error(`no task ${id}`);
      return meta;
    },
    put(meta) {
      const full = {
        project_id: 'p',
        task_title: meta.task_id,
        assigned_to: 'ana',
        status: 'assigned',
        room_id: ROOM,
      } as const;
      files[`shared/tasks/${meta.task_id}/meta.json`] = renderTaskMeta({ ...full, ...meta });
    },
    edit(path, from, to) {
      const text = files[path] ?? '';
      expect(text).toContain(from);
      files[path] = text.replace(from, to);
    },
    hire(name) {
      const role = name === 'lead' ? 'leader' : 'worker';
      files[`shared/agents/${name}.json`] = renderAgent(
        newAgent({ id: name, role, matrixUserId: `@${name}:hs.local` }),
      );
    },
    line: (projectId, taskId) =>
      files[`shared/projects/${projectId}/plan.md`]?.split('\n').find((line) => line.includes(`] ${taskId} `)),
  };

  async function execute(name: string, raw: unknown, actor: Actor, dryRun: boolean): Promise<Record<string, unknown>> {
    const operation = OPERATIONS.get(name) as Operation;
    const input = operation.input.parse(raw);
    const mayCall = operation.roles.includes(actor.role);
    if (!mayCall) throw new FlowError('wrong-role', `${name} is not for the role ${actor.role}`);
    calls += 1;
    const context: OperationContext<unknown> = {
      view: createView(memoryReader(files)),
      input,
      actor,
      now: office.now,
      ids: { submission: `sub-${calls}`, txn: calls.toString(16).padStart(12, '0'), localTime: '20260901-101500' },
      facts: { chat: { kind: office.weather.chat, self: '@lead:hs.local' }, ...office.facts },
    };
    operation.precheck?.(context);
    if (dryRun) return { ...(operation.dryRun?.(context) ?? (input as Record<string, unknown>)) };
    if (office.weather.gone && operation.kind === 'command' && operation.whenOffline !== 'persist') {
      throw new FlowError('sync-failed', 'the remote cannot be reached');
    }
    const prepared = await carryOut(operation.prepare?.(context), { rooms: office.homeserver });
    const decision = operation.run(context, prepared);
    apply(decision);
    const deliveries = office.weather.gone ? [] : decision.announcements.map(deliver);
    const output = { ...decision.output, ...(await followUps(decision.announcements, deliveries)) };
    const settlement = {
      synced: !office.weather.gone,
      remote: !office.weather.gone,
      commit: decision.changes.length === 0 ? undefined : 'c0ffee',
      durability: office.weather.gone ? 'committed' : 'replicated',
      deliveries,
    } as const;
    return { ...(operation.settle?.(output, settlement, input) ?? output) };
  }

  function apply(decision: Decision<unknown>): void {
    for (const change of decision.changes) {
      if (change.kind === 'write') files[change.path] = change.text;
      else if (change.kind === 'adopt') office.adopted.push(change.path);
      else if (change.kind === 'move') move(change.from, change.path);
      else delete files[change.path];
    }
    office.events.push(...decision.events);
  }

  function move(from: string, to: string): void {
    for (const path of Object.keys(files).filter((name) => name.startsWith(from))) {
      files[to + path.slice(from.length)] = files[path] ?? '';
      delete files[path];
    }
  }

  async function followUps(
    announcements: readonly AnnouncementDraft[],
    deliveries: readonly DeliveryFact[],
  ): Promise<Record<string, unknown>> {
    let merged: Record<string, unknown> = {};
    for (const [index, { followUp }] of announcements.entries()) {
      const delivery = deliveries[index];
      if (followUp === undefined || delivery?.sent !== true) continue;
      const told = { ...followUp.input, eventId: delivery.eventId };
      merged = { ...merged, ...(await execute(followUp.operation, told, followUp.actor, false)) };
    }
    return merged;
  }

  function deliver(draft: AnnouncementDraft): DeliveryFact {
    const { txn } = draft;
    const { silent, full } = office.weather;
    if (full !== undefined) return { txn, sent: false, error: full, queued: true };
    if (silent !== undefined) return { txn, sent: false, error: silent };
    const known = events.get(txn);
    if (known !== undefined) return { txn, sent: true, eventId: known, reused: true };
    const eventId = `$e${events.size + 1}`;
    events.set(txn, eventId);
    office.sent.push(draft);
    return { txn, sent: true, eventId, reused: false };
  }

  return office;
}

/** A project `p` whose nodes are given as `id: [dependencies]`, all planned for ana. */
export async function planned(office: Office, nodes: Readonly<Record<string, readonly string[]>>): Promise<void> {
  await ok(office.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'Project' }));
  const tasks = Object.entries(nodes).map(([taskId, dependsOn]) => ({
    taskId,
    title: `Task ${taskId}`,
    assignedTo: 'ana',
    dependsOn,
  }));
  await ok(office.call(lead, 'projectflow', 'plan_dag', { projectId: 'p', tasks }));
}

/** The answer of a call that must succeed. */
export async function ok(call: Promise<Envelope>): Promise<Envelope> {
  const envelope = await call;
  expect(envelope).toMatchObject({ ok: true });
  return envelope;
}

/** `code: error` of a call that must be refused and must change nothing. */
export async function refused(office: Office, call: () => Promise<Envelope>): Promise<string> {
  const before = { ...office.files };
  const envelope = await call();
  expect(office.files).toEqual(before);
  return envelope.ok ? 'accepted' : `${envelope.code}: ${envelope.error}`;
}
