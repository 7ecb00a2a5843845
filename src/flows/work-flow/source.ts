import { workFacts } from '../../protocol/work/facts.ts';
import type { WorkFacts } from '../../protocol/work/facts.ts';
import type { OperationContext } from '../types.ts';

/** What all live work says: from the index, where the operation asked for it and there is one. */
export function factsOf({ view, facts }: Pick<OperationContext<unknown>, 'view' | 'facts'>): WorkFacts {
  return facts.work?.() ?? workFacts(view);
}
