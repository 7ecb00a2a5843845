import type { Actor } from './records/types.ts';

/** What an operation wants to be said once its commit is on the remote. */
export interface AnnouncementDraft {
  readonly kind: 'assignment' | 'completion' | 'attention' | 'report' | 'project-completed' | 'notice' | 'message';
  /** Idempotency key: the same transaction id never makes a second message. */
  readonly txn: string;
  /** Any accepted spelling of a room (protocol.md §1.4). */
  readonly room: string;
  readonly text: string;
  /** Full Matrix ids, in order, without duplicates. */
  readonly mentions: readonly string[];
  /** Somebody waits for an answer: said first where only so much can be said (protocol.md §13). */
  readonly urgent?: true;
  /** The one who must have joined the room before anything is sent (protocol.md §10.1). */
  readonly mustHaveJoined?: string;
  /** Run after delivery, with `eventId` added to the input. Data, not a closure, so that it survives a crash. */
  readonly followUp?: {
    readonly operation: string;
    readonly input: Readonly<Record<string, unknown>>;
    readonly actor: Actor;
  };
}
