import { z } from 'zod';
import { settingsOf } from '../../protocol/records/team-shown.ts';
import { ANYONE } from '../shared.ts';
import { defineOperation } from '../types.ts';

/** features.md S002-34: the rules by which the team works, for people and for texts that follow them. */
export const teamSettings = defineOperation({
  name: 'team.settings',
  kind: 'query',
  roles: ANYONE,
  summary: 'List the rules of the team in shared/team.json as they hold now, with their defaults.',
  input: z.object({}),
  fresh: 'no',
  run: ({ view: { team } }) => ({
    changes: [],
    events: [],
    announcements: [],
    output: { settings: settingsOf(team), discord: team.discord },
  }),
});
