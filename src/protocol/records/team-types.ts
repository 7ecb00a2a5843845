import type { Acceptance, Priority } from './types.ts';

/** `policies` of `shared/team.json`, with the defaults filled in. */
export interface Policies {
  readonly acceptance: Acceptance;
  readonly language: string;
  readonly strictTeamRoom: boolean;
  readonly specPreviewChars: number;
  readonly reportStyle: 'emoji' | 'plain';
  /** How long after its creation work may stay open; `null`: for ever. */
  readonly sla: Readonly<Record<Priority, string | null>>;
  /** Durations such as `15m`. */
  readonly ackWithin: string;
  readonly checkWithin: string;
  readonly stallMinutes: number;
  /** Work is stuck when so many heartbeats in a row found it the same; 0: never. */
  readonly stuckBeats: number;
  /** Work past its `eta` is slow when a heartbeat found less gained, in percent points; 0: never. */
  readonly slowProgress: number;
  /** Work is blocked when so many heartbeats in a row found it the same; 0: never. */
  readonly blockBeats: number;
  /** Whether heartbeats are counted at all. */
  readonly heartbeats: boolean;
  /** How often a node counts a heartbeat by itself. */
  readonly beatEvery: string;
  /** Days after its end at which a project is archived; 0 or null: never. */
  readonly archiveAfterDays: number | null;
  readonly maxFileBytes: number;
  readonly lowInformationWords: readonly string[];
  /** Fingerprints (`sha256:` and hex digits) of what looks like a secret and may be published. */
  readonly allowedSecrets: readonly string[];
  /** How many mentions of one agent in one room wake another while nothing changes (protocol.md §13.5). */
  readonly mentionRounds: number;
  /** How many composite projects may be open before a new one warns; 0: any number. */
  readonly maxActive: number;
  /** What the ids begin with that Baton numbers: `TASK` for `TASK-001`. */
  readonly idPrefix: string;
  /** Whether projects go on to testing and review by themselves. */
  readonly autoTransition: boolean;
  /** Whether a new project waits in planning until somebody approves it. */
  readonly requireApproval: boolean;
  /** What an agent must be able to do, by id or type of the task, where its record does not say. */
  readonly capabilityMap: Readonly<Record<string, readonly string[]>>;
  /** Agents that go before others that are as good, the first one first. */
  readonly selectionOrder: readonly string[];
}

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
