/** What a homeserver says of itself, of the node's account and of rooms: values for those who judge them. */
export interface ChatReport {
  readonly homeserver: string;
  /** Why no more could be found out: the homeserver does not answer, or does not let the account in. */
  readonly problem?: {
    readonly concerns: 'homeserver' | 'account';
    readonly message: string;
    readonly remedy?: string;
  };
  /** How far the clock of this machine is ahead of the homeserver's; seconds, negative when it is behind. */
  readonly clockAhead?: number;
  readonly rooms: readonly RoomReport[];
  readonly listening: {
    /** When the rooms were heard last, by this process or an earlier one. */
    readonly heardAt?: string;
    readonly problem?: string;
  };
}

export interface RoomReport {
  /** As it was asked for. */
  readonly room: string;
  /** `unknown`: there is no such room, or the account never was in it; a homeserver does not tell which. */
  readonly state: 'joined' | 'invited' | 'left' | 'unknown';
  readonly encrypted: boolean;
  /** Full ids; empty unless the account has joined. */
  readonly joined: readonly string[];
  readonly invited: readonly string[];
}

/** A message that waits to be said. */
export interface OwedMessage {
  readonly room: string;
  readonly kind: string;
  readonly since: string;
  /** `waiting`: its commit is not on the remote yet. `due`: only the room keeps it waiting. */
  readonly state: 'waiting' | 'due';
  /** Why it could not be said when it was last tried. */
  readonly error?: string;
}
