import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { watchTree } from '../../src/adapters/file-watcher.ts';
import { testFolder } from '../support/folders.ts';

// A system that has no watches left, which cannot be brought about here without taking them from everybody.
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  watch: () => {
    throw Object.assign(new Error('ENOSPC: system limit for number of file watchers reached'), { code: 'ENOSPC' });
  },
}));

test('where the system has no watches left the watch begins all the same, and says so', async () => {
  const root = testFolder();
  mkdirSync(join(root, 'shared/tasks/old'), { recursive: true });
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const watching = await watchTree({ root, isAsleep: () => true, onChange: () => undefined, onError });
  onTestFinished(() => watching.close());
  writeFileSync(join(root, 'shared/team.json'), '{}');
  expect(errors.map(String)).toContainEqual(expect.stringContaining('ENOSPC'));
});
