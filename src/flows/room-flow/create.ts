import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { isUserId, resolveUserId } from '../../protocol/identity.ts';
import { roomBindingPath } from '../../protocol/paths.ts';
import { renderRoomBinding, taskRoomName } from '../../protocol/records/room-binding.ts';
import { DEFAULT_TEAM } from '../../protocol/records/team.ts';
import type { RoomBinding } from '../../protocol/records/types.ts';
import { sessionOf } from '../../protocol/rooms.ts';
import type { NewRoom } from '../../protocol/rooms.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { ensureRoom, othersThan } from '../errands.ts';
import type { EnsuredRoom } from '../errands.ts';
import { LEADERS } from '../shared.ts';
import { homeServer, syncFields } from '../task-flow/common.ts';
import { defineOperation } from '../types.ts';
import type { OperationContext } from '../types.ts';
import { bindingOf } from './rooms.ts';

const input = z.object({
  projectId: z.string().optional().describe('project that gets the room; it need not exist yet'),
  taskId: z.string().optional().describe('stands for its project, or for itself'),
  source: z.string().optional().describe('where the request came from'),
  topic: z.string().optional().describe('default: Task room for <id>'),
  invite: z.array(z.string()).optional().describe('names or Matrix ids, default: the assignees of the plan'),
});

type Context = OperationContext<z.output<typeof input>>;

interface RoomOutput {
  readonly projectId: string;
  readonly roomId: string;
  readonly sessionId: string;
  readonly name: string;
  readonly topic: string;
  readonly reused: boolean;
  readonly invited: readonly string[];
}

/**
 * protocol.md §10.21: the one room of a project, made when there is none. Where there is no homeserver a room is only
 * a name, so it gets one. Who asks, and from where, never decides which room it is.
 */
export const createTaskRoom = defineOperation({
  name: 'room.create',
  kind: 'command',
  roles: LEADERS,
  summary: 'Make the room of a project, or ask in who is missing.',
  input,
  fresh: 'required',
  precheck(context) {
    bindingOf(context.view, idOf(context));
    wantedMembers(context);
  },
  dryRun(context) {
    const { id, known, name, topic } = wanted(context);
    return {
      projectId: id,
      ...(known === undefined ? {} : { roomId: known.room_id }),
      name,
      topic,
      reused: known !== undefined,
      invite: wantedMembers(context),
    };
  },
  *prepare(context) {
    const { known } = wanted(context);
    if (context.facts.chat.kind === 'local') {
      const roomId = known?.room_id ?? localRoom(idOf(context));
      return { roomId, created: known === undefined, invited: [] } satisfies EnsuredRoom;
    }
    return yield* ensureRoom(newRoom(context), { known: known?.room_id, members: wantedMembers(context) });
  },
  run(context, { roomId, created, invited }) {
    const { id, known, name, topic } = wanted(context);
    if (known !== undefined && known.room_id !== roomId) throw boundMeanwhile(id, known);
    const output: RoomOutput = {
      projectId: id,
      roomId,
      sessionId: sessionOf(roomId),
      name: known?.name ?? name,
      topic: known?.topic ?? topic,
      reused: known !== undefined || !created,
      invited,
    };
    if (known !== undefined) return { changes: [], events: [], announcements: [], output };
    const { source } = context.input;
    const binding: RoomBinding = {
      schema: 1,
      project_id: id,
      room_id: roomId,
      name,
      topic,
      ...(source === undefined ? {} : { source }),
      status: 'active',
      created_at: context.now,
      created_by: context.facts.chat.self,
    };
    return {
      changes: [{ kind: 'write', path: roomBindingPath(id), text: renderRoomBinding(binding) }],
      events: [
        {
          type: 'room.created',
          action: 'create_task_room',
          subject: { kind: 'project', id },
          data: { room_id: roomId, ...(source === undefined ? {} : { source }) },
        },
      ],
      announcements: [],
      output,
    };
  },
  settle: (output: RoomOutput, settlement) => ({ ...output, ...syncFields(settlement) }),
});

/** The project whose room it is: a task's room is its project's. Throws `invalid-argument`. */
function idOf({ view, input: { projectId, taskId } }: Context): string {
  const id = projectId ?? (taskId === undefined ? undefined : (view.task(taskId)?.meta?.project_id ?? taskId));
  if (id !== undefined && id !== '') return id;
  throw new FlowError('invalid-argument', 'payload.projectId or payload.taskId is required');
}

/** An archived room was left for good; one that was only a name gives way to a real one. */
function wanted(context: Context) {
  const { view, facts, input: given } = context;
  const id = idOf(context);
  const binding = bindingOf(view, id);
  const isOnlyName = facts.chat.kind === 'remote' && binding?.room_id === localRoom(id);
  const known = binding?.status === 'active' && !isOnlyName ? binding : undefined;
  const source = given.source === undefined ? '' : ` [source: ${given.source}]`;
  return { id, known, name: taskRoomName(id), topic: given.topic ?? `Task room for ${id}${source}` };
}

function localRoom(id: string): string {
  return `!task-${id}:local`;
}

/** Another node of the team was faster; its room is the project's, and the next call asks in who is missing there. */
function boundMeanwhile(projectId: string, { room_id: roomId }: RoomBinding): FlowError {
  return new FlowError('already-exists', `project ${projectId} has got the room ${roomId} meanwhile`, {
    remedy: 'call create_task_room again',
    retryable: true,
    data: { projectId, roomId },
  });
}

/** The team's admin and those who are named, else whoever has a node in the plan. Throws `invalid-argument`. */
function wantedMembers(context: Context): readonly string[] {
  const { view, facts, input: given } = context;
  const named = given.invite?.map((name) => requireUser(context, name)) ?? assigneesOf(context);
  return othersThan(facts.chat.self, [...adminOf(view), ...named]);
}

function assigneesOf(context: Context): readonly string[] {
  const nodes = context.view.project(idOf(context))?.plan.nodes ?? [];
  return nodes.flatMap(({ assignee }) => userOf(context, assignee) ?? []);
}

function requireUser(context: Context, name: string): string {
  const user = userOf(context, name);
  if (user !== undefined) return user;
  throw new FlowError('invalid-argument', `cannot resolve Matrix ID for '${name}'`, {
    remedy: 'pass a full Matrix id such as @ana:domain, or register the agent first',
  });
}

/** A full id is taken as it is, so that people without a record can be asked in. */
function userOf({ view, facts }: Context, name: string): string | undefined {
  if (isUserId(name.trim())) return name.trim();
  return resolveUserId(name, view.agents(), homeServer(facts));
}

function adminOf({ team: { admin } }: WorkspaceView): readonly string[] {
  const { matrixUserId } = admin;
  return matrixUserId === DEFAULT_TEAM.admin.matrixUserId ? [] : [matrixUserId];
}

/** Made by the Leader with the admin, who may do what the Leader may; the others are asked in as members. */
function newRoom(context: Context): NewRoom {
  const { view, facts } = context;
  const { id, name, topic } = wanted(context);
  const { self } = facts.chat;
  const members = wantedMembers(context);
  const workers = members.filter((user) =>
    view.agents().some((agent) => agent.role === 'worker' && agent.matrix_user_id === user),
  );
  return {
    purpose: `${view.team.name}/task/${id}`,
    name,
    topic,
    invite: othersThan(self, adminOf(view)),
    trusted: true,
    state: {
      'room.meta': {
        projectId: id,
        team: view.team.name,
        leader: self,
        workers,
        humans: members.filter((user) => !workers.includes(user)),
      },
    },
  };
}
