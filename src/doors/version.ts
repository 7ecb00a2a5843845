import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../demo/environment.ts';

/** The version of the package. */
export function versionOf(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  return version;
}
