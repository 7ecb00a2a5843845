import { z } from 'zod';
import { toldEvent } from '../../protocol/happening.ts';
import { isReadableId } from '../../protocol/ids.ts';
import { withArchive } from '../../protocol/with-archive.ts';
import { FlowError } from '../../protocol/errors.ts';
import { ANYONE } from '../shared.ts';
import { defineOperation } from '../types.ts';

/** The history of one project or task, with the commit of each event and how safe that is. */
export const nodeLog = defineOperation({
  name: 'node.log',
  kind: 'query',
  roles: ANYONE,
  summary: 'Tell what happened to a project or task: who did it, when, in which commit, and how safe that is.',
  input: z.object({
    id: z.string().refine(isReadableId, 'expected the id of a project or task').describe('of a project or task'),
    limit: z.number().int().min(1).max(10_000).default(200).describe('how many events at most, the newest ones'),
  }),
  fresh: 'no',
  facts: ['history'],
  run({ view, input: { id }, facts }) {
    const { events = [], more = false } = facts.history ?? {};
    const all = withArchive(view);
    if (events.length === 0 && all.task(id) === undefined && all.project(id) === undefined)
      throw new FlowError('not-found', `no project and no task has the id ${id}, and no event tells of one`);
    const entries = events.map(({ event, commit, durability }) => ({
      ...toldEvent(event),
      ...(commit === undefined ? {} : { commit }),
      durability,
    }));
    return { changes: [], events: [], announcements: [], output: { id, count: entries.length, more, entries } };
  },
});
