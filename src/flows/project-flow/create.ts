import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { INBOX, MAX_ID, requireNewId, slugOf } from '../../protocol/ids.ts';
import { projectPaths } from '../../protocol/paths.ts';
import { initialPlan } from '../../protocol/plan/render.ts';
import type { ProjectMeta } from '../../protocol/records/types.ts';
import { normaliseReplyRoute } from '../../protocol/report.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { presentProject } from '../present.ts';
import { reportAudience, reportObstacle } from '../report-reach.ts';
import { LEADERS, refuseArchived, writeProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { OperationContext } from '../types.ts';
import { optional, titleOf } from '../work-fields.ts';

/** What both ways of creating a project are told about where it comes from. */
export const originFields = {
  projectId: z
    .string()
    .min(1, 'payload.projectId is required')
    .optional()
    .describe('id of the new project; made from the title when absent'),
  title: z.string().min(1).describe('one line that names the project'),
  source: z.string().optional().describe('where the request came from, e.g. team-admin or manager'),
  requester: z.string().optional().describe('who asked: a Matrix id, matrix:!room:domain, or channel:user:session'),
  parentTaskId: z.string().optional().describe('task that this project was made for'),
  replyRoute: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('where reports go: {channel, targetUser, targetSession}'),
  sourceRoomId: z.string().optional().describe('room or conversation of the request'),
  teamId: z.string().optional().describe('team that owns the project'),
};

const createInput = z.object(originFields);

/** protocol.md §10.8; with `policies.requireApproval` it begins in planning (features.md §3.2). */
export const createProject = defineOperation({
  name: 'project.create',
  kind: 'command',
  roles: LEADERS,
  summary: 'Create a project with an empty plan.',
  input: createInput,
  fresh: 'required',
  audience: ({ view, input }) => reportAudience(view, originOf(input)),
  precheck: ({ input }) => checkOrigin(input),
  run(context) {
    const { requireApproval } = context.view.team.policies;
    const created = newProject(context);
    const meta: ProjectMeta = requireApproval ? { ...created, phase: 'planning' } : created;
    const { project_id: id, title } = meta;
    return {
      changes: [
        writeProject(meta),
        {
          kind: 'write',
          path: projectPaths(id).plan,
          text: initialPlan({ title, projectId: id, createdAt: context.now }),
        },
      ],
      events: [
        {
          type: 'project.created',
          action: 'create_project',
          subject: { kind: 'project', id },
          to: requireApproval ? 'planning' : meta.status,
          note: title,
        },
      ],
      announcements: [],
      output: { project: presentProject(meta), ...warningOf(context, meta) },
    };
  },
});

/** What keeps work from starting, its approval or a report that would reach nobody; better known now than then. */
function warningOf(context: Parameters<typeof reportObstacle>[0], meta: ProjectMeta): { readonly warning?: string } {
  const { project_id: id } = meta;
  const obstacle = reportObstacle(context, meta);
  const waits =
    meta.phase === 'planning'
      ? [`it waits for approval (policies.requireApproval); once it is planned: baton transition ${id} approve`]
      : [];
  const reasons = [...waits, ...(obstacle === undefined ? [] : [`${obstacle.message}; ${obstacle.remedy}`])];
  return reasons.length === 0 ? {} : { warning: reasons.join('; ') };
}

type OriginInput = z.output<typeof createInput>;

/** What can be said of a project's id before anything is read. */
export function checkOrigin({ projectId }: OriginInput): void {
  if (projectId !== undefined) requireNewId(projectId, 'projectId');
}

/** The record of a new project. Throws `already-exists` or `invalid-argument`. */
export function newProject(
  { view, input, now, ids }: Pick<OperationContext<OriginInput>, 'view' | 'input' | 'now' | 'ids'>,
  mode?: 'quick',
): ProjectMeta {
  const title = titleOf(input.title);
  const id = input.projectId === undefined ? generateId(view, title, ids.localTime) : freeId(view, input.projectId);
  const { source, requester, reply_route: route, source_room_id: sourceRoom } = originOf(input);
  return {
    project_id: id,
    title,
    status: 'active',
    ...optional('source', source),
    ...optional('requester', requester),
    ...optional('parent_task_id', input.parentTaskId),
    created_at: now,
    ...optional('mode', mode),
    ...optional('team_id', input.teamId),
    ...optional('reply_route', route),
    ...optional('source_room_id', sourceRoom),
  };
}

/** Where a project comes from, as it is recorded. */
export function originOf(
  input: OriginInput,
): Pick<ProjectMeta, 'source' | 'requester' | 'reply_route' | 'source_room_id'> {
  // A requester that names a session is a route as well; a bare Matrix id is identity only.
  const route = normaliseReplyRoute(input.replyRoute) ?? normaliseReplyRoute(input.requester);
  return {
    ...optional('source', input.source),
    ...optional('requester', input.requester),
    ...optional('reply_route', route),
    ...optional('source_room_id', input.sourceRoomId ?? route?.target_session),
  };
}

function freeId(view: WorkspaceView, wanted: string): string {
  const id = requireNewId(wanted, 'projectId');
  if (id.toLowerCase() === INBOX) throw reserved(id);
  const taken = existing(view, id);
  if (taken === undefined) {
    refuseArchived(id, view.archivedProject(id));
    return id;
  }
  throw new FlowError('already-exists', `project already exists: ${taken}`, {
    remedy: 'choose another projectId, or leave it out to have one made',
    data: { projectId: id },
  });
}

/** Baton makes it itself, with the first task that names no project. */
function reserved(projectId: string): FlowError {
  return new FlowError('already-exists', `project id is reserved: ${projectId}`, {
    remedy: 'choose another projectId; tasks that name no project go to the inbox',
    data: { projectId },
  });
}

/** The project that holds this id, also one that differs only by case: some disks cannot tell them apart. */
function existing(view: WorkspaceView, id: string): string | undefined {
  if (view.exists(projectPaths(id).meta)) return id;
  const folded = id.toLowerCase();
  return view.projectIds().find((other) => other.toLowerCase() === folded);
}

/** protocol.md §1.1: slug and local time; `-01` to `-999` when several are made within one second. */
function generateId(view: WorkspaceView, title: string, localTime: string): string {
  const room = MAX_ID - localTime.length - '--999'.length;
  const base = `${slugOf(title).slice(0, room).replace(/-+$/, '')}-${localTime}`;
  if (existing(view, base) === undefined) return base;
  for (let suffix = 1; suffix <= 999; suffix += 1) {
    const id = `${base}-${String(suffix).padStart(2, '0')}`;
    if (existing(view, id) === undefined) return id;
  }
  throw new FlowError('already-exists', `cannot allocate unique project id for: ${base}`);
}
