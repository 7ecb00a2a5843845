import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { serveTeam } from './git-host.ts';
import { makeNetwork, whyNoHosts } from './network.ts';
import { faultsOf } from './three-hosts.ts';
import type { Outcome } from './three-hosts.ts';

const reason = whyNoHosts();

/** `npm run show:hosts` plays the whole story, which waits for polls and takes half a minute. */
describe.skipIf(reason !== undefined)(
  `hosts of their own${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    test('reach a repository by the network, and nothing while a cable is out', async () => {
      const stack = new AsyncDisposableStack();
      onTestFinished(() => stack.disposeAsync());
      const network = makeNetwork(stack, ['store', 'ana']);
      const ana = network.host('ana');
      const { url } = await serveTeam(stack, network.host('store'), 'http');
      const look = async (): Promise<number> => (await ana.run(['git', 'ls-remote', url])).code;
      expect(await look()).toBe(0);
      network.cut('ana');
      expect(await look()).not.toBe(0);
      network.mend('ana');
      expect(await look()).toBe(0);
    });

    test('have a name, and see no folder but their own', async () => {
      const stack = new AsyncDisposableStack();
      onTestFinished(() => stack.disposeAsync());
      const network = makeNetwork(stack, ['ana', 'bo']);
      for (const name of ['ana', 'bo']) writeFileSync(join(network.folder, name, 'own'), '');
      const { stdout } = await network.host('ana').run(['sh', '-c', 'hostname; ls ../ana/own ../bo']);
      expect(stdout.split('\n')).toEqual(['ana', '../ana/own', '', '../bo:', '']);
    });
  },
);

test('what the story of three hosts ends with is judged, and told in words', () => {
  const member = { address: '', tree: 'one', unsaved: '', completed: ['1', '2', '3', '4'], owed: 1, heard: ['x'] };
  const outcome: Outcome = {
    url: '',
    remoteTree: 'one',
    deliverables: new Map(),
    projectStatus: 'active',
    members: [
      { ...member, host: 'lead', twice: [] },
      { ...member, host: 'ana', twice: ['x'], tree: 'other', heard: [] },
    ],
  };
  expect(faultsOf(outcome)).toEqual([
    'ana has the tree other, the repository one',
    'ana has heard 0 of 1 mentions',
    'ana has heard twice: x',
    'shared/tasks/survey-01/workspace/north.md is not in the repository as it was written',
    'shared/tasks/survey-02/workspace/south.md is not in the repository as it was written',
    'shared/tasks/survey-03/workspace/map.md is not in the repository as it was written',
    'shared/tasks/survey-04/workspace/report.md is not in the repository as it was written',
    'the project is active',
  ]);
});
