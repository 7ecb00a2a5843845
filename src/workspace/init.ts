import { agentPath, TEAM_PATH } from '../protocol/paths.ts';
import { newAgent, renderAgent } from '../protocol/records/agent.ts';
import { renderTeam } from '../protocol/records/team.ts';
import { renderJson } from '../protocol/json.ts';
import type { Role } from '../protocol/records/types.ts';
import { SAMPLE_CAPABILITIES, sampleFiles } from './samples.ts';

/** Has a person's own git merge shared files as Baton does, in clones that `baton init` has made (gitattributes(5)). */
export const MERGE_RULE = '/shared/** merge=baton';

export interface TeamFilesRequest {
  readonly team: string;
  /** The Leader whose record the team begins with; absent when somebody else sets the team up. */
  readonly leader?: { readonly localpart: string; readonly matrixUserId?: string };
  /** Adds agents, and tasks for them in the inbox. */
  readonly samples?: boolean;
  /** UTC. */
  readonly now: string;
}

/** Directories that a new workspace shows to whoever opens it; git keeps none that is empty. */
const FOLDERS = ['projects', 'tasks', 'agents', 'checkpoints', 'events', 'archive'];

/** What belongs to one clone only and is never committed. */
export const IGNORED: readonly string[] = ['.baton/', 'baton.json', '.baton-tmp-*'];

/** The files that a team begins with, by workspace-relative path; nothing in them differs between clones. */
export function teamFiles({ team, leader, samples = false, now }: TeamFilesRequest): ReadonlyMap<string, string> {
  const files = new Map([
    ['.gitattributes', `* text=auto eol=lf\n${MERGE_RULE}\n`],
    ['.gitignore', `${IGNORED.join('\n')}\n`],
    [TEAM_PATH, renderTeam({ name: team, ...(samples ? { policies: { capabilityMap: SAMPLE_CAPABILITIES } } : {}) })],
    ...FOLDERS.map((folder): [string, string] => [`shared/${folder}/.gitkeep`, '']),
  ]);
  if (leader !== undefined) {
    files.set(agentPath(leader.localpart), renderAgent(leaderRecord(leader)));
  }
  if (samples) for (const [path, text] of sampleFiles(now)) files.set(path, text);
  return files;
}

function leaderRecord({
  localpart,
  matrixUserId,
}: NonNullable<TeamFilesRequest['leader']>): ReturnType<typeof newAgent> {
  return newAgent({ id: localpart, role: 'leader', ...(matrixUserId === undefined ? {} : { matrixUserId }) });
}

export interface ConfigRequest {
  readonly localpart: string;
  /** Only when it was given in full: otherwise it follows from the localpart. */
  readonly matrixUserId?: string;
  readonly role: Role;
  readonly remote?: string;
  readonly branch: string;
  readonly lanePrefix: string;
  readonly sparse: boolean;
}

/** The smallest `baton.json` that works: what has its default is left out. */
export function configFile({
  localpart,
  matrixUserId,
  role,
  remote,
  branch,
  lanePrefix,
  sparse,
}: ConfigRequest): string {
  const git = {
    ...(remote === undefined ? {} : { remote }),
    ...(branch === 'main' ? {} : { branch }),
    ...(lanePrefix === 'lanes/' ? {} : { lanePrefix }),
    ...(sparse ? { sparse } : {}),
  };
  return renderJson({
    identity: { ...(matrixUserId === undefined ? { localpart } : { matrixUserId }), role },
    ...(Object.keys(git).length === 0 ? {} : { git }),
  });
}
