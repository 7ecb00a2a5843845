import { describe, expect, test } from 'vitest';
import { parseTeam } from '../../../src/protocol/records/team.ts';
import { settingsOf } from '../../../src/protocol/records/team-shown.ts';

const settings = (team: object) => settingsOf(parseTeam(JSON.stringify(team)).team);

describe('the rules of a team', () => {
  test('are all at their defaults where nothing is chosen, what is not set included', () => {
    const all = settings({});
    expect(all.every(({ isDefault }) => isDefault)).toBe(true);
    expect(all).toContainEqual({ key: 'policies.sla.P0', value: '1h', isDefault: true });
    expect(all).toContainEqual({ key: 'discord.guild', value: null, isDefault: true });
  });

  test('are named as they are written, with those that were chosen', () => {
    const policies = {
      sla: { P1: '2h' },
      capabilityMap: { docs: ['writing'] },
      selection: { order: ['ana'] },
      stuckBeats: 3,
    };
    const chosen = settings({ policies, discord: { humanIds: ['42'], notifications: { transitions: false } } });
    expect(chosen.filter(({ isDefault }) => !isDefault)).toEqual([
      { key: 'policies.sla.P1', value: '2h', isDefault: false },
      { key: 'policies.capabilityMap', value: { docs: ['writing'] }, isDefault: false },
      { key: 'policies.selection.order', value: ['ana'], isDefault: false },
      { key: 'discord.humanIds', value: ['42'], isDefault: false },
      { key: 'discord.notifications.transitions', value: false, isDefault: false },
    ]);
  });
});
