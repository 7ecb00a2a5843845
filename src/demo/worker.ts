import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from '../app-types.ts';
import { boardProjects } from '../doors/cli/board-data.ts';
import { call, tryCall, until } from './calls.ts';
import { CRAFTS } from './crafts.ts';
import type { Assignment, Outcome } from './crafts.ts';

/**
 * A Worker program: waits for a task of its own, acknowledges, does what the spec says in its own clone, and submits.
 * It uses only what every Worker may call, and the files of its clone: a mention in the room wakes its node, and the
 * files say what there is to do, also while the room is slow. Rejects with the signal's reason in the end.
 */
export async function runWorker(app: App, signal: AbortSignal): Promise<never> {
  const seen = new Set<string>();
  for (;;) {
    const taskId = await until(() => nextAssignment(app, seen), signal);
    seen.add(taskId);
    await work(app, taskId);
  }
}

async function nextAssignment(app: App, seen: ReadonlySet<string>): Promise<string | undefined> {
  const nodes = boardProjects(await call(app, 'node', 'board')).flatMap((project) => project.nodes);
  const { localpart } = app.identity;
  return nodes.find(({ id, assignee, task }) => assignee === localpart && ASSIGNED.has(task ?? '') && !seen.has(id))
    ?.id;
}

/** Also before the room has taken the assignment. */
const ASSIGNED: ReadonlySet<string> = new Set(['prepared', 'assigned']);

async function work(app: App, taskId: string): Promise<void> {
  const { spec } = await call(app, 'taskflow', 'ack_task', { taskId });
  const assignment = readSpec(app, taskId, String(spec));
  const craft = CRAFTS[assignment.craft];
  if (craft === undefined) throw new Error(`no craft for ${taskId}: ${assignment.craft}`);
  const outcome = await craft(assignment);
  const deliverables = writeDeliverables(app, taskId, outcome);
  const { progress, question, status, summary, notes = [] } = outcome;
  if (progress !== undefined) await call(app, 'taskflow', 'report_progress', { taskId, note: progress });
  if (question !== undefined) await call(app, 'taskflow', 'request_attention', { taskId, kind: 'decision', question });
  const result = { taskId, status, summary, deliverables, notes };
  const submitted = await tryCall(app, 'taskflow', 'submit_task', result);
  // The only refusal worth another try: the remote was busy. The submission itself is safe already.
  if (!submitted.ok) await call(app, 'taskflow', 'submit_task', result);
}

function readSpec(app: App, taskId: string, spec: string): Assignment & { readonly craft: string } {
  const values = Array.from(
    spec.matchAll(/^- (Craft|Repository|Revision|Input|Setting [\w-]+): (.+)$/gm),
    ([, name = '', value = '']) => [name, value] as const,
  );
  const valueOf = (wanted: string): string => values.find(([name]) => name === wanted)?.[1] ?? '';
  const settings = values.flatMap(([name, value]) =>
    name.startsWith('Setting ') ? [[name.slice(8), value] as const] : [],
  );
  return {
    taskId,
    craft: valueOf('Craft'),
    repository: valueOf('Repository'),
    revision: valueOf('Revision'),
    settings: Object.fromEntries(settings),
    input(file) {
      const path = values.find(([name, value]) => name === 'Input' && value.endsWith(`/${file}`))?.[1];
      if (path === undefined) throw new Error(`the spec of ${taskId} names no input ${file}`);
      return readFileSync(join(app.root, path), 'utf8');
    },
  };
}

function writeDeliverables(app: App, taskId: string, { files }: Outcome): readonly string[] {
  const folder = `shared/tasks/${taskId}/workspace`;
  mkdirSync(join(app.root, folder), { recursive: true });
  return Object.entries(files).map(([name, text]) => {
    writeFileSync(join(app.root, folder, name), text);
    return `${folder}/${name}`;
  });
}
