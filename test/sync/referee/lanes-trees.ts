import type { RawEntry } from './attacker.ts';
import { record } from './lane.ts';
import type { Desk, Mine, RogueLane } from './lane.ts';
import { made } from './lanes-history.ts';

/** The own task's folder made by hand, as no git makes it. */
const shaped = (
  name: string,
  at: (own: Mine) => string,
  change: (entries: readonly RawEntry[], desk: Desk) => readonly RawEntry[],
  refused: RogueLane['refused'],
  more: Partial<RogueLane> = {},
): RogueLane =>
  made(
    name,
    (desk) =>
      desk.commit(
        desk.reshape(desk.work({}), at(desk), (entries) => change(entries, desk)),
        { parents: [desk.base] },
      ),
    refused,
    more,
  );

const file = (desk: Desk, name: string | Buffer, text = 'x\n', mode = '100644'): RawEntry => ({
  mode,
  name,
  id: desk.blob(text),
});
const folder = (desk: Desk, name: string, entries: readonly RawEntry[]): RawEntry => ({
  mode: '40000',
  name,
  id: desk.raw(entries),
});
const workspaceOf = ({ workspace }: Mine): string => workspace;
const taskOf = ({ task }: Mine): string => task;
const without = (entries: readonly RawEntry[], gone: string): readonly RawEntry[] =>
  entries.filter(({ name }) => name.toString() !== gone);
const forged = (desk: Desk): string => record(desk, { room_id: '!evil:x' });

/** Lanes whose trees no index could hold. */
export const TREES: readonly RogueLane[] = [
  shaped(
    'a .git of its own',
    workspaceOf,
    (entries, desk) => [folder(desk, '.git', [file(desk, 'config', '[core]\n\tfsmonitor = evil\n')]), ...entries],
    ({ workspace }) => ({ [`${workspace}/.git/config`]: 'reserved-name' }),
  ),
  shaped(
    'a .git as HFS+ reads it',
    workspaceOf,
    (entries, desk) => [folder(desk, '.g\u200Cit', [file(desk, 'config')]), ...entries],
    ({ workspace }) => ({ [`${workspace}/.g\u200Cit/config`]: 'reserved-name' }),
  ),
  shaped(
    'hooks of the repository itself',
    () => '',
    (entries, desk) => [
      folder(desk, '.GIT', [folder(desk, 'hooks', [file(desk, 'post-checkout', '#!/bin/sh\n', '100755')])]),
      ...entries,
    ],
    () => ({ '.GIT/hooks/post-checkout': 'reserved-name' }),
  ),
  shaped(
    'an entry that leads up',
    workspaceOf,
    (entries, desk) => [folder(desk, '..', [folder(desk, '..', [file(desk, 'x')])]), ...entries],
    ({ workspace }) => ({ [`${workspace}/../../x`]: 'reserved-name' }),
  ),
  shaped(
    'an entry that leads up from the top',
    () => '',
    (entries, desk) => [folder(desk, '..', [file(desk, 'x')]), ...entries],
    () => ({ '../x': 'reserved-name' }),
  ),
  shaped(
    'an entry that leads nowhere',
    () => '',
    (entries, desk) => [folder(desk, '.', [file(desk, 'x')]), ...entries],
    () => ({ './x': 'reserved-name' }),
  ),
  shaped(
    'a name that holds a path',
    workspaceOf,
    (entries, desk) => [file(desk, '../../t-bo/x'), ...entries],
    ({ workspace }) => ({ [`${workspace}/../../t-bo/x`]: 'reserved-name' }),
  ),
  shaped(
    'a name at the top that holds a path',
    () => '',
    (entries, desk) => [...entries, file(desk, 'shared/tasks/t-bo/x')],
    () => ({ 'shared/tasks/t-bo/x': 'not-owner' }),
  ),
  shaped(
    'a name at the top that is the own record’s path',
    () => '',
    (entries, desk) => [...entries, file(desk, desk.meta, forged(desk))],
    ({ meta }) => ({ [meta]: 'forbidden-field' }),
  ),
  shaped(
    'a name that is no UTF-8',
    workspaceOf,
    (entries, desk) => [...entries, file(desk, Buffer.from([0x78, 0xff, 0x79]))],
    ({ workspace }) => ({ [`${workspace}/x\u{FFFD}y`]: 'reserved-name' }),
  ),
  shaped(
    'a name twice, the second time forged',
    taskOf,
    (entries, desk) =>
      entries.flatMap((entry) =>
        entry.name.toString() === 'meta.json' ? [entry, file(desk, 'meta.json', forged(desk))] : [entry],
      ),
    ({ meta }) => ({ [meta]: 'forbidden-field' }),
    { unmergeable: true },
  ),
  shaped(
    'the record out of its order',
    taskOf,
    (entries, desk) => [...without(entries, 'meta.json'), file(desk, 'meta.json', forged(desk))],
    ({ meta }) => ({ [meta]: 'forbidden-field' }),
    { unmergeable: true },
  ),
  shaped(
    'the specification out of its order',
    taskOf,
    (entries, desk) => [file(desk, 'spec.md', '# Easier\n'), ...without(entries, 'spec.md')],
    ({ spec }) => ({ [spec]: 'not-owner' }),
    { unmergeable: true },
  ),
  shaped(
    'a name as file and as folder, of which one arrives',
    workspaceOf,
    (entries, desk) => [...entries, file(desk, 'zz'), folder(desk, 'zz', [file(desk, 'x')])],
    () => ({}),
    { arrives: ({ workspace }) => ({ [`${workspace}/zz/x`]: 'x\n' }), unmergeable: true },
  ),
  shaped(
    'a mode that git does not make',
    workspaceOf,
    (entries, desk) => [...entries, file(desk, 'zz', 'x\n', '100666')],
    () => ({}),
    { arrives: ({ workspace }) => ({ [`${workspace}/zz`]: 'x\n' }) },
  ),
  shaped(
    'the own folder as a symbolic link',
    () => 'shared/tasks',
    (entries, desk) =>
      [...without(entries, `t-${desk.me}`), file(desk, `t-${desk.me}`, 't-bo', '120000')].sort((a, b) =>
        a.name.toString() < b.name.toString() ? -1 : 1,
      ),
    ({ task, meta, spec }) => ({
      [task]: 'symlink',
      [meta]: 'not-owner',
      [spec]: 'not-owner',
      [`${task}/base/input.txt`]: 'not-owner',
    }),
    {
      arrives: ({ task, workspace }) => ({
        [`${workspace}/honest.txt`]: null,
        [`${workspace}/old.txt`]: null,
        [`${task}/notes.md`]: null,
      }),
      // The folder comes back, and takes the place of the link.
      later: ({ task }) => ({ [task]: 'not-owner' }),
    },
  ),
];
