import { z } from 'zod';
import type { Change } from '../../protocol/changes.ts';
import { agentPath } from '../../protocol/paths.ts';
import { renderAgent } from '../../protocol/records/agent.ts';
import type { EventDraft, RaisedFinding } from '../../protocol/records/types.ts';
import { parseTime } from '../../protocol/timestamps.ts';
import { climbs, cured, raisedAfter } from '../../rules/lateness/ladder.ts';
import type { Climb, Late } from '../../rules/lateness/ladder.ts';
import { lateRecords } from '../../rules/lateness/lateness.ts';
import type { LateRecord } from '../../rules/lateness/lateness.ts';
import { LEADERS, writeProject, writeTask } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { tellings } from './tell.ts';

/**
 * Raises what is late by now, and clears what is not any more. What was raised stands in the record that it is about, and
 * is written with the messages that it owes: whoever looks again, after a restart or on another node of a Leader, finds
 * it raised. Nothing is changed when nothing is new.
 */
export const raiseLateness = defineOperation({
  name: 'lateness.raise',
  kind: 'command',
  roles: LEADERS,
  internal: true,
  summary: 'Raise what is late by now, tell whom it concerns, and clear what is not late any more.',
  input: z.object({
    projects: z.array(z.string()).optional().describe('only these, and what belongs to none; default all'),
  }),
  fresh: 'required',
  facts: ['beats'],
  run(context) {
    const { view, now, facts, input } = context;
    const beats = facts.beats?.() ?? new Map();
    const records = lateRecords({ view, now: parseTime(now) ?? 0, beats }, input.projects);
    const news = records.flatMap((record) => newsOf(record) ?? []);
    const raised = news.flatMap(({ climbed }) => climbed);
    return {
      changes: news.map(({ record }) => written(record, now)),
      events: news.flatMap(({ climbed, cleared, record }) => [
        ...climbed.map(raisedEvent),
        ...cleared.map((finding) => clearedEvent(subjectOf(record), finding)),
      ]),
      announcements: tellings(context, raised),
      output: {
        raised: raised.map(({ late: { key, level } }) => ({ key, level })),
        cleared: news.flatMap(({ cleared }) => cleared.map(({ key }) => key)),
      },
    };
  },
});

interface News {
  readonly record: LateRecord;
  readonly climbed: readonly Climb[];
  readonly cleared: readonly RaisedFinding[];
}

function newsOf(record: LateRecord): News | undefined {
  const { standing, meta } = record;
  const climbed = climbs(standing, meta.raised ?? []);
  const cleared = cured(standing, meta.raised ?? []);
  return climbed.length + cleared.length === 0 ? undefined : { record, climbed, cleared };
}

/** Whether raising would change anything. */
export function isNews(record: LateRecord): boolean {
  return newsOf(record) !== undefined;
}

function written({ kind, meta, standing }: LateRecord, now: string): Change {
  if (kind === 'task') return writeTask(withRaised(meta, standing, now));
  if (kind === 'project') return writeProject(withRaised(meta, standing, now));
  return { kind: 'write', path: agentPath(meta.agent_id), text: renderAgent(withRaised(meta, standing, now)) };
}

type Raisable = {
  readonly raised?: readonly RaisedFinding[];
  readonly sla_due_at?: string;
  readonly sla_violated_at?: string;
};

/** That an SLA was violated stays on record. */
function withRaised<Meta extends Raisable>(meta: Meta, standing: readonly Late[], now: string): Meta {
  const { raised: before = [], ...rest } = meta;
  const raised = raisedAfter(standing, before, now);
  const due = standing.find(({ kind }) => kind === 'sla-violated')?.due;
  const violated = due === undefined || due === meta.sla_due_at ? {} : { sla_due_at: due, sla_violated_at: now };
  return { ...(rest as Meta), ...violated, ...(raised.length === 0 ? {} : { raised }) };
}

function raisedEvent({ late, from, tells }: Climb): EventDraft {
  const { key, kind, subject, level, since, message } = late;
  const { id, projectId } = subject;
  return {
    type: 'finding.raised',
    action: 'raise',
    subject: { kind: subject.kind, id, ...(projectId === undefined ? {} : { project_id: projectId }) },
    note: message,
    data: { key, kind, level, since, told: [...tells], ...(from === 0 ? {} : { before: from }) },
  };
}

/** What was raised about something is over. */
export function clearedEvent(
  subject: NonNullable<EventDraft['subject']>,
  { key, level }: Pick<RaisedFinding, 'key' | 'level'>,
): EventDraft {
  return { type: 'finding.cleared', action: 'clear', subject, data: { key, level } };
}

function subjectOf({ kind, meta }: LateRecord): NonNullable<EventDraft['subject']> {
  if (kind === 'task') return { kind, id: meta.task_id, project_id: meta.project_id };
  return { kind, id: kind === 'project' ? meta.project_id : meta.agent_id };
}
