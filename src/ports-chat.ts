import type { AnnouncementDraft } from './protocol/announcement.ts';
import type { ChatReport } from './protocol/chat-report.ts';
import type { FlowError } from './protocol/errors.ts';
import type { NewRoom, RoomDescription, RoomMember } from './protocol/rooms.ts';

export interface OutgoingMessage extends Pick<AnnouncementDraft, 'txn' | 'room' | 'text' | 'mentions'> {
  /** Who speaks, where the node speaks for somebody it hosts. A homeserver knows only the node's own account. */
  readonly sender?: string;
  /**
   * Of a digest: the messages that it gathers, in order. `text` and `mentions` are theirs together; each of their
   * transactions is known as sent from then on, with the event id of the digest.
   */
  readonly parts?: readonly Pick<OutgoingMessage, 'txn' | 'text' | 'mentions'>[];
}

export interface RoomMessage {
  readonly eventId: string;
  readonly room: string;
  readonly sender: string;
  readonly text: string;
  readonly mentions: readonly string[];
  readonly at: string;
  /**
   * How it was said, where not as plain new words: `notice` is what bots say and no bot may answer, `edit` changes an
   * earlier message, `other` is a file, a picture, a gesture.
   */
  readonly form?: 'notice' | 'edit' | 'other';
  /** It mentions the whole room. */
  readonly toAll?: boolean;
  /** It belongs to a thread, which those outside it do not follow. */
  readonly inThread?: boolean;
}

/** Where messages go: the local room log, or a homeserver. One contract suite runs on both. */
export interface Chat {
  /** `local` keeps its own log and confirms at once; a `remote` one confirms a send with an event id of its own. */
  readonly kind: 'local' | 'remote';
  /** Own full Matrix id. */
  readonly self: string;
  /** Full ids of those who have joined; throws `notify-failed` when it cannot be told. */
  joined(room: string): Promise<readonly string[]>;
  /**
   * Same txn again: the first event id, and no second message. Throws `notify-failed`, with `retryAfterMs` in its data
   * when nothing but the number of messages was wrong: then this one has not been said; with `httpStatus` (500 and
   * above) when the homeserver is there and failed over the message.
   */
  send(message: OutgoingMessage): Promise<{ readonly eventId: string; readonly reused: boolean }>;
  /**
   * Whatever was sent outlives a loss of power once this returns: called before the record of it is given up. Absent where
   * that is so once `send` returns. Throws `notify-failed`.
   */
  persist?(): void;
  /** Newest last. */
  history(room: string | undefined, limit: number): Promise<readonly RoomMessage[]>;
  /** Hears others from where the last process stopped, until it is closed. Absent where there is nobody to hear. */
  listen?(ear: Ear): { close(): Promise<void> };
  /** Absent where messages are taken however many they are. */
  readonly limit?: ChatLimit;
  /** Absent where a room is only a name. */
  readonly rooms?: RoomKeeper;
  /** How the homeserver, the account and these rooms stand; never throws. Absent where there is no homeserver. */
  examine?(rooms: readonly string[]): Promise<ChatReport>;
  close(): Promise<void>;
}

/** What is to be known of a room that takes only so many messages at a time. */
export interface ChatLimit {
  /** Why nothing is taken at this moment; `undefined` when the next message may be tried. */
  holds(): FlowError | undefined;
  /** Whether a message can be said without any of it being cut away. */
  fits(message: OutgoingMessage): boolean;
  /** Whether a transaction was begun, by this process or an earlier one: then it may be in its room already. */
  knows(txn: string): boolean;
}

/** Makes rooms, asks people in, and looks who is there. All throw `notify-failed`. */
export interface RoomKeeper {
  /** The room that this account made for a purpose before, whether or not anybody noted it. */
  find(purpose: string): Promise<string | undefined>;
  create(room: NewRoom): Promise<string>;
  /** Those who have joined or are invited. */
  members(room: string): Promise<readonly RoomMember[]>;
  invite(room: string, userId: string): Promise<void>;
  describe(room: string): Promise<RoomDescription>;
  /** The rooms that this account has joined. */
  joined(): Promise<readonly string[]>;
  /** False when this account was not in the room any more. */
  leave(room: string): Promise<boolean>;
  /** Whether the homeserver has an account of this id. Throws where it does not tell. */
  knows(userId: string): Promise<boolean>;
}

/** Who listens to the rooms. */
export interface Ear {
  /** What others said since the last call; own messages are never among it. Again after a crash in its midst. */
  hear(messages: readonly RoomMessage[]): Promise<void>;
  /** Tells of a user whether their invitation into a room is followed, by what the files say at this moment. */
  mayInvite(): (userId: string) => boolean;
  /** The rooms cannot be heard for now, or an invitation is not followed; told once. */
  problem(error: Error): void;
}

/** What an operation wants to be said, as the node that says it has it. */
export type Announcement = AnnouncementDraft & OutgoingMessage;

export type Delivery =
  | { readonly txn: string; readonly sent: true; readonly eventId: string; readonly reused: boolean }
  | {
      readonly txn: string;
      readonly sent: false;
      readonly error: string;
      readonly retryable: boolean;
      /** Nothing is wrong: it waits for its turn, because a homeserver takes only so many messages or its time. */
      readonly queued?: true;
    };

/** Delivers announcements after publication, and keeps what could not be delivered (services/outbox). */
export interface Announcer {
  /**
   * Noted before the commit is made, and on disk after `record`, so that a crash after the commit loses nothing; called
   * again with the commit when that one is still waiting to reach the remote.
   */
  owe(announcements: readonly Announcement[], commit: string | undefined): void;
  /** Everything that is owed is on disk when this returns; many may owe before it is called once. */
  record(): void;
  /** Takes back what was owed for a commit that was never made. */
  withdraw(announcements: readonly Announcement[]): void;
  /** Leaves open what is owed for a commit of which nobody can tell yet whether it was published. */
  doubt(announcements: readonly Announcement[]): void;
  /** What is not said yet; absent where nothing is kept. */
  pending?(): readonly {
    readonly announcement: Announcement;
    readonly state: 'waiting' | 'due';
    readonly since: string;
    readonly error?: string;
  }[];
  deliver(announcements: readonly Announcement[]): Promise<readonly Delivery[]>;
}
