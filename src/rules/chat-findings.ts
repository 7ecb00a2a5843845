import type { ChatReport, OwedMessage, RoomReport } from '../protocol/chat-report.ts';
import { sameIdentity } from '../protocol/identity.ts';
import { DEFAULT_TEAM } from '../protocol/records/team.ts';
import type { TeamSettings } from '../protocol/records/team-types.ts';
import type { Actor } from '../protocol/records/types.ts';
import { parseTime } from '../protocol/timestamps.ts';
import type { WorkspaceView } from '../protocol/view.ts';

/** One thing about the chat that was looked at; what is not `ok` says what mends it. */
export interface ChatFinding {
  readonly check: string;
  readonly severity: 'ok' | 'warning' | 'error';
  readonly message: string;
  readonly remedy?: string;
}

export interface ChatFacts {
  /** Absent where there is no homeserver. */
  readonly report?: ChatReport;
  readonly owed: readonly OwedMessage[];
}

/** Beyond so many seconds messages seem to come from the past or the future. */
const CLOCK_TOLERANCE = 60;

type RoomKey = 'teamRoomId' | 'leaderDmRoomId' | 'leaderRoomId';

interface NamedRoom {
  readonly key: RoomKey;
  readonly title: string;
  readonly room: string | undefined;
}

/** The rooms that a node works with: a Worker is in the Team Room only. */
export function roomsToExamine(team: TeamSettings, { role }: Pick<Actor, 'role'>): readonly NamedRoom[] {
  const named = (key: RoomKey, title: string): NamedRoom => {
    const room = team[key];
    return { key, title, room: room === DEFAULT_TEAM[key] || room === '' ? undefined : room };
  };
  const teamRoom = named('teamRoomId', 'Team Room');
  if (role === 'worker' || role === 'remote-member') return [teamRoom];
  const leaderRoom = named('leaderRoomId', 'Leader Room');
  return [teamRoom, named('leaderDmRoomId', 'Leader DM'), ...(leaderRoom.room === undefined ? [] : [leaderRoom])];
}

/** Everything that can keep a message from arriving, each as a finding of its own. */
export function chatFindings(
  view: WorkspaceView,
  self: Pick<Actor, 'role'> & { readonly matrixUserId: string },
  { report, owed }: ChatFacts,
  now: string,
): readonly ChatFinding[] {
  if (report === undefined) return owedFindings(owed, now);
  return [
    ...reachFindings(report, self.matrixUserId),
    ...clockFindings(report),
    ...(report.problem === undefined ? roomFindings(view, self, report) : []),
    ...listeningFindings(report),
    ...owedFindings(owed, now),
  ];
}

const ok = (check: string, message: string): ChatFinding => ({ check, severity: 'ok', message });
const warning = (check: string, message: string, remedy: string): ChatFinding => {
  return { check, severity: 'warning', message, remedy };
};
const error = (check: string, message: string, remedy: string): ChatFinding => {
  return { check, severity: 'error', message, remedy };
};

function reachFindings({ homeserver, problem }: ChatReport, self: string): readonly ChatFinding[] {
  const answers = ok('homeserver', `${homeserver} answers`);
  if (problem === undefined) return [answers, ok('account', `${self} is let in`)];
  const found = error(problem.concerns, problem.message, problem.remedy ?? 'run `baton doctor` again');
  return problem.concerns === 'homeserver' ? [found] : [answers, found];
}

function clockFindings({ clockAhead, homeserver, problem }: ChatReport): readonly ChatFinding[] {
  // What it said before it was away says nothing about now.
  if (clockAhead === undefined || problem?.concerns === 'homeserver') return [];
  if (Math.abs(clockAhead) <= CLOCK_TOLERANCE) return [ok('clock', 'agrees with the homeserver')];
  const how = clockAhead > 0 ? 'ahead of' : 'behind';
  return [
    warning(
      'clock',
      `this machine's clock is ${seconds(Math.abs(clockAhead))} ${how} that of ${homeserver}`,
      'have the clock set by NTP (`timedatectl set-ntp true`), on the machine that is wrong',
    ),
  ];
}

function roomFindings(
  view: WorkspaceView,
  self: Pick<Actor, 'role'> & { readonly matrixUserId: string },
  { rooms }: ChatReport,
): readonly ChatFinding[] {
  return roomsToExamine(view.team, self).flatMap(({ key, title, room }) => {
    if (room === undefined) {
      const remedy = "run `baton team setup` in the Leader's workspace, or name the room there";
      return [error(title, `shared/team.json names none (${key})`, remedy)];
    }
    const found = rooms.find((one) => one.room === room);
    if (found === undefined) return [];
    if (found.state !== 'joined') return [notJoined(title, found, self.matrixUserId)];
    return [
      ok(title, `${room}: ${found.joined.length} joined`),
      ...(found.encrypted ? [encrypted(title, room)] : []),
      ...membersOf(view, key).flatMap((user) => absent(title, found, user, self.matrixUserId)),
    ];
  });
}

function notJoined(title: string, { room, state }: RoomReport, self: string): ChatFinding {
  if (state === 'invited') {
    return error(
      title,
      `${self} is only invited to ${room}`,
      "start the node: it follows invitations of the admin and of Leaders; to another's, join with a client",
    );
  }
  if (state === 'left')
    return error(title, `${self} is no longer in ${room}`, `invite ${self} again from a client that is in the room`);
  return error(
    title,
    `${room} does not exist, or ${self} was never asked in`,
    `invite ${self} to it, or correct the id in shared/team.json; \`baton team setup\` makes what is not named there`,
  );
}

function encrypted(title: string, room: string): ChatFinding {
  return error(
    'encryption',
    `the ${title} ${room} is encrypted: Baton can neither write nor read there; rooms without encryption are supported`,
    `take its id out of shared/team.json and run \`baton team setup\`, which makes a room without encryption`,
  );
}

/** Who must be in a room for its messages to reach somebody. */
function membersOf(view: WorkspaceView, key: RoomKey): readonly string[] {
  const { matrixUserId: admin } = view.team.admin;
  const people = admin === DEFAULT_TEAM.admin.matrixUserId ? [] : [admin];
  if (key !== 'teamRoomId') return people;
  return [
    ...view.agents().flatMap(({ enabled, matrix_user_id: id }) => (enabled && id !== undefined ? [id] : [])),
    ...people,
  ];
}

function absent(title: string, { room, joined, invited }: RoomReport, user: string, self: string): ChatFinding[] {
  if (sameIdentity(user, self) || joined.some((one) => sameIdentity(one, user))) return [];
  const isInvited = invited.some((one) => sameIdentity(one, user));
  return [
    error(
      'member',
      `${user} ${isInvited ? 'is invited to' : 'is neither in nor invited to'} the ${title} ${room}${isInvited ? ' and has not joined' : ''}`,
      isInvited
        ? `start ${user}'s node, or let them accept the invitation in a client`
        : `invite ${user}: \`baton team setup\` in the Leader's workspace does`,
    ),
  ];
}

function listeningFindings({ listening: { heardAt, problem } }: ChatReport): readonly ChatFinding[] {
  if (problem !== undefined)
    return [warning('listening', problem, 'mend that; the node goes on where it stopped hearing')];
  return [
    ok('listening', heardAt === undefined ? 'no node has listened to the rooms yet' : `rooms last heard at ${heardAt}`),
  ];
}

function owedFindings(owed: readonly OwedMessage[], now: string): readonly ChatFinding[] {
  const [oldest] = owed.toSorted((a, b) => (parseTime(a.since) ?? 0) - (parseTime(b.since) ?? 0));
  if (oldest === undefined) return [];
  const age = Math.max(0, Math.round(((parseTime(now) ?? 0) - (parseTime(oldest.since) ?? 0)) / 1_000));
  const unpublished = owed.every(({ state }) => state === 'waiting');
  const reason = oldest.error ?? owed.find((one) => one.error !== undefined)?.error;
  const count = owed.length === 1 ? 'one message waits' : `${owed.length} messages wait`;
  return [
    warning(
      'messages',
      `${count} to be sent, the oldest (${oldest.kind}, to ${oldest.room}) for ${seconds(age)}${reason === undefined ? '' : `: ${reason}`}`,
      unpublished
        ? 'they follow their commit: see that the remote can be reached, then `baton sync now`'
        : 'mend what the reason names; a running node sends them by itself, `baton sync now` at once',
    ),
  ];
}

function seconds(count: number): string {
  if (count < 120) return `${count} s`;
  return count < 7_200 ? `${Math.round(count / 60)} min` : `${Math.round(count / 3_600)} h`;
}
