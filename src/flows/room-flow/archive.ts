import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { roomBindingPath } from '../../protocol/paths.ts';
import { renderRoomBinding } from '../../protocol/records/room-binding.ts';
import type { TaskStatus } from '../../protocol/records/types.ts';
import { sameRoom, sessionOf } from '../../protocol/rooms.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { leaveRoom } from '../errands.ts';
import { LEADERS } from '../shared.ts';
import { syncFields } from '../task-flow/common.ts';
import { defineOperation } from '../types.ts';
import type { OperationContext } from '../types.ts';
import { bindingOf, knownRooms, requireRoomId } from './rooms.ts';

const input = z.object({
  projectId: z.string().optional().describe('the project whose room it is'),
  roomId: z.string().optional().describe('or the room, such as !room:domain'),
  sessionId: z.string().optional().describe('or its conversation, matrix:!room:domain'),
});

type Context = OperationContext<z.output<typeof input>>;

interface ArchiveOutput {
  readonly roomId: string;
  readonly sessionId: string;
  readonly projectId?: string;
  readonly archived: true;
  readonly alreadyLeft?: true;
  readonly note?: string;
}

/** While a task is in one of these its assignee is still told things in the room. */
const UNDER_WAY: ReadonlySet<TaskStatus> = new Set(['prepared', 'assigned', 'in_progress']);

/**
 * protocol.md §10.21: leaves a room for good and notes that the project has none any more. What is said in it stays
 * with the others. Not the rooms of the team, and not while work is under way in it.
 */
export const archiveRoom = defineOperation({
  name: 'room.archive',
  kind: 'command',
  roles: LEADERS,
  summary: 'Leave the room of a project that is over.',
  input,
  fresh: 'required',
  precheck: (context) => void requireFree(context),
  dryRun: (context) => ({ ...requireFree(context) }),
  *prepare(context) {
    const { roomId } = requireFree(context);
    return context.facts.chat.kind === 'remote' ? yield* leaveRoom(roomId) : undefined;
  },
  run(context, left) {
    const { roomId, projectId } = requireFree(context);
    const { view, now } = context;
    const binding = view.roomBindings().find((one) => one.room_id === roomId);
    const alreadyLeft = left === false || (left === undefined && binding?.status === 'archived');
    const output: ArchiveOutput = {
      roomId,
      sessionId: sessionOf(roomId),
      ...(projectId === undefined ? {} : { projectId }),
      archived: true,
      ...(alreadyLeft ? { alreadyLeft, note: 'the room had been left before' } : {}),
    };
    if (binding === undefined || binding.status === 'archived') {
      return { changes: [], events: [], announcements: [], output };
    }
    const archived = renderRoomBinding({ ...binding, status: 'archived', archived_at: now });
    return {
      changes: [{ kind: 'write', path: roomBindingPath(binding.project_id), text: archived }],
      events: [
        {
          type: 'room.archived',
          action: 'archive_room',
          subject: { kind: 'project', id: binding.project_id },
          data: { room_id: roomId },
        },
      ],
      announcements: [],
      output,
    };
  },
  settle: (output: ArchiveOutput, settlement) => ({ ...output, ...syncFields(settlement) }),
});

/** Which room is meant, once it is sure that nobody needs it. Throws `not-found`, `invalid-argument`, `illegal-transition`. */
function requireFree({ view, facts, input: given }: Context): { readonly roomId: string; readonly projectId?: string } {
  const roomId = requireTarget(view, given);
  const room = knownRooms(view).find((one) => one.roomId === roomId);
  if (room !== undefined && room.kind !== 'task') {
    throw new FlowError('invalid-argument', `${roomId} is a room of the team (${room.name}), which needs it`, {
      remedy: 'name the room of a project',
    });
  }
  if (room === undefined && facts.chat.kind === 'local') {
    throw new FlowError('not-found', `no project has the room ${roomId}`, {
      remedy: 'list_rooms shows which there are',
    });
  }
  const open = view.taskIds().filter((id) => {
    const meta = view.task(id)?.meta;
    return meta !== undefined && UNDER_WAY.has(meta.status) && sameRoom(meta.room_id, roomId);
  });
  if (open.length > 0) {
    throw new FlowError('illegal-transition', `work is under way in ${roomId}: ${open.join(', ')}`, {
      remedy: 'archive the room once these are submitted or cancelled',
      data: { roomId, openTasks: open },
    });
  }
  return { roomId, ...(room?.binding === undefined ? {} : { projectId: room.binding.project_id }) };
}

function requireTarget(view: WorkspaceView, { projectId, ...given }: z.output<typeof input>): string {
  if (projectId === undefined) return requireRoomId(given);
  const binding = bindingOf(view, projectId);
  if (binding !== undefined) return binding.room_id;
  throw new FlowError('not-found', `project ${projectId} has no room of its own`, {
    remedy: 'list_rooms shows which there are',
    data: { projectId },
  });
}
