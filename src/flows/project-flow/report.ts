import { createHash } from 'node:crypto';
import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { projectPaths } from '../../protocol/paths.ts';
import type { ProjectMeta, RequesterReport } from '../../protocol/records/types.ts';
import { reportRoute } from '../../protocol/report.ts';
import { parseTime, stampOf } from '../../protocol/timestamps.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { dueReason, reportText, waitingResults, waitingSummary, WAITING_WHILE_PAUSED } from '../../rules/reports.ts';
import { presentProject } from '../present.ts';
import { LEADERS, requireProject, writeProject } from '../shared.ts';
import type { OpenProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { AnnouncementDraft, Decision, Settlement } from '../types.ts';

const projectId = z.string().min(1).describe('id of the project');

interface ReportOutput {
  readonly project: Readonly<Record<string, unknown>>;
  readonly unchanged?: true;
  readonly reason?: string;
  readonly sent?: boolean;
  readonly eventId?: string;
  readonly error?: string;
}

/**
 * protocol.md §14: writes the project's report and sends it where the project says. Its transaction id comes from
 * the text, so the same state is told once however often this runs.
 */
export const reportProject = defineOperation({
  name: 'project.report',
  kind: 'command',
  roles: LEADERS,
  internal: true,
  summary: 'Compose the report that a project owes its requester, and send it.',
  input: z.object({ projectId }),
  fresh: 'required',
  run({ view, input, actor }) {
    const project = requireProject(view, input.projectId);
    const { meta } = project;
    const reason = dueReason(view, project, meta);
    if (reason === undefined) {
      return { changes: [], events: [], announcements: [], output: nothingDue(meta) };
    }
    const text = reportText(view, project, meta);
    const next = owing(view, project, reason);
    const path = projectPaths(project.id).result;
    const changes = [
      ...(view.text(path) === text ? [] : [{ kind: 'write', path, text } as const]),
      ...(next === meta ? [] : [writeProject(next)]),
    ];
    const digest = digestOf(text);
    const route = reportRoute({ meta: next, team: view.team });
    const announcements: readonly AnnouncementDraft[] =
      route === undefined
        ? []
        : [
            {
              kind: 'report',
              txn: `report-${project.id}-${digest}`,
              room: route.room,
              text: route.mention === undefined ? text : `${route.mention}\n\n${text}`,
              mentions: route.mention === undefined ? [] : [route.mention],
              followUp: {
                operation: 'project.mark_requester_report_sent',
                input: { projectId: project.id, reportDigest: digest },
                actor,
              },
            },
          ];
    const output: ReportOutput = { project: presentProject(next), reason, sent: false };
    return {
      changes,
      events:
        changes.length === 0
          ? []
          : [{ type: 'project.reported', subject: { kind: 'project', id: project.id }, note: reason }],
      announcements,
      output,
    };
  },
  settle: settleReport,
});

function nothingDue(meta: ProjectMeta): ReportOutput {
  return { project: presentProject(meta), unchanged: true };
}

function settleReport(output: ReportOutput, { deliveries }: Settlement): ReportOutput {
  const [delivery] = deliveries;
  if (delivery === undefined) return output;
  const { sent, eventId, error } = delivery;
  return {
    ...output,
    sent,
    ...(eventId === undefined ? {} : { eventId }),
    ...(error === undefined ? {} : { error }),
  };
}

/** What was found to be owed without anybody having noted it (results that arrived while paused) is noted now. */
function owing(view: WorkspaceView, project: OpenProject, reason: string): ProjectMeta {
  const { meta } = project;
  if (meta.requester_report?.pending === true) return meta;
  return {
    ...meta,
    requester_report: {
      pending: true,
      reason,
      ...(reason === WAITING_WHILE_PAUSED ? { summary: waitingSummary(waitingResults(view, project)) } : {}),
      report_path: projectPaths(project.id).result,
    },
  };
}

/** Names a report by its text. */
function digestOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 12);
}

/** protocol.md §10.17. As a follow-up it leaves a report pending whose project has changed since it was composed. */
export const markRequesterReportSent = defineOperation({
  name: 'project.mark_requester_report_sent',
  kind: 'command',
  roles: LEADERS,
  summary: 'Note that the requester has the report.',
  input: z.object({
    projectId,
    sentAt: z.string().optional().describe('when it was sent, RFC 3339; default now'),
    eventId: z.string().optional().describe('event id of the message'),
    reportDigest: z.string().optional().describe('which text was sent; set by the node'),
  }),
  fresh: 'required',
  precheck({ input }) {
    sentTime(input.sentAt);
  },
  run({ view, input, now }): Decision<Record<string, unknown>> {
    const project = requireProject(view, input.projectId);
    const { meta } = project;
    const sentAt = sentTime(input.sentAt);
    const outdated =
      input.reportDigest !== undefined && input.reportDigest !== digestOf(reportText(view, project, meta));
    if (outdated || isMarked(meta.requester_report, sentAt, input.reportDigest)) {
      return { changes: [], events: [], announcements: [], output: { project: presentProject(meta), unchanged: true } };
    }
    const next: ProjectMeta = {
      ...meta,
      requester_report: { ...toldWhilePaused(view, project), pending: false, sent_at: sentAt ?? now },
    };
    return {
      changes: [writeProject(next)],
      events: [
        {
          type: 'project.report_sent',
          action: 'mark_requester_report_sent',
          subject: { kind: 'project', id: project.id },
          ...(input.eventId === undefined ? {} : { data: { eventId: input.eventId } }),
        },
      ],
      announcements: [],
      output: { project: presentProject(next) },
    };
  },
});

function sentTime(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const millis = parseTime(text);
  if (millis !== undefined) return stampOf(millis);
  throw new FlowError('invalid-argument', `payload.sentAt must be a timestamp: ${text}`, {
    remedy: 'write it like 2026-06-06T00:00:00Z',
  });
}

/** Marked already, and not with another time; a follow-up never moves the time of an earlier mark. */
function isMarked(
  report: RequesterReport | undefined,
  sentAt: string | undefined,
  digest: string | undefined,
): boolean {
  if (report === undefined || report.pending || report.sent_at === undefined) return false;
  return digest !== undefined || sentAt === undefined || sentAt === report.sent_at;
}

/** A report on a paused project names the results that wait, so the same ones are not told again. */
function toldWhilePaused(view: WorkspaceView, project: OpenProject): Partial<RequesterReport> {
  const { meta } = project;
  const waiting = meta.status === 'paused' ? waitingResults(view, project) : [];
  if (waiting.length === 0) return meta.requester_report ?? {};
  return { ...meta.requester_report, reason: WAITING_WHILE_PAUSED, summary: waitingSummary(waiting) };
}
