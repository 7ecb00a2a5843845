import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that goes with the test; the real path, as the program sees it. */
export function tempDir(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'baton-door-')));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A folder that a door takes for a workspace. */
export function tempWorkspace(): string {
  const root = tempDir();
  mkdirSync(join(root, '.baton'));
  writeFileSync(join(root, 'baton.json'), '{}\n');
  return root;
}
