import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Moves a remote out of reach until the test says otherwise, or ends. */
export function unplug(remote: string): () => void {
  const away = `${remote}.away`;
  renameSync(remote, away);
  let gone = true;
  const back = (): void => {
    if (gone) renameSync(away, remote);
    gone = false;
  };
  onTestFinished(back);
  return back;
}

/** What a remote runs for every push; the text is a shell script without its first line. */
export function onPush(remote: string, hook: 'pre-receive' | 'post-receive', script: string): void {
  mkdirSync(join(remote, 'hooks'), { recursive: true });
  writeFileSync(join(remote, 'hooks', hook), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}
