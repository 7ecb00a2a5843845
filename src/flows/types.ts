import type { z } from 'zod';
import type { AnnouncementDraft } from '../protocol/announcement.ts';
import type { Change, Durability } from '../protocol/changes.ts';
import { requireReadableId } from '../protocol/ids.ts';
import type { Actor, EventDraft, EventRecord, Role } from '../protocol/records/types.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import type { WorkFacts } from '../protocol/work/facts.ts';
import type { ChatFacts } from '../rules/chat-findings.ts';
import type { Beats } from '../rules/lateness/beats.ts';
import type { Errands } from './errands.ts';

export type { AnnouncementDraft };

/** Facts that are not in the files and that an operation may ask for by name. */
export interface Facts {
  readonly chat: { readonly kind: 'local' | 'remote'; readonly self: string };
  /** Present when the operation lists `sync`. */
  readonly sync?: Readonly<Record<string, unknown>>;
  /** Present when the operation lists `messages`; newest last. */
  readonly messages?: readonly {
    readonly eventId: string;
    readonly room: string;
    readonly sender: string;
    readonly text: string;
    readonly mentions: readonly string[];
    readonly at: string;
  }[];
  /** Of the operation's `audience`, those who have not joined. Absent when there is none, or when nobody can tell. */
  readonly absent?: Audience;
  /** Present when the operation lists `unfit`: what was changed by hand and is not committed as it stands. */
  readonly unfit?: readonly {
    readonly path: string;
    readonly line?: number;
    readonly why: string;
    readonly remedy: string;
    readonly foreign?: true;
  }[];
  /** Present when the operation lists `history`: the newest events about the input's `id`, oldest first. */
  readonly history?: {
    readonly events: readonly {
      readonly event: EventRecord;
      readonly commit: string | undefined;
      readonly durability: Durability;
    }[];
    readonly more: boolean;
  };
  /** Present when the operation lists `work`: what all live projects and tasks say, as the index has it. */
  readonly work?: () => WorkFacts;
  /** Present when the operation lists `rebuilt`: makes the index anew. */
  readonly rebuilt?: () => {
    readonly found: number;
    readonly rebuilt: number;
    readonly skipped: WorkFacts['skipped'];
  };
  /** Present when the operation lists `beats`: what the heartbeats have seen of work in progress. */
  readonly beats?: () => Beats;
  /** Present when the operation lists `heartbeat`: counts one more, and tells what is known then. */
  readonly heartbeat?: () => Beats;
  /** Who works in a clone of their own, by localpart; absent where that cannot be told. */
  readonly lanes?: () => readonly string[] | undefined;
  /** Present when the operation lists `rooms`; without a report where there is no homeserver. */
  readonly rooms?: ChatFacts;
}

/** A room, and people who should be in it; full ids. The node's own account always should be. */
export interface Audience {
  readonly room: string;
  readonly members: readonly string[];
}

/** Everything a decision may depend on. All of it is values: `run` touches no file, clock, network or process. */
export interface OperationContext<Input> {
  readonly view: WorkspaceView;
  readonly input: Input;
  readonly actor: Actor;
  /** UTC, second precision. */
  readonly now: string;
  /** Fresh identifiers for this call; a repeated decision of the same call gets the same ones. */
  readonly ids: { readonly submission: string; readonly txn: string; readonly localTime: string };
  readonly facts: Facts;
}

export interface Decision<Output> {
  readonly changes: readonly Change[];
  readonly events: readonly EventDraft[];
  readonly announcements: readonly AnnouncementDraft[];
  readonly output: Output;
}

export interface DeliveryFact {
  readonly txn: string;
  readonly sent: boolean;
  readonly eventId?: string;
  readonly reused?: boolean;
  readonly error?: string;
  readonly queued?: true;
}

/** What became of the decision: read by `settle` to finish the answer. */
export interface Settlement {
  readonly synced: boolean;
  readonly remote: boolean;
  readonly commit: string | undefined;
  readonly durability: Durability;
  readonly deliveries: readonly DeliveryFact[];
}

/**
 * Whether the tree must be fetched before deciding: `best-effort` serves stale files when the remote is away; `settled`
 * fetches nothing, and looks once what came in before has been dealt with.
 */
export type Freshness = 'required' | 'best-effort' | 'settled' | 'no';

/**
 * One use case, defined once. MCP, CLI, REST and the docs are generated from this record or dispatch to it.
 * `run` throws `FlowError` to refuse; a refusal changes nothing.
 */
export interface Operation<
  Schema extends z.ZodType = z.ZodType,
  Output = Readonly<Record<string, unknown>>,
  Prepared = unknown,
> {
  readonly name: string;
  readonly kind: 'query' | 'command';
  /** Who may call it; `leader` and `admin` are told apart only where it matters. */
  readonly roles: readonly Role[];
  /** One sentence, shown in MCP tool lists, `--help` and docs. */
  readonly summary: string;
  readonly input: Schema;
  readonly fresh: Freshness | ((input: z.output<Schema>) => Freshness);
  readonly facts?: readonly (
    | 'sync'
    | 'messages'
    | 'rooms'
    | 'unfit'
    | 'history'
    | 'work'
    | 'rebuilt'
    | 'beats'
    | 'heartbeat'
  )[];
  /** Who must be reachable for the work to start; a homeserver is asked for the fact `absent`. */
  audience?(context: Pick<OperationContext<z.output<Schema>>, 'view' | 'input'>): Audience | undefined;
  /** `persist` only for submit_task (protocol.md §11.1). */
  readonly whenOffline?: 'persist';
  /** The caller is answered once the change is committed here; for what nobody elsewhere acts on. */
  readonly answers?: 'committed';
  /** `own-work`: it looks at nothing but the actor's own tasks, their projects and the team, so that news of others may wait. */
  readonly restsOn?: 'own-work';
  /** A Leader acts for the assignee here, and may write the result of the task. */
  readonly forAssignee?: true;
  /** Not offered by any door; run by the reconciler or as a follow-up. */
  readonly internal?: true;
  /** Checks that need no fresh tree and run before a dry run returns (protocol.md §9.4: room policy). */
  precheck?(context: OperationContext<z.output<Schema>>): void;
  /**
   * What is done and looked up on the homeserver first, on a fresh tree; its outcome is given to `run`. Not in a dry
   * run. Where there is no homeserver it must yield nothing.
   */
  prepare?(context: OperationContext<z.output<Schema>>): Errands<Prepared>;
  run(context: OperationContext<z.output<Schema>>, prepared: Prepared): Decision<Output>;
  /** Finishes the answer once commit and deliveries are known. May throw `FlowError` (for instance `notify-failed`). */
  settle?(output: Output, settlement: Settlement, input: z.output<Schema>): Output;
  /** What a dry run answers; default: the parsed input. */
  dryRun?(context: OperationContext<z.output<Schema>>): Readonly<Record<string, unknown>>;
}

/**
 * Keeps the types of `input` and `run` tied together at the place of definition. Ids that cannot be ids are refused
 * before all else, so that a dry run refuses them too (protocol.md §1.1, §9.4).
 */
export function defineOperation<Schema extends z.ZodType, Output extends object, Prepared = undefined>(
  operation: Operation<Schema, Output, Prepared>,
): Operation<Schema, Output, Prepared> {
  return {
    ...operation,
    precheck(context) {
      checkIds(context.input);
      operation.precheck?.(context);
    },
  };
}

function checkIds(input: unknown): void {
  const { projectId, taskId } = (input ?? {}) as { projectId?: unknown; taskId?: unknown };
  if (projectId !== undefined) requireReadableId(projectId, 'projectId');
  if (taskId !== undefined) requireReadableId(taskId, 'taskId');
}
