import { isRecord } from '../json.ts';
import { DEFAULT_TEAM } from './team.ts';
import type { TeamSettings } from './team-types.ts';

/** One rule of a team, as it holds now. */
export interface Setting {
  /** As in `shared/team.json`, for instance `policies.sla.P0`. */
  readonly key: string;
  /** `null`: none. */
  readonly value: unknown;
  readonly isDefault: boolean;
}

/** What a person writes by another name than it is kept by. */
const SPELLED: Readonly<Record<string, string>> = { 'policies.selectionOrder': 'policies.selection.order' };

/** Keys that are names of the team's own. */
const MAPS: ReadonlySet<string> = new Set(['policies.capabilityMap']);

/** The rules of a team in the order of the file, each with whether it is its default (interface.md §6). */
export function settingsOf({ policies, discord }: TeamSettings): readonly Setting[] {
  const usual = new Map(leaves({ policies: DEFAULT_TEAM.policies, discord: DEFAULT_TEAM.discord }, ''));
  return leaves({ policies, discord: { guild: null, category: null, ...discord } }, '').map(([key, value]) => ({
    key: SPELLED[key] ?? key,
    value,
    isDefault: JSON.stringify(value) === JSON.stringify(usual.get(key) ?? null),
  }));
}

function leaves(value: unknown, path: string): readonly (readonly [key: string, value: unknown])[] {
  if (!isRecord(value) || MAPS.has(path)) return [[path, value]];
  return Object.entries(value).flatMap(([key, item]) => leaves(item, path === '' ? key : `${path}.${key}`));
}
