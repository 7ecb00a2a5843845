import { existsSync } from 'node:fs';
import { MERGE_RULE } from '../workspace/init.ts';

/** How an installation of Baton is started, by absolute paths. */
export interface Launcher {
  readonly node: string;
  readonly script: string;
}

const DRIVER = 'merge.baton.driver';

/** The settings of a clone by which its owner's git merges as Baton does (gitattributes(5), git-config(1)). */
export function driverSettings(launcher: Launcher): readonly (readonly [key: string, value: string])[] {
  return [
    ['merge.baton.name', 'the rules of Baton for plans, records and logs'],
    [DRIVER, commandFor(launcher, '')],
    // Common ancestors are merged with each other first, where nobody can be asked.
    ['merge.baton.recursive', 'baton-ancestors'],
    ['merge.baton-ancestors.name', 'the rules of Baton, among common ancestors'],
    ['merge.baton-ancestors.driver', commandFor(launcher, ' --ancestors')],
  ];
}

/**
 * Records of different tasks look alike, so a removed and a new one would be taken for one that was renamed. Baton
 * does not look for renames.
 */
export const RENAME_SETTINGS: readonly (readonly [key: string, value: string])[] = [
  ['merge.renames', 'false'],
  ['merge.directoryRenames', 'false'],
];

/** A shell command, as git wants it. Where this Baton is gone, it merges as git does without any driver. */
function commandFor({ node, script }: Launcher, flags: string): string {
  const [program, file] = [node, script].map(quoted);
  const asText = 'git merge-file -q --marker-size=%L -L ours -L base -L theirs %A %O %B || exit 1';
  const byRules = `${program} ${file} merge-driver${flags} -- %O %A %B %P %L %S %X %Y`;
  return `if test -x ${program} && test -f ${file}; then ${byRules}; else ${asText}; fi`;
}

/** For the shell, and for git, which replaces what stands behind a percent sign. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", String.raw`'\''`).replaceAll('%', '%%')}'`;
}

/** The paths that a command of `driverSettings` names. */
function launcherIn(command: string): Launcher | undefined {
  const [, node, script] = /^if test -x '((?:[^']|'\\'')+)' && test -f '((?:[^']|'\\'')+)';/.exec(command) ?? [];
  if (node === undefined || script === undefined) return undefined;
  const [program, file] = [node, script].map((text) => text.replaceAll(String.raw`'\''`, "'").replaceAll('%%', '%'));
  return program === undefined || file === undefined ? undefined : { node: program, script: file };
}

/** What git says about merging in a clone. */
export interface MergeFacts {
  /** The clone's setting of a key. */
  readonly setting: (key: string) => Promise<string | undefined>;
  /** The driver that the attributes of the work tree name for a path. */
  readonly driverOf: (path: string) => Promise<string | undefined>;
}

export interface WiringState {
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy?: string;
}

/** Whether a person's own git merges here as Baton does; without that it merges as text, which is no fault. */
export async function examineWiring(facts: MergeFacts): Promise<WiringState> {
  const command = await facts.setting(DRIVER);
  if (command === undefined) {
    return {
      ok: false,
      detail: 'git merges plans and records as text here: no merge driver is set',
      remedy: 'run `baton init` here once more; it sets it',
    };
  }
  const launcher = launcherIn(command);
  const gone = launcher === undefined ? [] : [launcher.node, launcher.script].filter((path) => !existsSync(path));
  if (gone.length > 0) {
    return {
      ok: false,
      detail: `git merges plans and records as text here: the merge driver is gone: ${gone.join(', ')}`,
      remedy: 'run `baton init` here once more; it sets the one of this installation',
    };
  }
  if ((await facts.driverOf('shared/projects/p/plan.md')) !== 'baton') {
    return {
      ok: false,
      detail: `git merges plans and records as text here: .gitattributes does not say "${MERGE_RULE}"`,
      remedy: "run `baton init` once more in the Leader's clone, then `baton sync now` here",
    };
  }
  return { ok: true, detail: `git merges by ${launcher?.script ?? 'a command of its own'}` };
}
