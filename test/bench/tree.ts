import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from '../../src/app-types.ts';
import { initWorkspace, openApp } from '../../src/app.ts';
import { goingOn } from '../../src/protocol/event-logs.ts';
import { eventLogPath } from '../../src/protocol/paths.ts';
import { must } from './bench.ts';

export interface TreeSize {
  readonly tasks: number;
  readonly projects: number;
  /** Workers that the tasks belong to, `w01` onwards; they are on the roster. */
  readonly workers: number;
}

/**
 * Makes a bare repository at `remote` that holds a team's tree of the wanted size, as it stands after a year: most
 * projects are done, the others have work that is accepted, waiting for the Leader, under way and still to be given.
 *
 * Every file is a copy of one that Baton itself has just written in a small workspace, under other names; so the
 * formats here are never behind those of the program. One `git fast-import` writes all of it as one commit.
 */
export async function makeTree(remote: string, size: TreeSize, env: NodeJS.ProcessEnv): Promise<void> {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'bt-')));
  try {
    const first = join(place, 'lead');
    await initWorkspace({ dir: first, env, role: 'leader', as: 'lead', remote });
    const model = await (known ??= makeModel(join(place, 'model'), env));
    const head = await must('git', ['rev-parse', 'refs/heads/main'], { cwd: remote, env });
    const input = Buffer.concat([...importOf(filesOf(model, size), head)]);
    await must('git', ['fast-import', '--quiet', '--done'], { cwd: remote, env, input });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** What stands for a name in the model's texts; no name is part of another. */
const NAMES = { done: 'modeldone', active: 'modelactive', worker: 'modelworker' } as const;

/** The states in which a task of an active project is, and how many of a hundred are in each. */
const SHARES = [
  ['accepted', 80],
  ['waiting', 5],
  ['given', 15],
] as const;
type State = (typeof SHARES)[number][0];

const ROOM = '!team:local';

interface Model {
  /** Every file below `shared/` by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Lines of all event logs. */
  readonly events: readonly string[];
}

/** The same for every tree of a run. */
let known: Promise<Model> | undefined;

/** A small workspace with one task in every state, made by the program. */
async function makeModel(dir: string, env: NodeJS.ProcessEnv): Promise<Model> {
  await initWorkspace({ dir, env, role: 'leader', as: 'lead' });
  const quiet = (): void => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const app = await openApp({ root: dir, env, log });
  try {
    await playProject(app, NAMES.active, ['accepted', 'waiting', 'given']);
    await playProject(app, NAMES.done, ['accepted']);
    await ask(app, 'projectflow', 'complete_project', { projectId: NAMES.done });
    await app.sync();
  } finally {
    await app.close();
  }
  const files = new Map<string, string>();
  for (const entry of readdirSync(join(dir, 'shared'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === '.gitkeep') continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(dir.length + 1), readFileSync(path, 'utf8'));
  }
  const events = [...files].filter(([path]) => path.endsWith('.jsonl')).flatMap(([, text]) => text.trim().split('\n'));
  return { files, events };
}

async function playProject(app: App, projectId: string, states: readonly State[]): Promise<void> {
  await ask(app, 'projectflow', 'create_project', { projectId, title: `Title of ${projectId}`, source: 'team-admin' });
  const id = (name: string): string => `${projectId}-${name}`;
  const tasks = [...states, 'pending'].map((state) => ({
    taskId: id(state),
    title: `Title of ${id(state)}`,
    assignedTo: NAMES.worker,
  }));
  await ask(app, 'projectflow', 'plan_dag', {
    projectId,
    tasks: projectId === NAMES.done ? tasks.slice(0, -1) : tasks,
  });
  const worker = { localpart: NAMES.worker, role: 'worker' };
  for (const state of states) {
    const taskId = id(state);
    await ask(app, 'taskflow', 'delegate_task', { projectId, taskId, roomId: ROOM, spec: specOf(taskId) });
    if (state === 'given') continue;
    await ask(app, 'taskflow', 'ack_task', { taskId }, worker);
    const result = {
      taskId,
      status: 'SUCCESS',
      summary: 'Done as the specification asks; the checks pass.',
      notes: [`${taskId} was checked against its specification twice.`],
    };
    const { task } = await ask(app, 'taskflow', 'submit_task', result, worker);
    if (state === 'waiting') continue;
    const submissionId = (task as { readonly submission_id: string }).submission_id;
    await ask(app, 'projectflow', 'accept_task_result', { projectId, taskId, submissionId });
  }
}

function specOf(taskId: string): string {
  const step = (number: number): string =>
    `${number}. Read what the task before has left, and write section ${number} of the report for ${taskId}.`;
  return `# What ${taskId} is for

The report needs this part before anything that builds on it can begin. Keep to the style of the parts that are there.

## Steps

${[1, 2, 3, 4, 5, 6].map(step).join('\n')}

## Done when

- [ ] every number has its source beside it
- [ ] the checks of the repository pass
- [ ] the summary says what was left out, and why
`;
}

async function ask(
  app: App,
  tool: string,
  action: string,
  payload: Record<string, unknown>,
  actor?: { readonly localpart: string; readonly role: string },
): Promise<Record<string, unknown>> {
  const answer = await app.call({ tool, action, payload, ...(actor === undefined ? {} : { actor }) });
  if (!answer.ok) throw new Error(`the model tree: ${action} was refused: ${JSON.stringify(answer)}`);
  return { ...answer };
}

/** Months that the tree's history is spread over; the last is the present one. */
const MONTHS = 12;
const MONTH = 30 * 24 * 3600 * 1000;

/** The files of the whole tree, each once. */
function* filesOf(model: Model, { tasks, projects, workers }: TreeSize): Generator<readonly [string, string]> {
  const logs = new Map<string, Logged>();
  const now = Date.now();
  for (let index = 1; index <= workers; index += 1) yield agentFile(model, workerName(index));
  for (let project = 0; project < projects; project += 1) {
    const many = Math.floor(((project + 1) * tasks) / projects) - Math.floor((project * tasks) / projects);
    // One in five is still at work; the youngest are.
    const kind = project >= projects - Math.ceil(projects / 5) ? NAMES.active : NAMES.done;
    const age = ((projects - 1 - project) / projects) * (MONTHS - 1) * MONTH;
    const ts = new Date(now - age).toISOString().replace(/\.\d+/, '');
    const id = `project-${String(project + 1).padStart(4, '0')}`;
    const worker = workerName((project % workers) + 1);
    yield* projectFiles(model, kind, { id, ts, worker, many, log: logger(logs, ts) });
  }
  yield teamFile(model);
  for (const logged of logs.values()) yield* partsOf(logged);
}

export const workerName = (index: number): string => `w${String(index).padStart(2, '0')}`;

interface ProjectPlace {
  readonly id: string;
  readonly ts: string;
  readonly worker: string;
  readonly many: number;
  readonly log: (line: string) => void;
}

function* projectFiles(
  model: Model,
  kind: typeof NAMES.active | typeof NAMES.done,
  { id, ts, worker, many, log }: ProjectPlace,
): Generator<readonly [string, string]> {
  const named = (text: string, from: string, to: string): string =>
    stamped(renamed(text, [[from, to]]), ts, to)
      .replaceAll(NAMES.worker, worker)
      .replaceAll(kind, id);
  const planLines = (model.files.get(`shared/projects/${kind}/plan.md`) ?? '').split('\n');
  const lineOf = (state: string): string => planLines.find((line) => line.includes(`${kind}-${state} `)) ?? '';
  const head = planLines
    .filter((line) => !line.startsWith('- '))
    .join('\n')
    .trimEnd();
  const lines: string[] = [];
  const take = (state: string, taskId: string): void => {
    lines.push(named(lineOf(state), `${kind}-${state}`, taskId));
  };
  const ofTasks = model.events.filter((line) => line.includes(`"id":"${kind}-`));
  const ofProject = model.events.filter((line) => line.includes(`"id":"${kind}"`));
  for (const line of ofProject) log(named(line, kind, id));
  for (let number = 1; number <= many; number += 1) {
    const state = kind === NAMES.done ? 'accepted' : stateAt((number - 0.5) / many);
    const taskId = `${id}-${String(number).padStart(3, '0')}`;
    const from = `${kind}-${state}`;
    take(state, taskId);
    for (const [path, text] of model.files) {
      if (path.startsWith(`shared/tasks/${from}/`)) yield [path.replace(from, taskId), named(text, from, taskId)];
    }
    for (const line of ofTasks) if (line.includes(`"id":"${from}"`)) log(named(line, from, taskId));
  }
  const last = `${id}-${String(many).padStart(3, '0')}`;
  const open = kind === NAMES.active ? Math.ceil(many / 4) : 0;
  for (let number = 1; number <= open; number += 1) take('pending', `${id}-${String(many + number).padStart(3, '0')}`);
  for (const name of ['meta.json', 'result.md']) {
    const text = model.files.get(`shared/projects/${kind}/${name}`);
    if (text === undefined) continue;
    // What the report says of the other states is said of the last task.
    const told = named(text, `${kind}-accepted`, `${id}-001`).replace(new RegExp(`${id}-[a-z]+`, 'g'), last);
    yield [`shared/projects/${id}/${name}`, name === 'meta.json' ? withoutTold(told) : told];
  }
  yield [`shared/projects/${id}/plan.md`, `${named(head, kind, id)}\n\n${lines.join('\n')}\n`];
}

/** The node then takes it that the requester knows of all tasks, and not only of the model's. */
function withoutTold(text: string): string {
  const meta = JSON.parse(text) as { requester_report?: { told?: unknown } };
  delete meta.requester_report?.told;
  return `${JSON.stringify(meta, undefined, 2)}\n`;
}

function stateAt(share: number): State {
  let below = 0;
  for (const [state, hundredths] of SHARES) {
    below += hundredths / 100;
    if (share < below) return state;
  }
  return 'given';
}

function renamed(text: string, names: readonly (readonly [string, string])[]): string {
  return names.reduce((changed, [from, to]) => changed.replaceAll(from, to), text);
}

/** Times, and the ids that chance has made, become those of this task; the same id stays the same within it. */
function stamped(text: string, ts: string, taskId: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, ts)
    .replace(/"01[0-9A-HJKMNP-TV-Z]{24}"/g, (id) => `"01${crockford(`${taskId}${id}`).slice(0, 24)}"`)
    .replace(/(?<=submission_id": "|delegate-[\w-]*-)[0-9a-f]{12,}/g, (id) =>
      digest(`${taskId}${id}`).slice(0, id.length),
    );
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const crockford = (text: string): string => digest(text).toUpperCase();

/** What one writer has logged in the month of `ts`. */
interface Logged {
  readonly ts: string;
  readonly writer: string;
  readonly lines: string[];
}

/** Adds a line to the log of the month and of whoever acted. */
function logger(logs: Map<string, Logged>, ts: string): (line: string) => void {
  return (line) => {
    const { actor } = JSON.parse(line) as { readonly actor: { readonly id: string } };
    const path = eventLogPath(ts, actor.id);
    const logged = logs.get(path) ?? { ts, writer: actor.id, lines: [] };
    logged.lines.push(line);
    logs.set(path, logged);
  };
}

/** A log in as many files as Baton would have written, a line with each step. */
function* partsOf({ ts, writer, lines }: Logged): Generator<readonly [string, string]> {
  let log = { part: 1, text: '' };
  for (const line of lines) {
    const next = goingOn(log);
    if (next.part !== log.part) yield [eventLogPath(ts, writer, log.part), log.text];
    log = { ...next, text: `${next.text}${line}\n` };
  }
  yield [eventLogPath(ts, writer, log.part), log.text];
}

/** A Worker's record is the Leader's under another name and role. */
function agentFile({ files }: Model, name: string): readonly [string, string] {
  const record = JSON.parse(files.get('shared/agents/lead.json') ?? '{}') as Record<string, unknown>;
  const own = { ...record, agent_id: name, name, role: 'worker' };
  return [`shared/agents/${name}.json`, `${JSON.stringify(own, undefined, 2)}\n`];
}

/** The tree has to keep its size while it is measured: nothing of it is archived. */
function teamFile({ files }: Model): readonly [string, string] {
  const team = JSON.parse(files.get('shared/team.json') ?? '{}') as { readonly policies?: object };
  const kept = { ...team, policies: { ...team.policies, archiveAfterDays: 0 } };
  return ['shared/team.json', `${JSON.stringify(kept, undefined, 2)}\n`];
}

function* importOf(files: Iterable<readonly [string, string]>, parent: string): Generator<Buffer> {
  const data = (text: string): string => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const who = `lead <lead@local> ${Math.floor(Date.now() / 1000)} +0000`;
  yield Buffer.from(`commit refs/heads/main\ncommitter ${who}\n${data('A year of work\n')}from ${parent}\n`);
  for (const [path, text] of files) yield Buffer.from(`M 100644 inline "${path}"\n${data(text)}`);
  yield Buffer.from('\ndone\n');
}
