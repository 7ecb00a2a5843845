import type { App } from '../app-types.ts';
import { DEFAULT_TEAM } from '../protocol/records/team.ts';
import { MESSAGES, call } from './calls.ts';

/** Where the demo's team meets: rooms on this machine, or on a homeserver with an account for each. */
export interface House {
  /** How `baton init --as` calls a member. */
  idOf(name: string): string;
  /** What the member's node finds in its environment besides the rest. */
  envOf(name: string): NodeJS.ProcessEnv;
  /** Makes a fresh workspace ready for its node. */
  furnish(name: string, root: string): void;
  /** Once all nodes run: everybody is in the rooms when it resolves. */
  gather(leader: App): Promise<Rooms>;
}

/** The rooms of the team, as its requester sees them. */
export interface Rooms {
  readonly team: string;
  readonly requester: string;
  read(room: string): Promise<readonly Said[]>;
  /** How often it is worth asking for news, milliseconds. */
  readonly pace: number;
  /** With which a person reads there too, in a client of their own; absent where no client reaches the rooms. */
  readonly login?: Login;
}

export interface Said {
  readonly sender: string;
  readonly text: string;
}

export interface Login {
  readonly homeserver: string;
  readonly userId: string;
  readonly password: string;
}

/** The room logs that every clone has without a homeserver (interface.md §7); the requester reads in the Leader's. */
export const LOCAL_HOUSE: House = {
  idOf: (name) => name,
  envOf: () => ({}),
  furnish: () => undefined,
  gather: (leader) =>
    Promise.resolve({
      team: DEFAULT_TEAM.teamRoomId,
      requester: DEFAULT_TEAM.leaderDmRoomId,
      pace: 100,
      async read(roomId) {
        const { messages } = await call(leader, 'message', 'list', { roomId, limit: MESSAGES });
        return messages as readonly Said[];
      },
    }),
};
