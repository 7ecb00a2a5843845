import type { IEvent, ISyncResponse, MatrixClient } from 'matrix-js-sdk';
import type { Clock, Ear } from '../../ports.ts';
import { FlowError } from '../../protocol/errors.ts';
import { patiently } from './errors.ts';

/** How long the homeserver's limit of joins may keep this account from a room, and from hearing the others; milliseconds. */
const JOIN_PATIENCE = 60_000;

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
    ear.problem(error);
  }

  return {
    note({ rooms }) {
      for (const room of Object.keys({ ...rooms?.join, ...rooms?.leave })) open.delete(room);
      for (const [room, { invite_state: state }] of Object.entries(rooms?.invite ?? {})) {
        const events: readonly Pick<IEvent, 'type' | 'sender' | 'state_key'>[] = state?.events ?? [];
        const inviter = events.find(({ type, state_key }) => type === 'm.room.member' && state_key === self)?.sender;
        if (inviter !== undefined) open.set(room, inviter);
      }
    },
    async follow(signal) {
      for (const [room, inviter] of open) {
        if (!ear.mayInvite(inviter)) {
          tell(new FlowError('notify-failed', `${inviter} invites to room ${room}, and is not one who may`));
          continue;
        }
        try {
          await patiently({ clock, patience: JOIN_PATIENCE, signal }, () => client.joinRoom(room));
          open.delete(room);
        } catch (thrown) {
          // A room that is gone meanwhile must not keep the others from being heard.
          if (signal.aborted) return;
          tell(explain(thrown));
        }
      }
    },
  };
}
