/** Roles of protocol.md §0.3. */
export const ROLES = ['leader', 'worker', 'remote-member', 'manager', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who acts: the localpart decides identity, the role decides what may be called. */
export interface Actor {
  readonly localpart: string;
  readonly role: Role;
  readonly matrixUserId?: string;
}

/** Keys that a record carries beyond the known ones; they survive every rewrite in their original order. */
export type Unknowns = Readonly<Record<string, unknown>>;

export type ProjectStatus = 'active' | 'paused' | 'completed' | 'failed' | 'rejected' | 'blocked' | 'planning';

/** How far an active project has come (features.md §3.2). A record without one is approved: its plan may be worked. */
export const PHASES = ['planning', 'approved', 'in_progress', 'testing', 'review'] as const;
export type Phase = (typeof PHASES)[number];

/** Whether a good result counts by itself or on the Leader's word (features.md §2.1 C3). */
export const ACCEPTANCES = ['leader', 'auto'] as const;
export type Acceptance = (typeof ACCEPTANCES)[number];

/** `P0` is the most urgent; a record without one is `P2` (features.md §2.1 C5). */
export const PRIORITIES = ['P0', 'P1', 'P2', 'P3'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What kind of work a task is (features.md S002-11): projects go on to testing and review by it. */
export const TASK_TYPES = ['dev', 'test', 'docs', 'validate', 'misc'] as const;

/** A finding about lateness that was raised and still stands (rules/lateness): raised once per level. */
export interface RaisedFinding {
  readonly key: string;
  /** From 1; everybody up to it has been told. */
  readonly level: number;
  /** When this level was raised. */
  readonly at: string;
}

export interface ReplyRoute {
  readonly channel: string;
  readonly target_user?: string;
  readonly target_session: string;
}

export interface RequesterReport {
  readonly pending: boolean;
  readonly reason?: string;
  readonly task_id?: string;
  readonly result_status?: string;
  readonly summary?: string;
  readonly report_path?: string;
  /** When the last one was delivered, also while the next is pending. */
  readonly sent_at?: string;
  /** What the last delivered report said, by node (rules/told.ts). */
  readonly told?: Readonly<Record<string, string>>;
}

/** `shared/projects/<id>/meta.json`, protocol.md §4 and features.md §2.3. */
export interface ProjectMeta {
  readonly project_id: string;
  readonly title: string;
  readonly status: ProjectStatus;
  readonly source?: string;
  readonly requester?: string;
  readonly parent_task_id?: string;
  readonly created_at?: string;
  /** When the lines of its plan came: a line says nothing of when. */
  readonly planned_at?: string;
  /** The same for those that came later and have no record yet, by id. */
  readonly planned_later?: Readonly<Record<string, string>>;
  readonly plan_type?: string;
  /** `quick`, `composite`, `inbox`; anything else is an ordinary project. */
  readonly mode?: string;
  readonly phase?: Phase;
  readonly acceptance?: Acceptance;
  readonly priority?: Priority;
  readonly description?: string;
  /** What the project intends to do, and who agreed. */
  readonly plan?: { readonly summary?: string; readonly approved_by?: string; readonly approved_at?: string };
  readonly eta?: string;
  readonly tags?: readonly string[];
  readonly team_id?: string;
  readonly reply_route?: ReplyRoute;
  readonly source_room_id?: string;
  readonly requester_report?: RequesterReport;
  /** When its SLA ran out, and when that was found. */
  readonly sla_due_at?: string;
  readonly sla_violated_at?: string;
  readonly raised?: readonly RaisedFinding[];
  readonly pause_reason?: string;
  readonly blocked_reason?: string;
  readonly failure_reason?: string;
  readonly started_at?: string;
  /** How many nodes were accepted when it was reopened. */
  readonly reopened?: number;
  readonly updated_by?: string;
  readonly updated_at?: string;
  readonly completed_at?: string;
  readonly project_completion_event_id?: string;
  readonly unknown?: Unknowns;
}

/** Every stored task state of features.md §3.1; this is the one lifecycle vocabulary. */
export const TASK_STATUSES = [
  'pending',
  'prepared',
  'assigned',
  'in_progress',
  'submitted',
  'blocked',
  'revision',
  'completed',
  'failed',
  'cancelled',
  'superseded',
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

export const RESULT_STATUSES = ['SUCCESS', 'SUCCESS_WITH_NOTES', 'REVISION_NEEDED', 'BLOCKED', 'INTERRUPTED'] as const;
export type ResultStatus = (typeof RESULT_STATUSES)[number];

export interface Continuation {
  readonly status: 'pending' | 'resolved';
  readonly delivery_id: string;
  readonly resolution?: 'completed' | 'revision' | 'blocked' | 'cancelled';
  readonly resolved_at?: string;
}

export interface HistoryEntry {
  readonly ts: string;
  readonly from: string;
  readonly to: string;
  readonly action: string;
  /** `<role>:<account>` */
  readonly actor: string;
  readonly note?: string;
  readonly truncated?: boolean;
}

export const ATTENTION_KINDS = ['approval', 'decision', 'escalation', 'other'] as const;
export type AttentionKind = (typeof ATTENTION_KINDS)[number];

/** Attention records keep the camelCase of their source (protocol.md §5). */
export interface Attention {
  readonly kind: AttentionKind;
  readonly question: string;
  readonly attempt: number;
  readonly requestedAt: string;
  readonly resolved: boolean;
  readonly eventId?: string;
  /** What a person or the Leader has said to it; never the Worker's own to write. */
  readonly answer?: string;
  /** Localpart. */
  readonly answeredBy?: string;
  readonly answeredAt?: string;
}

/** `shared/tasks/<id>/meta.json`, protocol.md §5 and features.md §2.3. */
export interface TaskMeta {
  readonly task_id: string;
  readonly project_id: string;
  readonly task_title: string;
  /** Localpart. */
  readonly assigned_to: string;
  readonly assigned_to_mxid?: string;
  /** Localparts of those to whom it was given before it was given to somebody else. */
  readonly earlier_assignees?: readonly string[];
  /** Verbatim as the caller gave it. */
  readonly room_id?: string;
  readonly status: TaskStatus;
  readonly depends_on?: readonly string[];
  readonly type?: string;
  readonly priority?: Priority;
  readonly agent_type?: string;
  readonly required_capabilities?: readonly string[];
  readonly parent_task_id?: string;
  readonly created_at?: string;
  readonly created_by?: string;
  readonly eta?: string;
  readonly tags?: readonly string[];
  /** 0 to 100, as last reported. */
  readonly progress?: number;
  readonly assigned_at?: string;
  readonly acknowledged_at?: string;
  readonly acknowledged_by_role?: string;
  readonly submitted_at?: string;
  readonly submitted_by_role?: string;
  readonly event_id?: string;
  readonly notify_txn?: string;
  readonly spec_path?: string;
  readonly result_path?: string;
  readonly source_room_id?: string;
  readonly result_status?: ResultStatus;
  readonly summary?: string;
  readonly deliverables?: readonly string[];
  readonly submission_id?: string;
  readonly result_digest?: string;
  readonly continuation?: Continuation;
  readonly cancel_reason?: string;
  readonly replacement_task_id?: string;
  readonly cancelled_at?: string;
  readonly completed_at?: string;
  /** Localpart of who accepted the result, `auto` where the project's policy did. */
  readonly accepted_by?: string;
  readonly blocked_reason?: string;
  readonly failed_at?: string;
  readonly failure_reason?: string;
  /** The task that took this one's place, and the one whose place this one took. */
  readonly superseded_by?: string;
  readonly supersedes?: string;
  readonly delegate_reason?: string;
  /** When its SLA ran out, and when that was found. */
  readonly sla_due_at?: string;
  readonly sla_violated_at?: string;
  readonly raised?: readonly RaisedFinding[];
  readonly completion_event_id?: string;
  readonly completion_event_status?: string;
  readonly attention?: readonly Attention[];
  /** Newest last, at most 50. */
  readonly history?: readonly HistoryEntry[];
  /** The caller's own; kept as given. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly unknown?: Unknowns;
}

/** What is recorded of an agent's readiness; that one has too much follows from its tasks (features.md S001-28). */
export const AGENT_STATUSES = ['ACTIVE', 'IDLE', 'OFFLINE'] as const;

/** `shared/agents/<agent>.json` */
export interface AgentRecord {
  readonly schema: number;
  readonly agent_id: string;
  readonly name: string;
  readonly matrix_user_id?: string;
  readonly role: 'leader' | 'worker' | 'human' | 'manager';
  readonly status: (typeof AGENT_STATUSES)[number];
  readonly capabilities: readonly string[];
  readonly preferred_types: readonly string[];
  readonly agent_types: readonly string[];
  readonly max_concurrent: number;
  readonly reliability: number;
  readonly model?: string;
  readonly fallback: boolean;
  readonly enabled: boolean;
  readonly raised?: readonly RaisedFinding[];
  readonly unknown?: Unknowns;
}

/** `shared/roomflow/project-rooms/<id>-<hash>.json`: which room a project has (protocol.md §10.21). */
export interface RoomBinding {
  readonly schema: number;
  readonly project_id: string;
  /** Without any prefix. */
  readonly room_id: string;
  readonly name: string;
  readonly topic?: string;
  readonly source?: string;
  readonly status: 'active' | 'archived';
  readonly created_at?: string;
  /** Full id of the account that made the room. */
  readonly created_by?: string;
  readonly archived_at?: string;
  readonly unknown?: Unknowns;
}

/** One line of `shared/events/<month>/<writer>.jsonl` (features.md §2.3). */
export interface EventRecord {
  /** ULID, or any id that sorts by time. */
  readonly id: string;
  readonly ts: string;
  /** Dotted: `task.delegated`, `lane.refused`, `state.repaired`, … */
  readonly type: string;
  readonly actor: { readonly id: string; readonly role: string };
  readonly action?: string;
  readonly subject?: {
    readonly kind: 'project' | 'task' | 'lane' | 'agent' | 'file';
    readonly id: string;
    readonly project_id?: string;
  };
  readonly from?: string;
  readonly to?: string;
  readonly note?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** What an operation says happened; id, time and actor are filled in by `execute`. */
export type EventDraft = Omit<EventRecord, 'id' | 'ts' | 'actor'> & { readonly actor?: EventRecord['actor'] };

/** The parsed envelope of `result.md` (protocol.md §7). */
export interface TaskResult {
  readonly status: ResultStatus;
  readonly summary: string;
  readonly deliverables: readonly string[];
  readonly notes: readonly string[];
}
