import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parsePlan } from '../protocol/plan/parse.ts';
import type { CloneFacts, EventFacts, HistoryFacts, LateFacts, Reading, TaskFacts } from './facts.ts';
import { plainGit } from './plain-git.ts';
import { remoteGit } from './remote-git.ts';
import { PROJECT } from './stage.ts';
import type { Stage } from './stage.ts';
import { saidIn } from './witness.ts';

/** Reads all clones and what is published, once all is quiet. The files are those of the Leader's clone. */
export async function readStage(stage: Stage): Promise<Reading> {
  const { seats, mirror, ground, branches, cast } = stage;
  const git = (cwd: string, ...words: readonly string[]): Promise<string> => plainGit(cwd, ground.env, ...words);
  const main = `refs/heads/${branches.branch}`;
  await remoteGit(ground, mirror, 'fetch', '-q', '--', ground.direct, `+${main}:${main}`);
  const tree = await git(mirror, 'rev-parse', `${main}^{tree}`);
  const published = (await git(mirror, 'ls-tree', '-r', '--name-only', tree)).split('\n');
  const clones: CloneFacts[] = [];
  for (const { name, root } of seats) {
    clones.push({
      seat: name,
      tree: await git(root, 'rev-parse', 'HEAD^{tree}'),
      dirty: lines(await git(root, 'status', '--porcelain')),
      damaged: await fsck(root, ground.env),
      owed: owedIn(root),
      said: saidIn(root),
    });
  }
  const leader = join(ground.folder, cast.leader);
  return { main: tree, clones, ...readFiles(leader), strays: published.filter(isStray) };
}

const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

/** Texts that were set aside, and files that were on their way when something died. */
const isStray = (path: string): boolean => /\.conflict-|\.baton-tmp-|^\.baton\//.test(path);

async function fsck(root: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  try {
    await plainGit(root, env, 'fsck', '--connectivity-only', '--no-dangling', '--no-progress');
    return [];
  } catch (error) {
    return [String((error as { readonly stderr?: string }).stderr ?? error).trim()];
  }
}

function owedIn(root: string): readonly string[] {
  const file = join(root, '.baton/outbox.json');
  if (!existsSync(file)) return [];
  const { owed } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly owed: readonly { readonly announcement: { readonly txn: string } }[];
  };
  return owed.map(({ announcement }) => announcement.txn);
}

function readFiles(root: string): Pick<Reading, 'tasks' | 'markers' | 'plan' | 'events' | 'broken'> {
  const broken: string[] = [];
  const parse = (path: string, text: string): Readonly<Record<string, unknown>> => {
    try {
      return JSON.parse(text) as Readonly<Record<string, unknown>>;
    } catch (error) {
      broken.push(`${path} is no JSON: ${String(error)}`);
      return {};
    }
  };
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  const tasks = namesIn(root, 'shared/tasks').flatMap((id): readonly TaskFacts[] => {
    const path = `shared/tasks/${id}/meta.json`;
    if (!existsSync(join(root, path))) return [];
    const late = namesIn(root, `shared/tasks/${id}/late`).map((name): LateFacts => {
      const dir = `shared/tasks/${id}/late/${name}/`;
      return {
        by: name.slice(0, name.lastIndexOf('-')),
        dir,
        submissionId: textOf(parse(`${dir}meta.json`, read(`${dir}meta.json`))['submission_id']),
        ...resultIn(root, dir),
      };
    });
    return [{ ...taskOf(root, id, parse(path, read(path))), late }];
  });
  const events = namesIn(root, 'shared/events').flatMap((month) =>
    namesIn(root, `shared/events/${month}`).flatMap((name) => {
      const path = `shared/events/${month}/${name}`;
      return lines(read(path)).map((line) => eventOf(parse(path, line)));
    }),
  );
  const planPath = `shared/projects/${PROJECT}/plan.md`;
  const plan = read(planPath);
  parse(`shared/projects/${PROJECT}/meta.json`, read(`shared/projects/${PROJECT}/meta.json`));
  const parsed = parsePlan(plan);
  for (const { message } of parsed.diagnostics) broken.push(`${planPath}: ${message}`);
  if (/^(<<<<<<<|>>>>>>>)/m.test(plan)) broken.push(`${planPath} holds conflict markers`);
  return {
    tasks,
    markers: Object.fromEntries(parsed.nodes.map(({ id, status }) => [id, status])),
    plan,
    events,
    broken,
  };
}

function namesIn(root: string, folder: string): readonly string[] {
  const path = join(root, folder);
  return existsSync(path)
    ? readdirSync(path)
        .filter((name) => !name.startsWith('.'))
        .sort()
    : [];
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function resultIn(root: string, dir: string): { readonly result?: string } {
  const result = join(root, `${dir}result.md`);
  return existsSync(result) ? { result: readFileSync(result, 'utf8') } : {};
}

function taskOf(root: string, id: string, meta: Readonly<Record<string, unknown>>): Omit<TaskFacts, 'late'> {
  return {
    id,
    status: textOf(meta['status']),
    assignedTo: textOf(meta['assigned_to']),
    summary: textOf(meta['summary']),
    submissionId: textOf(meta['submission_id']),
    history: Array.isArray(meta['history']) ? (meta['history'] as readonly HistoryFacts[]) : [],
    earlierAssignees: Array.isArray(meta['earlier_assignees']) ? (meta['earlier_assignees'] as readonly string[]) : [],
    ...resultIn(root, `shared/tasks/${id}/`),
  };
}

function eventOf(event: Readonly<Record<string, unknown>>): EventFacts {
  const subject = event['subject'] as { readonly id?: string } | undefined;
  const actor = event['actor'] as { readonly id?: string } | undefined;
  const data = event['data'] as { readonly announces?: readonly string[] } | undefined;
  return {
    type: textOf(event['type']),
    subject: textOf(subject?.id),
    actor: textOf(actor?.id),
    ...(typeof event['note'] === 'string' ? { note: event['note'] } : {}),
    announces: data?.announces ?? [],
  };
}
