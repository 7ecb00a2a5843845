import type { MatrixClient } from 'matrix-js-sdk';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { createInvitations } from '../../../src/adapters/matrix/invitations.ts';
import { toFlowError } from '../../../src/protocol/errors.ts';

const self = '@lead:dom';
const admin = '@admin:dom';

/** Invitations as a homeserver hands them on, which no real one can be made to forge; and what becomes of them. */
function place() {
  const joined: string[] = [];
  const problems: string[] = [];
  let views = 0;
  const joinRoom = (room: string) => Promise.resolve(void joined.push(room));
  const invitations = createInvitations({
    client: { joinRoom } as unknown as MatrixClient,
    self,
    clock: systemClock,
    ear: {
      mayInvite: () => {
        views += 1;
        return (user) => user === admin;
      },
      problem: ({ message }) => problems.push(message),
    },
    explain: (thrown) => toFlowError(thrown, 'joining'),
  });
  /** One answer, with invitations by room; of each, who sends the membership events of this account. */
  const answer = (rooms: Readonly<Record<string, readonly string[]>>): Promise<void> => {
    const invite = Object.fromEntries(
      Object.entries(rooms).map(([room, senders]) => {
        const events = senders.map((sender) => ({ type: 'm.room.member', state_key: self, sender }));
        return [
          room,
          { invite_state: { events: [{ type: 'm.room.create', state_key: '', sender: admin }, ...events] } },
        ];
      }),
    );
    invitations.note({ rooms: { invite } } as unknown as Parameters<typeof invitations.note>[0]);
    return invitations.follow(new AbortController().signal);
  };
  return { answer, joined, problems, views: () => views };
}

test('an invitation is of whoever the homeserver says, and of nobody where the state that came with it says otherwise', async () => {
  const { answer, joined, problems } = place();
  await answer({ '!good:dom': [admin], '!evil:hs': [admin, '@mallory:hs'], '!odd:hs': ['@mallory:hs', admin] });
  expect(joined).toEqual(['!good:dom']);
  expect(problems).toEqual([
    'an invitation to room !evil:hs is not followed: it names several senders (@admin:dom, @mallory:hs)',
    'an invitation to room !odd:hs is not followed: it names several senders (@mallory:hs, @admin:dom)',
  ]);
});

test('an invitation that turns out to be made up takes the place of an earlier one', async () => {
  const { answer, joined } = place();
  await answer({ '!r:hs': ['@mallory:hs'] });
  await answer({ '!r:hs': [admin, '@mallory:hs'] });
  expect(joined).toEqual([]);
});

test('however many invite who may not, each is told once, the files are looked at once, and who may is followed', async () => {
  const { answer, joined, problems, views } = place();
  const strangers = Object.fromEntries([...Array(1_500).keys()].map((index) => [`!r${index}:hs`, ['@mallory:hs']]));
  await answer({ ...strangers, '!good:dom': [admin] });
  expect({ joined, views: views(), told: problems.length }).toEqual({ joined: ['!good:dom'], views: 1, told: 1_500 });
  await answer({});
  expect(problems.length).toBe(1_500);
});
