/** What stands in one line of a room log. */
export interface SaidLine {
  readonly txn: string;
  /** The transactions that a digest says besides. */
  readonly covers?: readonly string[];
  readonly room: string;
  readonly text: string;
}

/** What is read of one clone in the end. */
export interface CloneFacts {
  readonly seat: string;
  /** Id of the tree that the clone's branch ends on. */
  readonly tree: string;
  /** What git status tells of the work tree; nothing in the end. */
  readonly dirty: readonly string[];
  /** What `git fsck` complains of. */
  readonly damaged: readonly string[];
  /** Transactions that the outbox still owes. */
  readonly owed: readonly string[];
  /** Lines of the room logs, oldest first. */
  readonly said: readonly SaidLine[];
}

export interface HistoryFacts {
  readonly from: string;
  readonly to: string;
  readonly action: string;
  readonly actor: string;
  readonly note?: string;
}

export interface TaskFacts {
  readonly id: string;
  readonly status: string;
  readonly assignedTo: string;
  readonly summary: string;
  readonly submissionId: string;
  /** Oldest first; what is older than fifty entries has been cut off. */
  readonly history: readonly HistoryFacts[];
  /** The text of result.md, if there is one. */
  readonly result?: string;
  /** Who had the task before it was given to somebody else. */
  readonly earlierAssignees: readonly string[];
  readonly late: readonly LateFacts[];
}

/** A result that is kept aside, since the task had been given to somebody else when it came. */
export interface LateFacts {
  readonly by: string;
  /** Ends in `/`. */
  readonly dir: string;
  readonly submissionId: string;
  readonly result?: string;
}

export interface EventFacts {
  readonly type: string;
  readonly subject: string;
  readonly actor: string;
  readonly note?: string;
  /** Transactions of the messages that its commit owed. */
  readonly announces: readonly string[];
}

/** Everything that the checker looks at: what the remote and all clones hold once all is quiet. */
export interface Reading {
  /** Id of the tree of the published branch. */
  readonly main: string;
  readonly clones: readonly CloneFacts[];
  readonly tasks: readonly TaskFacts[];
  /** Marker of each node of the plan: a status, by id. */
  readonly markers: Readonly<Record<string, string>>;
  readonly plan: string;
  readonly events: readonly EventFacts[];
  /** Shared files that cannot be read as what they are; sentences. */
  readonly broken: readonly string[];
  /** Paths of the published tree that no run should leave there. */
  readonly strays: readonly string[];
}

/** What was answered, and must therefore be found in the end. */
export type Acknowledged =
  | { readonly kind: 'delegated'; readonly task: string; readonly to: string }
  | { readonly kind: 'started'; readonly task: string; readonly by: string }
  | { readonly kind: 'noted'; readonly task: string; readonly by: string; readonly text: string }
  | {
      readonly kind: 'submitted';
      readonly task: string;
      readonly by: string;
      readonly summary: string;
      readonly submissionId: string;
    }
  | { readonly kind: 'decided'; readonly task: string; readonly to: 'completed' | 'revision' }
  | { readonly kind: 'cancelled'; readonly task: string }
  | { readonly kind: 'written'; readonly text: string };

/** One thing that does not hold. */
export interface Violation {
  readonly rule: 'converges' | 'whole' | 'kept' | 'one-winner' | 'legal' | 'announced' | 'clear-answer';
  readonly message: string;
}
