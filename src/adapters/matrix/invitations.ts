import type { IEvent, ISyncResponse, MatrixClient } from 'matrix-js-sdk';
import type { Ear } from '../../ports.ts';
import { FlowError } from '../../protocol/errors.ts';

interface InvitationsOptions {
  readonly client: MatrixClient;
  readonly self: string;
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
  follow(): Promise<void>;
}

export function createInvitations({ client, self, ear, explain }: InvitationsOptions): Invitations {
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
    async follow() {
      for (const [room, inviter] of open) {
        if (!ear.mayInvite(inviter)) {
          tell(new FlowError('notify-failed', `${inviter} invites to room ${room}, and is not one who may`));
          continue;
        }
        try {
          await client.joinRoom(room);
          open.delete(room);
        } catch (thrown) {
          // A room that is gone meanwhile must not keep the others from being heard.
          tell(explain(thrown));
        }
      }
    },
  };
}
