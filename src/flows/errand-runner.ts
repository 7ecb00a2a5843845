import type { Chat, RoomKeeper } from '../ports-chat.ts';
import { FlowError } from '../protocol/errors.ts';
import type { Errand, Errands } from './errands.ts';

/** Carries errands out, if there are any; a failure is thrown into them, so that they may go on without an answer. */
export async function carryOut<Outcome>(
  errands: Errands<Outcome> | undefined,
  { rooms }: Pick<Chat, 'rooms'>,
): Promise<Outcome | undefined> {
  if (errands === undefined) return undefined;
  let step = errands.next();
  while (step.done !== true) {
    let answer: unknown;
    try {
      if (rooms === undefined) throw new FlowError('internal', 'without a homeserver there is nothing to ask of one');
      answer = await answerTo(step.value, rooms);
    } catch (thrown) {
      step = errands.throw(thrown);
      continue;
    }
    step = errands.next(answer);
  }
  return step.value;
}

type Work<Kind extends Errand['kind']> = (
  rooms: RoomKeeper,
  errand: Extract<Errand, { readonly kind: Kind }>,
) => Promise<unknown>;

const WORK: { readonly [Kind in Errand['kind']]: Work<Kind> } = {
  find: (rooms, { purpose }) => rooms.find(purpose),
  create: (rooms, { room }) => rooms.create(room),
  members: (rooms, { room }) => rooms.members(room),
  invite: (rooms, { room, userId }) => rooms.invite(room, userId),
  describe: (rooms, { room }) => rooms.describe(room),
  joined: (rooms) => rooms.joined(),
  leave: (rooms, { room }) => rooms.leave(room),
  knows: (rooms, { userId }) => rooms.knows(userId),
};

function answerTo(errand: Errand, rooms: RoomKeeper): Promise<unknown> {
  // The kind has picked the work for just this errand, which a union cannot say.
  const work = WORK[errand.kind] as (rooms: RoomKeeper, errand: Errand) => Promise<unknown>;
  return work(rooms, errand);
}

export interface ErrandRunner {
  /** Starts once those before it have ended: what they have made is found then, and not made again. */
  run<Outcome>(start: () => Promise<Errands<Outcome> | undefined>): Promise<Outcome | undefined>;
}

export function createErrandRunner(chat: Pick<Chat, 'rooms'>): ErrandRunner {
  let last: Promise<unknown> = Promise.resolve();
  return {
    run(start) {
      const outcome = last.then(async () => carryOut(await start(), chat));
      last = outcome.catch(() => undefined);
      return outcome;
    },
  };
}
