import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { git } from '../support/git.ts';
import { openSolo } from '../support/parts.ts';

const root = fileURLToPath(new URL('../../fixtures/hostile/', import.meta.url));
const meta = (id: string): string => `${JSON.stringify({ project_id: id, title: 'T', status: 'active' })}\n`;

/** Where a file of this kind stands in a workspace; its name is the id that it is about. */
const PLACES: Readonly<Record<string, (id: string) => string>> = {
  project: (id) => `shared/projects/${id}/meta.json`,
  plan: (id) => `shared/projects/plan-${id}/plan.md`,
  task: (id) => `shared/tasks/${id}/meta.json`,
  agent: (id) => `shared/agents/${id}.json`,
};

test('a node serves among all hostile files at once, and tells of each with file, line and rule', async () => {
  const solo = await openSolo();
  const put = (path: string, bytes: string | Uint8Array): void => {
    mkdirSync(dirname(join(solo.dir, path)), { recursive: true });
    writeFileSync(join(solo.dir, path), bytes);
  };
  const placed: string[] = [];
  for (const [kind, placeOf] of Object.entries(PLACES)) {
    for (const name of readdirSync(join(root, kind))) {
      const id = name.replace(/\.\w+$/, '');
      if (kind === 'plan') put(`shared/projects/plan-${id}/meta.json`, meta(`plan-${id}`));
      put(placeOf(id), readFileSync(join(root, kind, name)));
      placed.push(placeOf(id));
    }
  }
  git(solo.dir, 'add', '-A');
  git(solo.dir, 'commit', '-q', '-m', 'hostile');
  await solo.sync.pull();
  await solo.settle();
  await solo.run('project.create', { projectId: 'sound', title: 'Sound', source: 'team-admin' });
  const { problems } = (await solo.run('node.problems', {})) as {
    problems: readonly { file?: string; line?: number; kind: string; message: string }[];
  };
  const told = new Set(
    problems.filter(({ line, kind }) => (line ?? 0) >= 1 && /^[a-z]+(?:-[a-z]+)*$/.test(kind)).map(({ file }) => file),
  );
  expect(placed.filter((file) => !told.has(file))).toEqual([]);
  expect(placed.length).toBeGreaterThan(100);
  expect(await solo.run('node.board', {})).toMatchObject({ projects: expect.anything() as unknown });
  expect(solo.text('shared/projects/sound/plan.md')).toContain('Sound');
});
