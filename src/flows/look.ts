import { FlowError } from '../protocol/errors.ts';
import type { Actor } from '../protocol/records/types.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import type { WorkFacts } from '../protocol/work/facts.ts';
import type { Beats } from '../rules/lateness/beats.ts';
import { OPERATIONS } from './catalog.ts';
import type { Facts } from './types.ts';

/** What a look needs: the files, and what is derived from them. */
export interface LookDependencies {
  readonly view: () => WorkspaceView;
  /** UTC, second precision. */
  readonly now: () => string;
  /** Full id of the node's account. */
  readonly self: string;
  readonly work: () => WorkFacts;
  readonly beats: () => Beats;
}

/** Facts that follow from the files alone. */
const FROM_FILES: ReadonlySet<string> = new Set(['work', 'beats', 'heartbeat']);

/**
 * Runs queries on the files as they are, for callers that must neither wait for anybody nor disturb a node. No heartbeat is
 * counted. Throws `invalid-argument` for what changes something or has to ask outside.
 */
export function createLook({ view, now, self, work, beats }: LookDependencies) {
  return async (name: string, raw: unknown, { actor }: { readonly actor: Actor }): Promise<Record<string, unknown>> => {
    const operation = OPERATIONS.get(name);
    const isLook = operation?.kind === 'query' && (operation.facts ?? []).every((fact) => FROM_FILES.has(fact));
    if (operation === undefined || !isLook || operation.fresh === 'required') {
      throw new FlowError('invalid-argument', `${name} is no look at the files`);
    }
    const input = operation.input.parse(raw);
    const facts: Facts = { chat: { kind: 'local', self }, work, beats };
    const ids = { submission: '', txn: '', localTime: '' };
    return operation.run({ view: view(), input, actor, now: now(), ids, facts }, undefined).output;
  };
}
