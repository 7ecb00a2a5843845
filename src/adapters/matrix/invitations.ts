import type { IEvent, ISyncResponse, MatrixClient } from 'matrix-js-sdk';
import type { Clock } from '../../ports.ts';
import type { Ear } from '../../ports-chat.ts';
import { FlowError } from '../../protocol/errors.ts';
import { patiently } from './errors.ts';

/** How long the homeserver's limit of joins may keep this account from a room, and from hearing the others; milliseconds. */
const JOIN_PATIENCE = 60_000;
/** So many invitations that are not followed are looked at again; anybody can send them. */
const MOST = 1_000;

interface InvitationsOptions {
  readonly client: MatrixClient;
  readonly self: string;
  readonly clock: Clock;
  readonly ear: Pick<Ear, 'mayInvite' | 'problem'>;
  /** Whatever is thrown as a sentence (`errors.ts`). */
  readonly explain: (thrown: unknown) => FlowError;
}

export interface Invitations {
  /** Takes up what an answer of the homeserver says of invitations. */
  note(answer: ISyncResponse): void;
  /**
   * Joins the rooms into which somebody invites who may. Everybody else's invitation stays open and is looked at again,
   * since the files that say who may invite can come in later than the invitation.
   */
  follow(signal: AbortSignal): Promise<void>;
}

export function createInvitations({ client, self, clock, ear, explain }: InvitationsOptions): Invitations {
  /** Room → who invites. */
  const open = new Map<string, string>();
  const told = new Set<string>();

  function tell(error: FlowError): void {
    if (told.has(error.message)) return;
    told.add(error.message);
    // More than there are invitations, so that nothing is told in turns.
    keepNewest(told, 2 * MOST);
    ear.problem(error);
  }

  async function join(room: string, signal: AbortSignal): Promise<void> {
    try {
      await patiently({ clock, patience: JOIN_PATIENCE, signal }, () => client.joinRoom(room));
      open.delete(room);
    } catch (thrown) {
      // A room that is gone meanwhile must not keep the others from being heard.
      if (!signal.aborted) tell(explain(thrown));
    }
  }

  return {
    note({ rooms }) {
      for (const room of Object.keys({ ...rooms?.join, ...rooms?.leave })) open.delete(room);
      for (const [room, { invite_state: state }] of Object.entries(rooms?.invite ?? {})) {
        open.delete(room);
        const senders = invitersIn(state?.events ?? [], self);
        const [inviter] = senders;
        if (senders.size > 1) tell(new FlowError('notify-failed', contradiction(room, senders)));
        else if (inviter !== undefined) open.set(room, inviter);
      }
    },
    async follow(signal) {
      if (open.size === 0) return;
      const mayInvite = ear.mayInvite();
      for (const [room, inviter] of open) {
        if (signal.aborted) return;
        if (mayInvite(inviter)) await join(room, signal);
        else tell(new FlowError('notify-failed', `${inviter} invites to room ${room}, and is not one who may`));
      }
      keepNewest(open, MOST);
    },
  };
}

/**
 * Whom the state that comes with an invitation calls its sender. The invitation itself stands in it, and before that
 * what the inviting server says of the room: that can be anything, so several senders mean that it was made up.
 */
function invitersIn(
  events: readonly Pick<IEvent, 'type' | 'sender' | 'state_key'>[],
  self: string,
): ReadonlySet<string> {
  const own = events.filter(({ type, state_key: user }) => type === 'm.room.member' && user === self);
  return new Set(own.map(({ sender }) => sender));
}

function contradiction(room: string, senders: ReadonlySet<string>): string {
  return `an invitation to room ${room} is not followed: it names several senders (${[...senders].join(', ')})`;
}

/** Takes the oldest out where there are more. */
function keepNewest(kept: Map<string, unknown> | Set<string>, most: number): void {
  for (const key of kept.keys()) {
    if (kept.size <= most) return;
    kept.delete(key);
  }
}
