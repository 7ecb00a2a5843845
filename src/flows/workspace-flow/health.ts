import { z } from 'zod';
import { formatDiagnostic } from '../../protocol/diagnostic.ts';
import { ANYONE } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { problemsOf, unfitProblems } from './problems.ts';

/** More of them are told by `node.problems`. */
const SHOWN_PROBLEMS = 10;

/** protocol.md §10.23. It answers `ok` for as long as the node serves: broken files are told beside it. */
export const nodeHealth = defineOperation({
  name: 'node.health',
  kind: 'query',
  roles: ANYONE,
  summary: 'Tell whether the node serves, how far it is in step with the remote, and which files are broken.',
  input: z.object({}),
  fresh: 'no',
  facts: ['sync'],
  run({ view, facts }) {
    const { ahead, behind, lastPullAt, lastPushAt, conflicts } = facts.sync ?? {};
    const broken = view.diagnostics().filter(({ severity }) => severity === 'error');
    return {
      changes: [],
      events: [],
      announcements: [],
      output: {
        status: 'ok',
        sync: { ahead, behind, lastPullAt, lastPushAt, conflicts },
        matrix: { connected: facts.chat.kind === 'remote', teamRoomId: view.team.teamRoomId },
        problemCount: broken.length,
        problems: broken.slice(0, SHOWN_PROBLEMS).map(formatDiagnostic),
      },
    };
  },
});

/** How this clone and the remote stand to each other (interface.md §3, `baton sync status`). */
export const nodeSyncStatus = defineOperation({
  name: 'node.sync_status',
  kind: 'query',
  roles: ANYONE,
  summary: 'Tell how this clone and the remote stand to each other.',
  input: z.object({}),
  fresh: 'no',
  facts: ['sync'],
  run: ({ facts }) => ({ changes: [], events: [], announcements: [], output: { ...facts.sync } }),
});

/** Everything in the files that does not fit together, with what mends it. */
export const nodeProblems = defineOperation({
  name: 'node.problems',
  kind: 'query',
  roles: ANYONE,
  summary: 'List what is broken or contradictory in the files, with what mends it.',
  input: z.object({}),
  fresh: 'no',
  facts: ['unfit'],
  run({ view, facts }) {
    const problems = [...problemsOf(view), ...unfitProblems(facts)];
    return { changes: [], events: [], announcements: [], output: { count: problems.length, problems } };
  },
});
