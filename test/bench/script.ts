import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { App } from '../../src/app-types.ts';
import { initWorkspace, openApp } from '../../src/app.ts';
import { must } from './bench.ts';
import type { Bench } from './bench.ts';
import { cloneBare, filesBetween } from './bare.ts';
import type { BareClone, Files } from './bare.ts';
import { delegation } from './team.ts';

/** The names in the pattern that stand for those of a task. */
const NAMES = { project: 'patternproject', task: 'patterntask', worker: 'patternworker' } as const;

/** What each of the four steps of a task leaves in the tree. */
export type Pattern = readonly { readonly step: string; readonly files: Files }[];

/** One task from delegation to acceptance, taken down from the program itself. */
export async function takeDown(bench: Bench): Promise<Pattern> {
  const dir = join(bench.fresh('pattern'), 'lead');
  await initWorkspace({ dir, env: bench.env, role: 'leader', as: 'lead' });
  const quiet = (): void => undefined;
  const app = await openApp({
    root: dir,
    env: bench.env,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  const { project: projectId, task: taskId, worker: localpart } = NAMES;
  const worker = { localpart, role: 'worker' };
  const steps: { step: string; files: Files }[] = [];
  const head = (): Promise<string> => must('git', ['rev-parse', 'HEAD'], { cwd: dir, env: bench.env });
  const take = async (tool: string, step: string, payload: object, actor?: typeof worker): Promise<void> => {
    const before = await head();
    await ask(app, tool, step, payload, actor);
    steps.push({ step, files: await filesBetween(bench, dir, before, await head()) });
  };
  try {
    await ask(app, 'projectflow', 'create_project', { projectId, title: 'Pattern', source: 'team-admin' });
    const tasks = [{ taskId, title: 'Pattern', assignedTo: localpart }];
    await ask(app, 'projectflow', 'plan_dag', { projectId, tasks });
    await take('taskflow', 'delegate_task', delegation(projectId, taskId));
    await take('taskflow', 'ack_task', { taskId }, worker);
    await take('taskflow', 'submit_task', { taskId, status: 'SUCCESS', summary: 'Written, and checked.' }, worker);
    const record = await readFile(join(dir, `shared/tasks/${taskId}/meta.json`), 'utf8');
    const { submission_id: submissionId } = JSON.parse(record) as { readonly submission_id: string };
    await take('projectflow', 'accept_task_result', { projectId, taskId, submissionId });
    return steps;
  } finally {
    await app.close();
  }
}

async function ask(app: App, tool: string, action: string, payload: object, actor?: object): Promise<void> {
  const call = { tool, action, payload, ...(actor === undefined ? {} : { actor }) };
  const answer = await app.call(call as Parameters<App['call']>[0]);
  if (!answer.ok) throw new Error(`the pattern: ${action} was refused: ${JSON.stringify(answer)}`);
}

export interface ScriptPlace {
  readonly remote: string;
  readonly worker: string;
  readonly projectId: string;
  readonly taskIds: readonly string[];
}

export interface ScriptRun {
  /** Steps that reached the branch; four make a task. */
  readonly steps: number;
  readonly refused: number;
  /** Milliseconds that each of these steps took, tries included. */
  readonly times: readonly number[];
}

/**
 * One of many scripts on one shared branch: takes its tasks one after the other through all four steps with bare git,
 * until they are done or `mayGoOn` says no. It has a plan and an event log of its own, so that nothing it writes can
 * conflict with the others.
 */
export async function prepareScript(
  bench: Bench,
  pattern: Pattern,
  { remote, worker, projectId, taskIds }: ScriptPlace,
): Promise<(mayGoOn: () => boolean) => Promise<ScriptRun>> {
  const clone = await cloneBare(bench, remote, worker);
  return async (mayGoOn) => {
    let refused = 0;
    const times: number[] = [];
    const soFar = (): ScriptRun => ({ steps: times.length, refused, times });
    for (const taskId of taskIds) {
      for (const { step, files } of pattern) {
        if (!mayGoOn()) return soFar();
        const begun = performance.now();
        const names = { projectId, taskId, worker };
        const outcome = await clone.publishAmongOthers(
          () => renamed(clone, files, names),
          `${step}: ${taskId}`,
          mayGoOn,
        );
        refused += outcome.refused;
        if (!outcome.done) return soFar();
        times.push(performance.now() - begun);
      }
    }
    return soFar();
  };
}

/** The pattern's files for one task: the record is replaced, the plan's marker moved, the event appended. */
async function renamed(
  { dir }: BareClone,
  files: Files,
  names: { readonly projectId: string; readonly taskId: string; readonly worker: string },
): Promise<Files> {
  const rename = (text: string): string =>
    text
      .replaceAll(NAMES.project, names.projectId)
      .replaceAll(NAMES.task, names.taskId)
      .replaceAll(NAMES.worker, names.worker);
  const result = new Map<string, string>();
  for (const [path, content] of files) {
    const text = rename(String(content ?? ''));
    if (path.endsWith('.jsonl')) {
      const log = `shared/events/2026-01/${names.worker}.jsonl`;
      const before = await readFile(join(dir, log), 'utf8').catch(() => '');
      result.set(log, `${before}${text.trim().split('\n').at(-1) ?? ''}\n`);
    } else if (path.endsWith('plan.md')) {
      const before = await readFile(join(dir, rename(path)), 'utf8');
      const marker = /^- \[(.)\] /mu.exec(text)?.[1] ?? ' ';
      const after = before.replace(
        new RegExp(String.raw`^- \[.\] ${names.taskId} `, 'mu'),
        `- [${marker}] ${names.taskId} `,
      );
      result.set(rename(path), after);
    } else result.set(rename(path), text);
  }
  return result;
}
