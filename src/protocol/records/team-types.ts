import type { Policies } from './team-policies.ts';

/** Which texts `baton notify` has something to say in (features.md S002-34). */
export interface DiscordNotifications {
  /** The digest of a heartbeat. */
  readonly heartbeatUpdates: boolean;
  /** The steps of a task. */
  readonly transitions: boolean;
  /** Whether an alert calls the people of `humanIds`. */
  readonly urgentPing: boolean;
  /** That a task has ended. */
  readonly completionSummary: boolean;
}

/** `discord` of `shared/team.json`: for texts only, Baton never speaks to Discord. */
export interface DiscordSettings {
  /** Whether texts for a chat are marked for Discord where nothing else is asked for. */
  readonly enabled: boolean;
  /** The server, a number; texts link to it. */
  readonly guild?: string;
  /** A category or channel of it. */
  readonly category?: string;
  /** Who is called by an alert. */
  readonly humanIds: readonly string[];
  readonly notifications: DiscordNotifications;
}

/** The part of `shared/team.json` that Baton reads now (interface.md §6); camelCase on disk. */
export interface TeamSettings {
  readonly schema: number;
  readonly name: string;
  readonly admin: { readonly name: string; readonly matrixUserId: string };
  readonly teamRoomId: string;
  readonly leaderDmRoomId: string;
  readonly leaderRoomId?: string;
  readonly policies: Policies;
  readonly discord: DiscordSettings;
}
