import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import type { TaskMeta } from '../../protocol/records/types.ts';
import { sameRoom } from '../../protocol/rooms.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { withArchive } from '../../protocol/with-archive.ts';
import { readyNodes } from '../../rules/dag.ts';
import { presentProject, presentTask } from '../present.ts';
import { ANYONE, archivedAs, requireProject, requireTask, requireTaskOf } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { presentNodes } from './planned-tasks.ts';

const resolveInput = z.object({
  projectId: z.string().optional().describe('id of the project'),
  taskId: z.string().optional().describe('id of one of its tasks'),
  parentTaskId: z.string().optional().describe('task that the project was made for'),
  roomId: z.string().optional().describe('room that the request or an assignment came through'),
});

type ResolveInput = z.output<typeof resolveInput>;

/** protocol.md §10.15: restores the context of whoever is woken by a bare id. */
export const resolveProject = defineOperation({
  name: 'project.resolve',
  kind: 'query',
  roles: ANYONE,
  summary: 'Find a project by its id, a task, a parent task or a room, with what is ready in it.',
  input: resolveInput,
  fresh: 'best-effort',
  precheck({ input: { projectId, taskId, parentTaskId, roomId } }) {
    if ((projectId ?? taskId ?? parentTaskId ?? roomId) !== undefined) return;
    throw new FlowError('invalid-argument', 'projectId or taskId is required', {
      remedy: 'pass projectId, taskId, parentTaskId or roomId',
    });
  },
  run({ view: live, input }) {
    const view = withArchive(live);
    const task = input.taskId === undefined ? undefined : requireTask(view, input.taskId);
    if (task !== undefined && input.projectId !== undefined) requireTaskOf(task, input.projectId);
    const project = requireProject(view, input.projectId ?? task?.project_id ?? findProject(view, input));
    const { meta, plan } = project;
    return {
      changes: [],
      events: [],
      announcements: [],
      output: {
        project: presentProject(meta),
        planType: plan.kind,
        replyRoute: meta.reply_route ?? null,
        sourceRoomId: meta.source_room_id ?? null,
        readyNodes: presentNodes(readyNodes(plan, meta)),
        ...(task === undefined ? {} : { task: presentTask(task) }),
        ...archivedAs(live.project(project.id) === undefined ? live.archivedProject(project.id) : undefined),
      },
    };
  },
});

function findProject(view: WorkspaceView, { parentTaskId, roomId }: ResolveInput): string {
  const id =
    (parentTaskId === undefined ? undefined : byParent(view, parentTaskId)) ??
    (roomId === undefined ? undefined : byRoom(view, roomId));
  if (id !== undefined) return id;
  throw new FlowError('not-found', `project not found: ${parentTaskId ?? roomId ?? ''}`);
}

function byParent(view: WorkspaceView, parentTaskId: string): string | undefined {
  return liveliest(view, (id) => view.project(id)?.meta?.parent_task_id === parentTaskId);
}

/** The project whose request came through the room, else one with an assignment in it. */
function byRoom(view: WorkspaceView, roomId: string): string | undefined {
  const inRoom = (room: string | undefined): boolean => room !== undefined && sameRoom(room, roomId);
  const asked = liveliest(view, (id) => {
    const meta = view.project(id)?.meta;
    return inRoom(meta?.source_room_id) || inRoom(meta?.reply_route?.target_session);
  });
  if (asked !== undefined) return asked;
  const assigned = new Set(
    view
      .taskIds()
      .map((id) => view.task(id)?.meta)
      .filter((meta): meta is TaskMeta => meta !== undefined && inRoom(meta.room_id))
      .map((meta) => meta.project_id),
  );
  return liveliest(view, (id) => assigned.has(id));
}

/** Of several, an active project before the others, then the newest. */
function liveliest(view: WorkspaceView, fits: (id: string) => boolean): string | undefined {
  const rank = (id: string): string => {
    const meta = view.project(id)?.meta;
    return `${meta?.status === 'active' ? 1 : 0} ${meta?.created_at ?? ''} ${id}`;
  };
  return view
    .projectIds()
    .filter(fits)
    .reduce<string | undefined>((best, id) => (best === undefined || rank(id) > rank(best) ? id : best), undefined);
}
