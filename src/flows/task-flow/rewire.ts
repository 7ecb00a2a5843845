import { setMarker } from '../../protocol/plan/edit.ts';
import type { OpenProject } from '../shared.ts';

/** The plan with everything that depends on one task depending on another. */
export function rewired({ plan }: OpenProject, text: string, from: string, to: string): string {
  const waiting = plan.nodes.filter(({ id, dependsOn }) => id !== to && id !== from && dependsOn.includes(from));
  return waiting.reduce((before, { id, status, dependsOn }) => {
    const next = [...new Set(dependsOn.map((dependency) => (dependency === from ? to : dependency)))];
    return setMarker(before, id, status, { dependsOn: next });
  }, text);
}
