import { FlowError } from '../protocol/errors.ts';
import type { TeamSettings } from '../protocol/records/team-types.ts';
import type { ProjectMeta } from '../protocol/records/types.ts';
import { reportRouting } from '../protocol/report.ts';
import { sameRoom } from '../protocol/rooms.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import type { Obstacle } from '../rules/assignment-room.ts';
import { isReported, owedReport, WORK_STARTED } from '../rules/reports.ts';
import { projectPaths } from '../protocol/paths.ts';
import type { Audience, Facts } from './types.ts';

/** What a route is read from; also of a project that is yet to be made. */
type Origin = Pick<ProjectMeta, 'source' | 'requester' | 'reply_route' | 'source_room_id'>;

/** The room of a project's reports, and who reads them there; `undefined` where Baton writes to no room. */
export function reportAudience(view: WorkspaceView, origin: Origin): Audience | undefined {
  const routing = reportRouting({ meta: origin, team: view.team, agents: view.agents() });
  if (routing.kind !== 'room') return undefined;
  const { room, mention = adminOf(view.team, room) } = routing;
  return { room, members: mention === undefined ? [] : [mention] };
}

/** In the Leader DM the admin is told without a mention. */
function adminOf({ admin, leaderDmRoomId }: TeamSettings, room: string): string | undefined {
  return sameRoom(room, leaderDmRoomId) ? admin.matrixUserId : undefined;
}

/**
 * Why reports on a project would reach nobody, or `undefined`: the records name no room, or the homeserver says that
 * somebody who has to be in it is not. What it does not say is no obstacle, since work never waits for the chat.
 */
export function reportObstacle(
  { view, facts }: { readonly view: WorkspaceView; readonly facts: Facts },
  { project_id: id, ...origin }: Origin & Pick<ProjectMeta, 'project_id'>,
): Obstacle | undefined {
  const routing = reportRouting({ meta: origin, team: view.team, agents: view.agents() });
  const prefix = `reports on project ${id} would reach nobody`;
  if (routing.kind === 'nowhere') {
    return { message: `${prefix}: ${routing.problem}`, remedy: `${routing.remedy} (${projectPaths(id).meta})` };
  }
  const { absent } = facts;
  const audience = reportAudience(view, origin);
  // What was asked before the newest files were fetched may have been about another room.
  if (absent === undefined || audience === undefined || !sameRoom(absent.room, audience.room)) return undefined;
  if (absent.members.length === 0) return undefined;
  const missing = absent.members.join(' and ');
  return {
    message: `${prefix}: room ${audience.room} has not been joined by ${missing}`,
    remedy: `invite ${missing} and let them join, or correct the route in ${projectPaths(id).meta} or shared/team.json`,
  };
}

/** As `reportObstacle`, of a project on which somebody waits for reports; `undefined` of any other. */
export function routeObstacle(
  context: { readonly view: WorkspaceView; readonly facts: Facts },
  meta: ProjectMeta,
): Obstacle | undefined {
  return isReported(meta) ? reportObstacle(context, meta) : undefined;
}

/** protocol.md §14.1: work on which nobody could be told does not start. Throws `no-report-route`. */
export function requireReportRoute(
  context: { readonly view: WorkspaceView; readonly facts: Facts },
  meta: ProjectMeta,
): void {
  const obstacle = routeObstacle(context, meta);
  if (obstacle === undefined) return;
  throw new FlowError('no-report-route', obstacle.message, {
    remedy: obstacle.remedy,
    data: { projectId: meta.project_id },
  });
}

/** A project whose first work is given out owes its requester a word that it has begun. */
export function startedProject(meta: ProjectMeta): ProjectMeta {
  if (meta.requester_report !== undefined || !isReported(meta)) return meta;
  const report = owedReport(undefined, { reason: WORK_STARTED, report_path: projectPaths(meta.project_id).result });
  return { ...meta, requester_report: report };
}
