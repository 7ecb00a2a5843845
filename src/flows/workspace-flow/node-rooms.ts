import { z } from 'zod';
import { chatFindings } from '../../rules/chat-findings.ts';
import { ANYONE } from '../shared.ts';
import { defineOperation } from '../types.ts';

/** Everything that can keep a message from arriving, for `baton doctor`: homeserver, account, clock, rooms, outbox. */
export const nodeRooms = defineOperation({
  name: 'node.rooms',
  kind: 'query',
  roles: ANYONE,
  summary: 'Tell how homeserver, account, rooms and waiting messages stand, with what mends them.',
  input: z.object({}),
  fresh: 'no',
  facts: ['rooms'],
  run({ view, actor, facts: { chat, rooms }, now }) {
    const self = { role: actor.role, matrixUserId: chat.self };
    const findings = chatFindings(view, self, rooms ?? { owed: [] }, now);
    return { changes: [], events: [], announcements: [], output: { findings } };
  },
});
