import type {
  App,
  AppOptions,
  CallActor,
  Envelope,
  InitOptions,
  InitReport,
  RunningNode,
  ToolCall,
} from './app-types.ts';
import { localGitDirectory } from './adapters/git/local-refs.ts';
import { maintainedClone, maintainedRemote } from './adapters/git/maintenance.ts';
import type { MaintainedRepository } from './ports-git.ts';
import { createWorkspaceGit } from './adapters/git/workspace.ts';
import { callTool } from './dialects/taskflow.ts';
import { OPERATIONS } from './flows/catalog.ts';
import { FlowError, toFlowError } from './protocol/errors.ts';
import { localpartOf, sameLocalpart } from './protocol/identity.ts';
import { requireSharedPath } from './protocol/paths.ts';
import { redactedAll } from './protocol/secrets/known.ts';
import type { Actor } from './protocol/records/types.ts';
import { parseRole } from './protocol/roles.ts';
import { withArchive } from './protocol/with-archive.ts';
import { startDaemon } from './services/daemon.ts';
import { createFeed } from './services/feed.ts';
import { startListener } from './services/listener.ts';
import { startMaintenance } from './services/maintenance.ts';
import { startScheduler } from './services/scheduler.ts';
import { sharedWork } from './services/shared-work.ts';
import { takeUpRemote } from './services/take-up.ts';
import { initWorkspace as initializeWorkspace } from './services/initializer.ts';
import { LAUNCHER } from './launcher.ts';
import { assemble } from './assembly.ts';
import type { Assembly } from './assembly.ts';

export { lookAt } from './look.ts';
export { logInToHomeserver, logOutOfHomeserver } from './homeserver-session.ts';

/** `baton init` (interface.md §3). Throws `FlowError`. */
export function initWorkspace(options: InitOptions): Promise<InitReport> {
  return initializeWorkspace(options, createWorkspaceGit(options.env), LAUNCHER);
}

/** How often a node asks the remote when nothing else wakes it; milliseconds. */
const POLL_INTERVAL = 10_000;

/** Opens a workspace in this process for one or a few calls: takes the lock, watches nothing. Throws `FlowError`. */
export async function openApp(options: AppOptions): Promise<App> {
  await using stack = new AsyncDisposableStack();
  const assembly = await assemble(options, stack, { watched: false });
  // Looks must not commit anything; the first other call takes up what was edited by hand before.
  let adopted: Promise<unknown> | undefined;
  const takeUpEdits = (): Promise<unknown> => (adopted ??= adoptEdits(assembly));
  const owned = stack.move();
  return { ...face(assembly, takeUpEdits), close: () => owned.disposeAsync() };
}

/** The node: everything of `openApp`, and it keeps going until it is stopped. Throws `FlowError`. */
export async function startNode(options: AppOptions): Promise<RunningNode> {
  await using stack = new AsyncDisposableStack();
  const assembly = await assemble(options, stack, { watched: true });
  const repositories = await maintainedRepositories(assembly, options.env);
  stack.use(await startDaemon({ ...assembly, ...assembly.watches, pollInterval: POLL_INTERVAL }));
  stack.use(startListener(assembly));
  stack.use(startScheduler(assembly));
  stack.use(startMaintenance({ ...assembly, repositories }));
  const owned = stack.move();
  const ended = Promise.withResolvers<void>();
  let stopping: Promise<void> | undefined;
  const hurry = (): void => assembly.sync.hurry();
  const stop = (): Promise<void> => {
    hurry();
    stopping ??= owned.disposeAsync().then(ended.resolve, ended.reject);
    return stopping;
  };
  const feed = createFeed(assembly);
  return {
    ...face(assembly, () => Promise.resolve()),
    ...feed,
    close: stop,
    indexed: () => assembly.sync.indexed(),
    hurry,
    quietFor: () => assembly.sync.quietFor(),
    stop,
    stopped: ended.promise,
  };
}

/** What this node keeps in order: its clone, and as the Leader's the team's repository, where Baton made it on this machine. */
async function maintainedRepositories(
  { config, identity, workTree: { root } }: Assembly,
  env: NodeJS.ProcessEnv,
): Promise<readonly MaintainedRepository[]> {
  const { maintenance, remote } = config.git;
  if (!maintenance) return [];
  const local = remote === undefined || identity.role !== 'leader' ? undefined : localGitDirectory(root, remote);
  const found = [
    await maintainedClone(root, env),
    local === undefined ? undefined : await maintainedRemote(local, env),
  ];
  return found.filter((repository) => repository !== undefined);
}

function face(assembly: Assembly, beforeCommand: () => Promise<unknown>): Omit<App, 'close'> {
  const { config, identity, mode, workTree, log } = assembly;
  const sync = sharedWork(() => syncNow(assembly));
  const look = sharedWork(() => takeUpRemote(assembly).then(() => assembly.reconciler.wake([])));
  const wake = (): Promise<Envelope> => {
    void look().catch((error: unknown) =>
      log.warn({ reason: String(error) }, 'woken, but the remote was not taken up'),
    );
    return Promise.resolve({ ok: true, ...SYNC, woken: true });
  };
  return {
    root: workTree.root,
    identity: { localpart: identity.localpart, role: identity.role, matrixUserId: config.identity.matrixUserId },
    mode,
    call: (call) => answer(assembly, call, beforeCommand),
    sync: (options) => (options?.wait === false ? wake() : sync()),
    async text(path) {
      return withArchive(workTree.view()).text(requireSharedPath(path));
    },
  };
}

async function answer(assembly: Assembly, call: ToolCall, beforeCommand: () => Promise<unknown>): Promise<Envelope> {
  let actor: Actor;
  try {
    actor = hostedActor(assembly, call.actor);
  } catch (thrown) {
    return presentable(refusal(call, toFlowError(thrown, `${call.tool} ${call.action}`)), assembly);
  }
  let onlyLooked = true;
  const envelope = await callTool(
    async (name, input, options) => {
      // A look at the files as they are, or a dry run, neither commits nor says anything.
      const operation = OPERATIONS.get(name);
      onlyLooked = options.dryRun || (operation?.kind === 'query' && operation.fresh === 'no');
      if (!onlyLooked) await beforeCommand();
      return assembly.execute(name, input, options);
    },
    { ...call, actor },
  );
  // What a command changed has woken it already; what it owes may be said now.
  if (!onlyLooked) assembly.reconciler.wake([]);
  return presentable(envelope, assembly);
}

/**
 * A refusal as callers may see it, whoever worded it: without secrets (quality.md S6), and with the paths of the
 * workspace, since the system and git write absolute ones.
 */
function presentable(envelope: Envelope, { workTree: { root }, secrets }: Assembly): Envelope {
  if (envelope.ok) return envelope;
  const clean = redactedAll(envelope, secrets.redact);
  if (clean.error?.includes(root) !== true) return clean;
  return { ...clean, error: clean.error.replaceAll(`${root}/`, '').replaceAll(root, '.') };
}

/**
 * Who may act through this node: its own agent; in solo, and on a Leader's node, also those it hosts
 * (interface.md §2). A Worker's clone speaks for that Worker only, since its lane carries nobody else's writes.
 */
function hostedActor({ identity, mode }: Assembly, wanted: CallActor | undefined): Actor {
  if (wanted === undefined) return identity;
  const localpart = localpartOf(wanted.localpart);
  const role = parseRole(wanted.role);
  if (role === undefined) throw new FlowError('invalid-argument', `unknown role: ${wanted.role}`);
  if (sameLocalpart(localpart, identity.localpart) && role === identity.role) return identity;
  const hosts = mode === 'solo' || identity.role === 'leader' || identity.role === 'admin';
  if (!hosts) {
    throw new FlowError(
      'wrong-worker',
      `this workspace is ${identity.localpart}'s (${identity.role}); it does not act for ${localpart} (${role})`,
      {
        remedy: `run the command in ${localpart}'s own workspace, or on the Leader's node`,
      },
    );
  }
  return { localpart, role };
}

function refusal(call: ToolCall, error: FlowError): Envelope {
  return {
    ok: false,
    tool: call.tool,
    action: call.action,
    error: error.message,
    code: error.code,
    retryable: error.retryable,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
  };
}

type Adopted = Awaited<ReturnType<Assembly['sync']['adopt']>>;

/** Everything edited by hand is committed as far as this node's actor owns it. */
async function adoptEdits({ sync, reconciler, log }: Assembly): Promise<Adopted> {
  const edits = await sync.adopt(await sync.dirty());
  const { adopted, foreign } = edits;
  if (adopted.length > 0) reconciler.wake(adopted, { promptly: true });
  if (foreign.length > 0) log.warn({ paths: foreign }, 'changed by hand, but owned by somebody else: not published');
  return edits;
}

const SYNC = { tool: 'node', action: 'sync' } as const;

async function syncNow(assembly: Assembly): Promise<Envelope> {
  const { sync, reconciler } = assembly;
  try {
    const edits = await adoptEdits(assembly);
    const report = await sync.pull();
    await sync.push();
    reconciler.wake();
    await reconciler.idle();
    assembly.outbox.record();
    await sync.idle();
    const { changed, refusals, conflicts } = report;
    return {
      ok: true,
      ...SYNC,
      remote: report.remote,
      changed,
      ...edits,
      refusals,
      conflicts,
      sync: await sync.status(),
    };
  } catch (thrown) {
    return presentable(refusal(SYNC, toFlowError(thrown, 'sync')), assembly);
  }
}
