import { expect, test } from 'vitest';
import { findInconsistencies } from '../../src/rules/consistency.ts';
import { createWorkTree } from '../../src/workspace/store.ts';
import { testFolder } from '../support/folders.ts';
import { PLAN, put, taskMeta } from '../sync/workshop.ts';

const OUTSIDE = [
  '../../../etc/passwd',
  '/etc/passwd',
  'a\\b',
  '.git/config',
  'shared/.GIT/config',
  '.baton/node.lock',
  'x\0y',
  'shared/tasks/t-ana//x',
  'shared/./x',
  '',
];

test('a path that leads out of the workspace names nothing, for every question that a view answers', () => {
  const view = createWorkTree(testFolder()).view();
  expect(OUTSIDE.map((path) => [view.text(path), view.exists(path), view.exists(`${path}/`)])).toEqual(
    OUTSIDE.map(() => [undefined, false, false]),
  );
  expect(OUTSIDE.filter((path) => path !== '').map((path) => view.list(path))).toEqual(OUTSIDE.slice(1).map(() => []));
});

test('a result that names files outside its task is a finding, and never ends the look at all others', () => {
  const root = testFolder();
  put(root, 'shared/projects/p/meta.json', '{"project_id":"p","title":"P","status":"active"}');
  put(root, 'shared/projects/p/plan.md', PLAN);
  put(root, 'shared/tasks/t-ana/meta.json', taskMeta('t-ana', 'ana'));
  const kinds = OUTSIDE.map((path) => {
    const text = `STATUS: SUCCESS\nSUMMARY: S\n\nDELIVERABLES:\n- ${path} - text\n`;
    put(root, 'shared/tasks/t-ana/result.md', text);
    return findInconsistencies(createWorkTree(root).view()).map(({ kind }) => kind);
  });
  expect(kinds).toEqual(OUTSIDE.map(() => ['invalid-result', 'missing-task-record']));
});
