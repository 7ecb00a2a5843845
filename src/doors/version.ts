import { createRequire } from 'node:module';

/** The version of the package. Source and build lie equally deep below package.json. */
export function versionOf(): string {
  const { version } = createRequire(import.meta.url)('../../package.json') as { readonly version: string };
  return version;
}
