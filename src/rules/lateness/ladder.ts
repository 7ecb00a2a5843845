import type { RaisedFinding } from '../../protocol/records/types.ts';

/** Who is told of a finding when it reaches a rung. */
export type Told = 'assignee' | 'leader' | 'admin';

export const LATE_KINDS = [
  'unacknowledged',
  'unchecked',
  'stuck',
  'slow',
  'overdue',
  'sla-violated',
  'overloaded',
] as const;
export type LateKind = (typeof LATE_KINDS)[number];

/** What a finding is about, and thus whose record keeps that it was raised. */
export interface LateSubject {
  readonly kind: 'task' | 'project' | 'agent';
  readonly id: string;
  readonly projectId?: string;
}

/** Something that is late now. */
export interface Late {
  /** `<kind>:<id>:<occasion>`: what is late for another reason, or once more, has another key. */
  readonly key: string;
  readonly kind: LateKind;
  readonly subject: LateSubject;
  /** From 1: how many rungs of the ladder of its kind have been reached. */
  readonly level: number;
  /** When it began to be late; UTC. */
  readonly since: string;
  readonly message: string;
  /** What mends it, as it is typed. */
  readonly command: string;
  /** Of an SLA: when it ran out; UTC. */
  readonly due?: string;
}

interface Rung {
  /** In so many times of what is allowed. */
  readonly after: number;
  readonly tells: Told;
}

/**
 * Who hears of what, and when: what is allowed is one time of it. An assignment is sent once more before anybody else is
 * bothered, and the admin is asked last.
 */
export const LADDERS: Readonly<Record<LateKind, readonly Rung[]>> = {
  unacknowledged: [
    { after: 1, tells: 'assignee' },
    { after: 2, tells: 'leader' },
    { after: 4, tells: 'admin' },
  ],
  unchecked: [
    { after: 1, tells: 'leader' },
    { after: 4, tells: 'admin' },
  ],
  stuck: [
    { after: 1, tells: 'leader' },
    { after: 2, tells: 'admin' },
  ],
  slow: [{ after: 0, tells: 'leader' }],
  overdue: [{ after: 0, tells: 'leader' }],
  'sla-violated': [
    { after: 1, tells: 'leader' },
    { after: 2, tells: 'admin' },
  ],
  overloaded: [{ after: 1, tells: 'leader' }],
};

/** How many rungs are reached when `spent` is past each of them; 0: none. */
export function levelOf(kind: LateKind, spent: number, allowed: number): number {
  return LADDERS[kind].filter(({ after }) => spent > after * allowed).length;
}

/** One step up a ladder, and everybody on the rungs between. */
export interface Climb {
  readonly late: Late;
  /** The level that was raised before; 0: none. */
  readonly from: number;
  /** When that was; absent where none was raised. */
  readonly before?: string;
  readonly tells: readonly Told[];
}

/**
 * What is to be raised now, by what was raised before: each level once. Whoever stands on a rung that was passed
 * unseen, while no node ran, is told as well, so that it does not matter how often anybody looked.
 */
export function climbs(standing: readonly Late[], raised: readonly RaisedFinding[]): readonly Climb[] {
  const known = new Map(raised.map((finding) => [finding.key, finding]));
  return standing.flatMap((late) => {
    const before = known.get(late.key);
    const from = before?.level ?? 0;
    if (late.level <= from) return [];
    const tells = LADDERS[late.kind].slice(from, late.level).map((rung) => rung.tells);
    return [{ late, from, ...(before === undefined ? {} : { before: before.at }), tells }];
  });
}

/** What was raised and does not stand any more. */
export function cured(standing: readonly Late[], raised: readonly RaisedFinding[]): readonly RaisedFinding[] {
  const keys = new Set(standing.map(({ key }) => key));
  return raised.filter(({ key }) => !keys.has(key));
}

/** What is raised once `standing` was told of: a level is never taken back while its finding stands. */
export function raisedAfter(
  standing: readonly Late[],
  raised: readonly RaisedFinding[],
  now: string,
): readonly RaisedFinding[] {
  const before = new Map(raised.map((finding) => [finding.key, finding]));
  return standing.map(({ key, level }) => {
    const known = before.get(key);
    return known !== undefined && known.level >= level ? known : { key, level, at: now };
  });
}
