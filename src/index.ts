import type { Envelope, ToolCall } from './app-types.ts';
import { checkTasks } from './doors/check.ts';
import { connect } from './doors/connect.ts';
import { fromFailure } from './doors/socket/wire.ts';
import { requireWorkspace } from './doors/workspace.ts';
import type { FlowError } from './protocol/errors.ts';

/** What is wrong with a task, or late about it (features.md S002-20). */
export interface CheckAlert {
  readonly type: 'failed' | 'stuck' | 'slow' | 'sla' | 'overdue' | 'blocked' | 'unacknowledged' | 'unchecked';
  readonly task_id: string;
  /** Of a subtask of `task_id`, for instance `subtask_01`. */
  readonly subtask_id?: string;
  /** Of a task that is part of a project with a plan of its own. */
  readonly project_id?: string;
  readonly title: string;
  readonly agent?: string;
  readonly message: string;
  /** What mends it, as it is typed. */
  readonly command: string;
  /** UTC. */
  readonly since?: string;
  /** Of what is late: 1, and more the longer it takes. */
  readonly level?: number;
}

export interface CheckReport {
  /** The most pressing first. */
  readonly alerts: readonly CheckAlert[];
  readonly summary: {
    /** Open projects, and what is open or failed in them. */
    readonly projects: number;
    readonly tasks: number;
    /** How many tasks are in each state. */
    readonly states: Readonly<Record<string, number>>;
    /** How many alerts are of each type. */
    readonly alerts: Readonly<Record<string, number>>;
  };
  /** What projects have gone on to by themselves; empty where no Leader asks. */
  readonly transitions: readonly {
    readonly task_id: string;
    readonly from: string;
    readonly to: string;
    readonly events: readonly string[];
  }[];
  /** What could not be read or taken on, and why. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /** How many tasks were looked at. */
  readonly checked: number;
}

export interface CheckOptions {
  /** The workspace, or a directory below it; the current directory when absent. */
  readonly workspace?: string;
  /** Only this project or task. */
  readonly task?: string;
  /** `process.env` when absent. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * What `baton check` does, for hosts that have a heartbeat of their own (features.md S002-23): one call, which counts as one
 * heartbeat, and answers what is failed, stuck, late, blocked or waiting. Through the running node of the workspace where
 * there is one, else in this process.
 *
 * Throws an error with a stable `code`: `no-workspace`, `not-found`, `locked`, `bad-config`, …
 */
export async function checkAllTasks(options: CheckOptions = {}): Promise<CheckReport> {
  const { workspace = process.cwd(), task, env = process.env } = options;
  const app = await connect({
    root: requireWorkspace(workspace),
    env,
    load: { app: () => import('./app.ts') },
    log: SILENT,
  });
  try {
    const call = (given: ToolCall): Promise<Envelope> => app.call(given);
    const answer = await checkTasks(call, { role: app.identity.role, id: task });
    if (answer.ok) return answer as unknown as CheckReport;
    throw refusalOf(answer);
  } finally {
    await app.close();
  }
}

function refusalOf({ code = 'internal', error = 'the check failed without saying why', remedy }: Envelope): FlowError {
  return fromFailure({ code, message: error, ...(typeof remedy === 'string' ? { remedy } : {}) });
}

const nothing = (): void => undefined;
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };
