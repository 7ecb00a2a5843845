import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectId } from '../../ports-git.ts';
import { isRewritten } from './environment.ts';
import { stampOf } from './file-stamp.ts';
import { createLocalRefs, localGitDirectory } from './local-refs.ts';
import type { Branches } from './local-refs.ts';
import { createLookup } from './lookup.ts';
import { LARGEST, inflated, looseBytes } from './loose.ts';
import type { GitObject, ObjectKind } from './loose.ts';
import type { GitPlace } from './run.ts';

/** A bare repository on this machine that may be worked with as git works with it, file by file. */
export interface Nearby {
  readonly gitDirectory: string;
  /** Where its objects lie. */
  readonly objects: string;
  /** For git's own commands in it. */
  readonly place: GitPlace;
  /** Branches by patterns as of a fetch; `undefined` when only git can tell. */
  readonly refs: (patterns: readonly string[]) => Branches | undefined;
  readonly ref: (branch: string) => ObjectId | undefined;
  /**
   * An object as its repository has it, loose or packed, which may not be what its name says; `undefined` for one that is not there,
   * or has more than `LARGEST` bytes.
   */
  readonly read: (id: ObjectId) => Promise<Pick<GitObject, 'kind' | 'content'> | undefined>;
}

/** Remotes that lie on this machine. */
export interface Neighbourhood {
  /** Whether one does, at a path or at an address of a file. */
  has(remote: string): boolean;
  /** Its branches by patterns, read from its files; `undefined` for any other, and where only git can tell. */
  branches(remote: string, patterns: readonly string[]): Branches | undefined;
  /** One that may be worked with file by file; `undefined` for any other. */
  nearby(remote: string): Nearby | undefined;
}

/**
 * Finds out whether a remote is one that lies here and is as plain as `git init --bare` makes it. Whoever has set up
 * anything that a push has to pass (hooks, checks, quotas, shared permissions, another owner) gets pushes by git, and so does every remote
 * that is given as an address, `file://` too.
 */
export function createNeighbourhood(place: GitPlace): Neighbourhood {
  let last: { readonly remote: string; readonly nearby: Nearby; readonly isPlain: () => boolean } | undefined;
  const find = (remote: string): typeof last => {
    if (isRewritten(place.env, remote)) return undefined;
    const gitDirectory = localGitDirectory(place.cwd, remote);
    if (gitDirectory === undefined) return undefined;
    if (last?.remote !== remote || last.nearby.gitDirectory !== gitDirectory)
      last = { remote, nearby: nearbyAt(place, gitDirectory), isPlain: createPlainness(gitDirectory) };
    return last;
  };
  return {
    has: (remote) => find(remote) !== undefined,
    branches: (remote, patterns) => find(remote)?.nearby.refs(patterns),
    nearby(remote) {
      const found = remote.includes('://') ? undefined : find(remote);
      return found?.isPlain() === true ? found.nearby : undefined;
    },
  };
}

function nearbyAt(own: GitPlace, gitDirectory: string): Nearby {
  const refs = createLocalRefs(gitDirectory);
  const { GIT_OBJECT_DIRECTORY: _, ...env } = own.env;
  const place = { ...own, cwd: gitDirectory, env: { ...env, GIT_DIR: gitDirectory } };
  const objects = join(gitDirectory, 'objects');
  return {
    gitDirectory,
    objects,
    place,
    refs,
    ref: (branch) => refs([branch])?.get(`refs/heads/${branch}`),
    read: createReader(place, objects),
  };
}

function createReader(place: GitPlace, objects: string): Nearby['read'] {
  const packed = createLookup(place);
  return async (id) => {
    const bytes = looseBytes(objects, id);
    if (bytes !== undefined) return bytes === 'unfit' ? undefined : inflated(bytes);
    const [size] = await packed.stat([id]);
    if (size === undefined || size.size > LARGEST) return undefined;
    const [found] = await packed.read([id]);
    return found && isKind(found.kind) ? { kind: found.kind, content: found.content } : undefined;
  };
}

const isKind = (kind: string): kind is ObjectKind => kind === 'blob' || kind === 'tree' || kind === 'commit';

/** What stands for something out of the ordinary. */
const UNUSUAL = [
  'commondir',
  'reftable',
  'shallow',
  'config.worktree',
  'objects/info/alternates',
  'logs',
  // One of them may have the branch checked out, which git then refuses to move.
  'worktrees',
];

/** Looks again only when one of the files has changed that the answer rests on. */
function createPlainness(gitDirectory: string): () => boolean {
  const [config, hooks] = [join(gitDirectory, 'config'), join(gitDirectory, 'hooks')];
  let seen = '';
  let plain = false;
  return () => {
    if (UNUSUAL.some((name) => existsSync(join(gitDirectory, name)))) return false;
    const stamp = [gitDirectory, config, hooks].map(stampOf).join(' ');
    if (stamp === seen) return plain;
    try {
      plain = isOwn(gitDirectory) && isPlainConfig(config) && !hasHooks(hooks);
    } catch {
      // One of them may not be read, or is gone at this moment.
      return false;
    }
    seen = stamp;
    return plain;
  };
}

/** Git asks the same before it serves a repository. */
const isOwn = (gitDirectory: string): boolean => statSync(gitDirectory).uid === process.geteuid?.();

function hasHooks(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => !name.endsWith('.sample'));
}

/** What says nothing about who may push what, or how. */
const HARMLESS: readonly RegExp[] = [
  /^core\.(?:filemode|ignorecase|precomposeunicode|symlinks)=/,
  /^core\.repositoryformatversion=0$/,
  /^core\.bare=true$/,
  /^receive\.(?:denynonfastforwards|denydeletes)=/,
  /^(?:baton|gc|maintenance|pack|user)\.[a-z]+=/,
  /^remote\..*\.(?:url|fetch|mirror|tagopt)=/,
];

function isPlainConfig(file: string): boolean {
  const settings = settingsOf(readFileSync(file, 'utf8'));
  return settings.includes('core.bare=true') && settings.every((one) => HARMLESS.some((rule) => rule.test(one)));
}

/** `section.key=value` of each line; one that is not plain stays as it is, and is harmless to nobody. */
function settingsOf(text: string): readonly string[] {
  let section = '';
  return text.split('\n').flatMap((whole) => {
    const line = whole.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) return [];
    const [, name, sub] = /^\[([A-Za-z]+)(?: "([^"\\]*)")?\]$/.exec(line) ?? [];
    if (name !== undefined) {
      section = sub === undefined ? name.toLowerCase() : `${name.toLowerCase()}.${sub}`;
      return [];
    }
    const [, key = '', value = ''] = /^([A-Za-z][A-Za-z0-9-]*)\s*=\s*([^"\\#;]*)$/.exec(line) ?? [];
    return [key === '' ? line : `${section}.${key.toLowerCase()}=${value.trim()}`];
  });
}
