import type { Attacker, CommitShape, Files } from './attacker.ts';

/** A lane's Worker, and what is its own in the tree. */
export interface Mine {
  readonly me: string;
  readonly task: string;
  readonly meta: string;
  readonly spec: string;
  readonly result: string;
  readonly workspace: string;
  readonly log: string;
  readonly agent: string;
}

export function mine(me: string): Mine {
  const task = `shared/tasks/t-${me}`;
  return {
    me,
    task,
    meta: `${task}/meta.json`,
    spec: `${task}/spec.md`,
    result: `${task}/result.md`,
    workspace: `${task}/workspace`,
    log: `shared/events/2026-10/${me}.jsonl`,
    agent: `shared/agents/${me}.json`,
  };
}

/** At the attacker's desk, with what the remote holds. */
export interface Desk extends Attacker, Mine {
  /** Where all lanes begin. */
  readonly base: string;
  /** What main is when the lane is made. */
  readonly main: string;
  /** The lane's tip after the first round; the base for those that had none. */
  readonly before: string;
  /** The tree of `from` (the base) with these files, and with the honest one that must arrive. */
  work(files: Files, from?: string): string;
  /** A commit on the base with these files and the honest one. */
  lane(files: Files, shape?: CommitShape & { readonly from?: string }): string;
}

/** One lane that does what its Worker may not. */
export interface RogueLane {
  readonly name: string;
  /** Whose lane it claims to be, when not its own. */
  readonly as?: (own: Mine) => string;
  /** Fields of its task's record in the beginning, besides those that every task has. */
  readonly given?: Readonly<Record<string, unknown>>;
  /** The commit that it begins at, if not where all lanes begin: its Worker's clone has stood there since. */
  readonly begins?: (desk: Desk) => string;
  /** What it pushes first, and what the Leader has taken in before the rest. */
  readonly before?: (desk: Desk) => string;
  /** What is done on main while the lane is being made. */
  readonly meanwhile?: (own: Mine) => Files;
  /** What it changes, on the base, or how its tip is made. */
  readonly lane: Files | ((own: Mine) => Files) | { readonly make: (desk: Desk) => string };
  /** Path → reason, of all that is refused. */
  readonly refused: (own: Mine) => Readonly<Record<string, string | readonly string[]>>;
  /** What reaches main besides the honest file; `null` for what goes. */
  readonly arrives?: (own: Mine) => Files;
  /** What is refused of the newer work as well, that comes on top. */
  readonly later?: (own: Mine) => Readonly<Record<string, string>>;
  /** Git itself gives up on such a tree, so its own Worker's node can do nothing more with the lane. */
  readonly unmergeable?: true;
  /** Nothing of it can be taken: it is reported as a whole. */
  readonly broken?: true;
}

export const HONEST = 'honest work\n';
export const honestPath = ({ workspace }: Mine): string => `${workspace}/honest.txt`;
export const newerPath = ({ task }: Mine): string => `${task}/progress/newer.md`;

/** The record that every task has in the beginning. */
export function taskRecord({ me }: Mine, more: object = {}): Record<string, unknown> {
  return {
    task_id: `t-${me}`,
    project_id: 'p',
    task_title: `Task of ${me}`,
    assigned_to: me,
    room_id: '!team:local',
    status: 'assigned',
    depends_on: ['t-bo'],
    assigned_at: '2026-10-01T00:00:00Z',
    event_id: '$assigned',
    history: [
      { ts: '2026-10-01T00:00:00Z', from: 'prepared', to: 'assigned', action: 'delegate_task', actor: 'leader:lead' },
    ],
    ...more,
  };
}

export const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** The record with these fields; `undefined` takes one away. */
export const record = (own: Mine, more: object): string => json(taskRecord(own, more));
