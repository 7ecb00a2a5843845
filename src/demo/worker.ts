import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from '../app-types.ts';
import { parseLine } from '../protocol/mention.ts';
import { call, tryCall, until } from './calls.ts';
import { CRAFTS } from './crafts.ts';
import type { Assignment, Outcome } from './crafts.ts';

/**
 * A Worker program: waits to be mentioned, acknowledges, does what the spec says in its own clone, and submits.
 * It uses only what every Worker may call. Ends when `signal` aborts.
 */
export async function runWorker(app: App, signal: AbortSignal): Promise<void> {
  const seen = new Set<string>();
  for (;;) {
    const taskId = await until(() => nextAssignment(app, seen), signal).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (taskId === undefined) return;
    seen.add(taskId);
    await work(app, taskId);
  }
}

async function nextAssignment(app: App, seen: ReadonlySet<string>): Promise<string | undefined> {
  const inbox = await call(app, 'node', 'inbox', { limit: 200 });
  for (const { text } of inbox['messages'] as readonly { text: string }[]) {
    const line = parseLine(text);
    if (line?.kind === 'assigned' && line.taskId !== undefined && !seen.has(line.taskId)) return line.taskId;
  }
  return undefined;
}

async function work(app: App, taskId: string): Promise<void> {
  const { spec } = await call(app, 'taskflow', 'ack_task', { taskId });
  const assignment = await readSpec(app, taskId, String(spec));
  const craft = CRAFTS[assignment.craft];
  if (craft === undefined) throw new Error(`no craft for ${taskId}: ${assignment.craft}`);
  const outcome = await craft(assignment);
  const deliverables = writeDeliverables(app, taskId, outcome);
  await call(app, 'taskflow', 'report_progress', { taskId, note: `${deliverables.length} file(s) written` });
  if (outcome.question !== undefined) {
    await call(app, 'taskflow', 'request_attention', { taskId, kind: 'decision', question: outcome.question });
  }
  const result = { taskId, status: outcome.status, summary: outcome.summary, deliverables, notes: outcome.notes ?? [] };
  const submitted = await tryCall(app, 'taskflow', 'submit_task', result);
  // The only refusal worth another try: the remote was busy. The submission itself is safe already.
  if (!submitted.ok) await call(app, 'taskflow', 'submit_task', result);
}

async function readSpec(app: App, taskId: string, spec: string): Promise<Assignment & { readonly craft: string }> {
  const values = [...spec.matchAll(/^- (Craft|Repository|Revision|Input|Setting [\w-]+): (.+)$/gm)].map(
    ([, name = '', value = '']) => [name, value] as const,
  );
  const inputs = new Map<string, string>();
  for (const [name, path] of values) {
    if (name === 'Input') inputs.set(path, (await app.text(path)) ?? '');
  }
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
      for (const [path, text] of inputs) if (path.endsWith(`/${file}`)) return text;
      throw new Error(`the spec of ${taskId} names no input ${file}`);
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
