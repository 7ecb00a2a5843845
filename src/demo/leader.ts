import type { App, AppIdentity, Envelope } from '../app-types.ts';
import { MESSAGES, RESULT_LINES, call, taskLinesOf, textsOf, until } from './calls.ts';
import type { History } from './history.ts';
import { specOf } from './script.ts';

/** Whom the Leader works with, and where it talks to them. */
export interface Team {
  readonly room: string;
  /** How often it is worth asking for news there, milliseconds. */
  readonly pace: number;
  /** By the names of the script. */
  readonly workers: Readonly<Record<'ana' | 'bo', AppIdentity>>;
}

export interface LeaderOptions {
  /** The Leader's own node; only the protocol's actions for Leaders are called on it. */
  readonly app: App;
  readonly team: Team;
  readonly history: History;
  readonly signal: AbortSignal;
  /** Called with a sentence for what a reader of the plan alone would miss. */
  readonly say: (sentence: string) => void;
  /** Called after every change of a plan, to draw it. */
  readonly changed: (projectId: string) => Promise<void>;
}

/** A node of a plan, as `plan_dag` and `plan_loop` take it. */
export interface PlannedNode {
  readonly taskId: string;
  readonly title: string;
  readonly assignedTo: string;
  readonly dependsOn: readonly string[];
}

/** What a Worker is to do for a node; becomes its spec. */
export interface Order {
  readonly craft: string;
  /** Paths under `shared/`. */
  readonly inputs: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
}

/** A result that was checked, and decided on by what it says. */
export interface Decided {
  readonly taskId: string;
  readonly status: string;
  readonly summary: string;
  /** What may be delegated since. */
  readonly ready: readonly string[];
}

/** What every project of a Leader has in common. */
export interface Leader extends LeaderOptions {
  /** Ids of the tasks that were handed out so far. */
  readonly delegated: ReadonlySet<string>;
  /** Hands out nodes that are ready, each once. */
  delegate(
    projectId: string,
    ready: readonly string[],
    nodes: readonly PlannedNode[],
    orderOf: (node: PlannedNode) => Order,
  ): Promise<void>;
  /** Waits for lines that tell of results, then checks and decides all of them; several share one commit. */
  results(projectId: string): Promise<readonly Decided[]>;
}

export function createLeader(options: LeaderOptions): Leader {
  const { app, team, history, signal, say, changed } = options;
  const delegated = new Set<string>();
  const answered = new Set<string>();
  const asked = new Set<string>();

  const nextResults = async (projectId: string): Promise<readonly string[] | undefined> => {
    const told = new Set<string>();
    const said = await call(app, 'message', 'list', { roomId: team.room, limit: MESSAGES });
    for (const { kind, taskId, text } of taskLinesOf(textsOf(said))) {
      if (kind === 'attention' && !asked.has(taskId)) {
        asked.add(taskId);
        say(`${taskId.slice(projectId.length + 1)} asks for attention: ${text}`);
      }
      if (RESULT_LINES.has(kind) && !answered.has(taskId)) told.add(taskId);
    }
    for (const taskId of told) answered.add(taskId);
    return told.size === 0 ? undefined : [...told];
  };

  return {
    ...options,
    delegated,
    async delegate(projectId, ready, nodes, orderOf) {
      const fresh = nodes.filter(({ taskId }) => ready.includes(taskId) && !delegated.has(taskId));
      for (const { taskId } of fresh) delegated.add(taskId);
      await Promise.all(
        fresh.map((node) => {
          const spec = specOf({ ...node, ...orderOf(node), ...history });
          const payload = { projectId, taskId: node.taskId, roomId: team.room, spec };
          return call(app, 'taskflow', 'delegate_task', payload);
        }),
      );
      if (fresh.length > 0) await changed(projectId);
    },
    async results(projectId) {
      const taskIds = await until(() => nextResults(projectId), signal, team.pace);
      const decided = await Promise.all(taskIds.map((taskId) => decide(app, projectId, taskId)));
      await changed(projectId);
      return decided;
    },
  };
}

/** The Leader's word is what moves the plan: it looks at the result, and decides about the submission it has seen. */
async function decide(app: App, projectId: string, taskId: string): Promise<Decided> {
  const checked = await call(app, 'taskflow', 'check_task', { taskId });
  const { status, summary } = checked['result'] as { readonly status: string; readonly summary: string };
  const { submission_id: submissionId } = checked['task'] as { readonly submission_id: string };
  const decision = { projectId, taskId, submissionId, resultStatus: status, summary };
  const accepted = await call(app, 'projectflow', 'accept_task_result', decision);
  return { taskId, status, summary, ready: readyIds(accepted) };
}

/** Every planning action answers with the nodes that are ready. */
export function readyIds(answer: Envelope): readonly string[] {
  const ready = (answer['readyNodes'] ?? []) as readonly { readonly task_id: string }[];
  return ready.map(({ task_id }) => task_id);
}
