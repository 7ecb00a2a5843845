import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Envelope } from '../../src/app-types.ts';
import { connectSocket } from '../../src/doors/socket/client.ts';
import { BATON } from '../support/program.ts';
import { git } from '../support/git.ts';
import { eventually } from '../support/waiting.ts';
import { ended, serveTeam } from './git-host.ts';
import type { GitHost, Transport } from './git-host.ts';
import { makeNetwork } from './network.ts';
import type { Host } from './network.ts';

const ROOM = '!team:local';
const PROJECT = 'survey';

/** Where the repository is, and the clones; the first of these has the Leader's. */
const STORE = 'store';
const TEAM = ['lead', 'ana', 'bo'] as const;
type Member = (typeof TEAM)[number];

/** What everybody has at the end. */
interface Ending {
  readonly host: string;
  readonly address: string;
  /** Object id of `shared/`. */
  readonly tree: string;
  /** Work that is there and in no commit; lines of `git status`. */
  readonly unsaved: string;
  /** Tasks that the files show as completed. */
  readonly completed: readonly string[];
  /** Mentions that the host's room log owes, those of them that stand there, and those that stand there twice. */
  readonly owed: number;
  readonly heard: readonly string[];
  readonly twice: readonly string[];
}

export interface Outcome {
  readonly url: string;
  readonly members: readonly Ending[];
  /** The tree of `shared/` on the repository's main. */
  readonly remoteTree: string;
  /** The contents of the deliverables there, by path. */
  readonly deliverables: ReadonlyMap<string, string>;
  readonly projectStatus: string;
}

/** Every mention that the story owes, and who must have it. */
const OWED: readonly (readonly [text: string, to: readonly Member[]])[] = [
  ['TASK_ASSIGNED: survey-01', ['lead', 'ana']],
  ['TASK_ASSIGNED: survey-02', ['lead', 'bo']],
  ['TASK_ASSIGNED: survey-03', ['lead', 'ana']],
  ['TASK_ASSIGNED: survey-04', ['lead', 'bo']],
  ['TASK_COMPLETED: survey-01', ['ana', 'lead']],
  ['TASK_COMPLETED: survey-02', ['bo', 'lead']],
  ['TASK_COMPLETED: survey-03', ['ana', 'lead']],
  ['TASK_COMPLETED: survey-04', ['bo', 'lead']],
];

const TASKS = 4;

const DELIVERABLES: Readonly<Record<string, string>> = {
  'shared/tasks/survey-01/workspace/north.md': 'hills\n',
  'shared/tasks/survey-02/workspace/south.md': 'a river\n',
  'shared/tasks/survey-03/workspace/map.md': 'a map of the hills\n',
  'shared/tasks/survey-04/workspace/report.md': 'hills, and a river\n',
};

/**
 * A Leader and two Workers on three hosts, whose only common place is a repository on a fourth one. A Worker's cable is
 * pulled while it works; it submits all the same, work of the others goes on, and the cable is put back. `tell` hears the
 * story as it happens.
 */
export async function playThreeHosts(transport: Transport, tell: (sentence: string) => void): Promise<Outcome> {
  await using stack = new AsyncDisposableStack();
  const network = makeNetwork(stack, [STORE, ...TEAM]);
  const store = await serveTeam(stack, network.host(STORE), transport);
  tell(`four hosts on one switch; the repository is at ${store.url}`);
  const lead = await startMember(stack, network.host('lead'), store, 'leader');
  const [ana, bo] = await Promise.all([
    startMember(stack, network.host('ana'), store, 'worker'),
    startMember(stack, network.host('bo'), store, 'worker'),
  ]);
  const delegate = (taskId: string): Promise<Envelope> =>
    lead.must('taskflow', 'delegate_task', { projectId: PROJECT, taskId, roomId: ROOM, spec: `Do ${taskId}.` });
  const accept = async (taskId: string): Promise<void> => {
    const { task } = await lead.must('taskflow', 'check_task', { taskId });
    const { submission_id: submissionId } = task as { readonly submission_id: string };
    await lead.must('projectflow', 'accept_task_result', { projectId: PROJECT, taskId, submissionId });
  };
  tell('a node is up on each of the three: lead, ana, bo');

  await lead.must('projectflow', 'create_project', { projectId: PROJECT, title: 'A survey', source: 'team-admin' });
  await lead.must('projectflow', 'plan_dag', {
    projectId: PROJECT,
    tasks: [
      { taskId: 'survey-01', title: 'The north', assignedTo: 'ana' },
      { taskId: 'survey-02', title: 'The south', assignedTo: 'bo' },
      { taskId: 'survey-03', title: 'A map', assignedTo: 'ana' },
      {
        taskId: 'survey-04',
        title: 'The report',
        assignedTo: 'bo',
        dependsOn: ['survey-01', 'survey-02', 'survey-03'],
      },
    ],
  });
  await delegate('survey-01');
  await delegate('survey-02');
  await Promise.all([
    ana.must('taskflow', 'ack_task', { taskId: 'survey-01' }),
    bo.must('taskflow', 'ack_task', { taskId: 'survey-02' }),
  ]);
  tell('the Leader has given survey-01 to ana and survey-02 to bo, and both have taken them up');

  network.cut('ana');
  tell("ana's cable is out");
  const kept = await ana.submit('survey-01', 'north.md');
  if (kept.ok || kept['statePersisted'] !== true) throw new Error(`nobody told ana: ${JSON.stringify(kept)}`);
  tell(`ana submits survey-01 and is told that it is kept and not yet synced (${String(kept['code'])})`);
  await bo.mustSubmit('survey-02', 'south.md');
  await accept('survey-02');
  await delegate('survey-03');
  if (ana.has('survey-03')) throw new Error('something came through without a cable');
  if (lead.statusOf('survey-01') !== 'in_progress') throw new Error('something left without a cable');
  tell('meanwhile bo submits survey-02, the Leader accepts it and gives survey-03 to ana, who cannot know of it');

  network.mend('ana');
  tell("ana's cable is back; nobody asks anybody for anything");
  await eventually(() => lead.statusOf('survey-01') === 'submitted' || undefined, 'the Leader has what ana submitted');
  await eventually(() => ana.has('survey-03') || undefined, 'ana has what she was given meanwhile');
  tell("the Leader's clone has ana's submission, and ana's clone has survey-03");

  await accept('survey-01');
  await ana.must('taskflow', 'ack_task', { taskId: 'survey-03' });
  await ana.mustSubmit('survey-03', 'map.md');
  await accept('survey-03');
  await delegate('survey-04');
  await bo.must('taskflow', 'ack_task', { taskId: 'survey-04' });
  await bo.mustSubmit('survey-04', 'report.md');
  await accept('survey-04');
  await lead.must('projectflow', 'complete_project', { projectId: PROJECT });
  tell('the rest of the work is done, and the project completed');

  const members = [lead, ana, bo];
  await Promise.all(members.map((member) => member.sync()));
  await eventually(() => {
    const trees = new Set([treeOf(store.repository, 'main'), ...members.map(({ clone }) => treeOf(clone, 'HEAD'))]);
    return trees.size === 1 || undefined;
  }, 'all clones and the repository have one tree');
  tell('all three clones and the repository have the same tree');
  await Promise.all(members.map((member) => member.stop()));

  const show = (path: string): string => git(store.repository, 'show', `main:${path}`);
  const { status } = JSON.parse(show(`shared/projects/${PROJECT}/meta.json`)) as { readonly status: string };
  return {
    url: store.url,
    members: members.map((member) => member.ending()),
    remoteTree: treeOf(store.repository, 'main'),
    deliverables: new Map(Object.keys(DELIVERABLES).map((path) => [path, `${show(path)}\n`])),
    projectStatus: status,
  };
}

/** What is not as it must be at the end, in words. */
export function faultsOf({ members, remoteTree, deliverables, projectStatus }: Outcome): readonly string[] {
  const faults = members.flatMap(({ host, tree, unsaved, completed, owed, heard, twice }) => [
    ...(tree === remoteTree ? [] : [`${host} has the tree ${tree}, the repository ${remoteTree}`]),
    ...(unsaved === '' ? [] : [`${host} has work that is in no commit: ${unsaved}`]),
    ...(completed.length === TASKS ? [] : [`${host} shows ${completed.length} of ${TASKS} tasks as completed`]),
    ...(heard.length === owed ? [] : [`${host} has heard ${heard.length} of ${owed} mentions`]),
    ...twice.map((text) => `${host} has heard twice: ${text}`),
  ]);
  const lost = Object.entries(DELIVERABLES).filter(([path, text]) => deliverables.get(path) !== text);
  return [
    ...faults,
    ...lost.map(([path]) => `${path} is not in the repository as it was written`),
    ...(projectStatus === 'completed' ? [] : [`the project is ${projectStatus}`]),
  ];
}

const treeOf = (repository: string, commit: string): string => git(repository, 'rev-parse', `${commit}:shared`);

interface TeamMember {
  readonly clone: string;
  must(tool: string, action: string, payload: object): Promise<Envelope>;
  /** Writes a deliverable and hands the task in, whatever the answer. */
  submit(taskId: string, file: string): Promise<Envelope>;
  mustSubmit(taskId: string, file: string): Promise<void>;
  sync(): Promise<Envelope>;
  /** Whether the clone holds the task. */
  has(taskId: string): boolean;
  /** As the files of the clone tell it. */
  statusOf(taskId: string): string | undefined;
  stop(): Promise<void>;
  ending(): Ending;
}

/** A clone on the host, and its node, to which its agent talks over the socket. */
async function startMember(
  stack: AsyncDisposableStack,
  host: Host,
  store: GitHost,
  role: 'leader' | 'worker',
): Promise<TeamMember> {
  const { name } = host;
  const env = store.envFor(host);
  const baton = [process.execPath, BATON];
  const made = await host.run([...baton, 'init', name, '--role', role, '--as', name, '--remote', store.url], { env });
  if (made.code !== 0) throw new Error(`baton init on ${name}: ${made.stdout}${made.stderr}`);
  const clone = join(host.dir, name);
  const node = host.start([...baton, 'up', '--json'], { cwd: name, env });
  let log = '';
  node.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
  const up = Promise.withResolvers<void>();
  node.stdout?.once('data', () => up.resolve());
  node.once('exit', () => up.reject(new Error(`the node of ${name} ended: ${log}`)));
  stack.defer(() => ended(node));
  await up.promise;
  const app = await connectSocket(join(clone, '.baton/node.sock'), clone);
  if (app === undefined) throw new Error(`the node of ${name} does not listen`);
  stack.defer(() => app.close());

  const must: TeamMember['must'] = async (tool, action, payload) => {
    const answer = await app.call({ tool, action, payload });
    if (!answer.ok) throw new Error(`${name}: ${action} was refused: ${JSON.stringify(answer)}\n${log}`);
    return answer;
  };
  const result = (taskId: string, file: string): object => {
    const path = `shared/tasks/${taskId}/workspace/${file}`;
    mkdirSync(dirname(join(clone, path)), { recursive: true });
    writeFileSync(join(clone, path), DELIVERABLES[path] ?? '');
    return { taskId, status: 'SUCCESS', summary: `${file} is written.`, deliverables: [path] };
  };
  const statusOf = (taskId: string): string | undefined => {
    const file = join(clone, 'shared/tasks', taskId, 'meta.json');
    if (!existsSync(file)) return undefined;
    return (JSON.parse(readFileSync(file, 'utf8')) as { readonly status: string }).status;
  };
  return {
    clone,
    must,
    submit: (taskId, file) => app.call({ tool: 'taskflow', action: 'submit_task', payload: result(taskId, file) }),
    mustSubmit: async (taskId, file) => void (await must('taskflow', 'submit_task', result(taskId, file))),
    sync: () => app.sync(),
    has: (taskId) => statusOf(taskId) !== undefined,
    statusOf,
    async stop() {
      await app.close();
      await ended(node);
    },
    ending: () => ({
      host: name,
      address: host.address,
      tree: treeOf(clone, 'HEAD'),
      unsaved: git(clone, 'status', '--porcelain', '--', 'shared'),
      completed: readdirSync(join(clone, 'shared/tasks'))
        .filter((taskId) => statusOf(taskId) === 'completed')
        .sort(),
      ...mentionsIn(clone, name),
    }),
  };
}

function mentionsIn(clone: string, name: string): Pick<Ending, 'owed' | 'heard' | 'twice'> {
  const owed = OWED.filter(([, to]) => to.some((one) => one === name)).map(([text]) => text);
  return {
    owed: owed.length,
    heard: owed.filter((text) => saidIn(clone, text) > 0),
    twice: OWED.map(([text]) => text).filter((text) => saidIn(clone, text) > 1),
  };
}

/** Messages of the clone's room logs that say `text`. */
function saidIn(clone: string, text: string): number {
  const folder = join(clone, '.baton/rooms');
  if (!existsSync(folder)) return 0;
  return readdirSync(folder)
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'))
    .filter((line) => line.includes(text)).length;
}
