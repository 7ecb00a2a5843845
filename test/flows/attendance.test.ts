import { expect, test } from 'vitest';
import { createAttendance } from '../../src/flows/attendance.ts';
import { FlowError } from '../../src/protocol/errors.ts';

/** A homeserver that answers as it is told to, and counts how often it was asked. */
function homeserver() {
  const state = { asked: 0, now: 0, answer: (): Promise<readonly string[]> => Promise.resolve([]) };
  const chat = {
    self: '@lead:hs',
    joined: (): Promise<readonly string[]> => {
      state.asked += 1;
      return state.answer();
    },
  };
  const clock = { millis: () => state.now, sleep: (): Promise<void> => new Promise((done) => setImmediate(done)) };
  return { state, attendance: createAttendance({ chat, clock }) };
}

const audience = { room: '!dm:hs', members: ['@admin:hs'] };
const refusing = (data: Record<string, unknown>) => () =>
  Promise.reject(new FlowError('notify-failed', 'room membership check failed', { data }));

test('who has joined is believed for five minutes, who has not is asked for again', async () => {
  const { state, attendance } = homeserver();
  state.answer = () => Promise.resolve(['@lead:hs']);
  expect(await attendance(audience)).toEqual({ room: '!dm:hs', members: ['@admin:hs'] });
  state.answer = () => Promise.resolve(['@lead:hs', '@admin:hs']);
  expect(await attendance(audience)).toEqual({ room: '!dm:hs', members: [] });
  expect(await attendance({ ...audience, room: 'room:!dm:hs' })).toEqual({ room: 'room:!dm:hs', members: [] });
  expect(state.asked).toBe(2);
  state.now = 5 * 60_000;
  await attendance(audience);
  expect(state.asked).toBe(3);
});

test('a room that keeps its members to itself is one that the node has not joined', async () => {
  const { state, attendance } = homeserver();
  state.answer = refusing({ errcode: 'M_FORBIDDEN' });
  expect(await attendance(audience)).toEqual({ room: '!dm:hs', members: ['@lead:hs'] });
});

test.each<[string, () => Promise<readonly string[]>]>([
  ['is away', refusing({})],
  ['is slow', () => new Promise(() => undefined)],
])('a homeserver that %s tells nothing, and is not waited for', async (_, answer) => {
  const { state, attendance } = homeserver();
  state.answer = answer;
  expect(await attendance(audience)).toBeUndefined();
});
