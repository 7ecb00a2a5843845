import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { byHand, change, makeTeam, published, put, see, write } from './workshop.ts';
import { git } from '../support/git.ts';

const LINES = Array.from({ length: 20 }, (_, index) => `line ${index}\n`).join('');
const OWN = 'shared/tasks/t-ana/workspace/out.md';

test.each(['shared/tasks/t-bo/base/out.md', 'shared/projects/p/out.md'])(
  'an edit of a Worker does not follow its file to %s, where the Leader has moved it',
  async (leaders) => {
    const { ana, lead, remote } = await makeTeam();
    await change(ana, [write(OWN, LINES)]);
    await lead.sync.pull();
    await lead.sync.push();
    mkdirSync(dirname(join(lead.dir, leaders)), { recursive: true });
    renameSync(join(lead.dir, OWN), join(lead.dir, leaders));
    byHand(lead.dir, 'move');
    put(ana.dir, OWN, `${LINES}and mine\n`);
    byHand(ana.dir, 'edit');
    git(ana.dir, 'push', '-q', 'origin', 'HEAD:refs/heads/lanes/ana');
    await lead.sync.pull();
    await lead.sync.push();
    expect(published(remote, 'main', leaders)).toBe(LINES);
    expect(published(remote, 'main', OWN)).toBe(`${LINES}and mine\n`);
    await ana.sync.pull();
    expect(see(ana.dir, leaders)).toBe(LINES);
    expect(git(ana.dir, 'rev-parse', 'HEAD^{tree}')).toBe(git(remote, 'rev-parse', 'main^{tree}'));
  },
);
