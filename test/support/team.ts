import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cli } from './cli.ts';
import { prepared } from './prepared.ts';

export interface Team {
  readonly folder: string;
  /** The bare remote. */
  readonly remote: string;
  readonly lead: string;
  readonly ana: string;
  readonly bo: string;
}

const teamFolder = prepared('team', async (folder) => {
  const remote = join(folder, 'team.git');
  for (const [name, role] of [
    ['lead', 'leader'],
    ['ana', 'worker'],
    ['bo', 'worker'],
  ] as const) {
    const run = await cli(folder, 'init', name, '--role', role, '--as', name, '--remote', remote);
    if (run.code !== 0) throw new Error(`baton init ${name}: ${run.stdout}${run.stderr}`);
  }
});

/** A bare remote and three clones, made by `baton init` as the README's tutorial makes them. */
export async function makeTeam(): Promise<Team> {
  const folder = await teamFolder();
  const at = (name: string): string => join(folder, name);
  return { folder, remote: at('team.git'), lead: at('lead'), ana: at('ana'), bo: at('bo') };
}

/** Keys that differ from run to run or tell only by which door a change came. */
const VOLATILE =
  /_at$|^(history|submission_id|continuation|event_id|notify_txn|acknowledged_by_role|submitted_by_role|completion_event_id|completion_event_status|project_completion_event_id)$/;

function steady(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(steady);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !VOLATILE.test(key));
  return Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b)).map(([key, inner]) => [key, steady(inner)]));
}

/** Every file under shared/projects and shared/tasks, without what differs from run to run. */
export function readTree(workspace: string): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  for (const top of ['shared/projects', 'shared/tasks']) {
    for (const name of readdirSync(join(workspace, top), { recursive: true, encoding: 'utf8' }).sort()) {
      const path = `${top}/${name}`;
      if (statSync(join(workspace, path)).isDirectory() || name.endsWith('.gitkeep')) continue;
      const text = readFileSync(join(workspace, path), 'utf8');
      tree[path] = path.endsWith('meta.json')
        ? steady(JSON.parse(text))
        : text.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>');
    }
  }
  return tree;
}
