import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { projectPaths } from '../../protocol/paths.ts';
import type { ProjectMeta, RequesterReport } from '../../protocol/records/types.ts';
import { parseTime, stampOf } from '../../protocol/timestamps.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import {
  dueReason,
  owedReport,
  PROJECT_COMPLETED,
  reportMessage,
  reportText,
  undeliverable,
  waitingResults,
  waitingSummary,
  WAITING_WHILE_PAUSED,
} from '../../rules/reports.ts';
import type { ReportMessage } from '../../rules/reports.ts';
import { newsIn, tellable } from '../../rules/told.ts';
import type { Told } from '../../rules/told.ts';
import { presentProject } from '../present.ts';
import { LEADERS, requireProject, writeProject } from '../shared.ts';
import type { OpenProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { AnnouncementDraft, Decision, OperationContext, Settlement } from '../types.ts';

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
 * protocol.md §14: writes the project's report and sends what is new of it where the project says. Its transaction id
 * comes from the text, so the same state is told once however often this runs.
 */
export const reportProject = defineOperation({
  name: 'project.report',
  kind: 'command',
  roles: LEADERS,
  internal: true,
  summary: 'Compose the report that a project owes its requester, and send it.',
  input: z.object({ projectId }),
  fresh: 'required',
  run(context) {
    const { view, input } = context;
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
    const obstacle = undeliverable(view, meta);
    const output: ReportOutput = {
      project: presentProject(next),
      reason,
      sent: false,
      ...(obstacle === undefined ? {} : { error: `${obstacle.problem}; ${obstacle.remedy}` }),
    };
    return {
      changes,
      events:
        changes.length === 0
          ? []
          : [{ type: 'project.reported', subject: { kind: 'project', id: project.id }, note: reason }],
      announcements: announcementOf(context, project, reportMessage(view, project, next)),
      output,
    };
  },
  settle: settleReport,
});

function announcementOf(
  { actor }: Pick<OperationContext<unknown>, 'actor'>,
  { id, meta }: OpenProject,
  { txn, text, route, digest, told }: ReportMessage,
): readonly AnnouncementDraft[] {
  if (route === undefined) return [];
  const { room, mention } = route;
  return [
    {
      kind: 'report',
      txn,
      room,
      text: mention === undefined ? text : `${mention}\n\n${text}`,
      mentions: mention === undefined ? [] : [mention],
      followUp: {
        operation: 'project.mark_requester_report_sent',
        input: { projectId: id, reportDigest: digest, told, after: meta.requester_report?.sent_at ?? '' },
        actor,
      },
    },
  ];
}

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
    requester_report: owedReport(meta.requester_report, {
      reason,
      ...(reason === WAITING_WHILE_PAUSED ? { summary: waitingSummary(waitingResults(view, project)) } : {}),
      report_path: projectPaths(project.id).result,
    }),
  };
}

/**
 * protocol.md §10.17. As a follow-up it notes what the delivered text said, and leaves a report pending whose project
 * has changed since it was composed: the next one tells the rest.
 */
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
    told: z.record(z.string(), z.string()).optional().describe('what that text said; set by the node'),
    after: z.string().optional().describe('when the report before it was sent; set by the node'),
  }),
  fresh: 'required',
  precheck({ input }) {
    sentTime(input.sentAt);
  },
  run({ view, input, now }): Decision<Record<string, unknown>> {
    const project = requireProject(view, input.projectId);
    const { meta } = project;
    const { reportDigest, told = {}, after = '' } = input;
    const sentAt = sentTime(input.sentAt);
    // A follow-up that runs twice, or after the one of a later report, has nothing more to note.
    const isLate = reportDigest !== undefined && after !== (meta.requester_report?.sent_at ?? '');
    const overtaken = reportDigest !== undefined && reportDigest !== reportMessage(view, project, meta).digest;
    const before = meta.requester_report;
    if (isLate || (overtaken && before?.pending !== true) || isMarked(before, sentAt, reportDigest)) {
      return { changes: [], events: [], announcements: [], output: { project: presentProject(meta), unchanged: true } };
    }
    const known = tellable(view, project, meta);
    const { report, pending, noted } = overtaken
      ? { report: before, pending: isMoreOwed(before, known, told), noted: told }
      : { report: toldReport(view, project), pending: false, noted: known };
    const next: ProjectMeta = {
      ...meta,
      requester_report: { ...report, pending, sent_at: sentAt ?? now, told: noted },
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

/** What else has happened is worth a report of its own, or was left to the next one before it did. */
function isMoreOwed(report: RequesterReport | undefined, known: Told, told: Told): boolean {
  const { reason } = report ?? {};
  return reason === PROJECT_COMPLETED || reason === WAITING_WHILE_PAUSED || newsIn(known, told) !== undefined;
}

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

/** A report that was delivered told the end of a project, and which results wait: neither is told again. */
function toldReport(view: WorkspaceView, project: OpenProject): Partial<RequesterReport> {
  const { status, requester_report: report } = project.meta;
  if (status === 'completed') return { ...report, reason: PROJECT_COMPLETED };
  const waiting = status === 'paused' ? waitingResults(view, project) : [];
  if (waiting.length === 0) return report ?? {};
  return { ...report, reason: WAITING_WHILE_PAUSED, summary: waitingSummary(waiting) };
}
