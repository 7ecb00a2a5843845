import { join } from 'node:path';
import type { AppOptions } from './app-types.ts';
import { systemClock } from './adapters/clock.ts';
import { createGit } from './adapters/git/git.ts';
import { localGitDirectory } from './adapters/git/local-refs.ts';
import { createHints } from './adapters/hints.ts';
import { checkRefName, checkRemote } from './adapters/git/names.ts';
import { configuredAuthor } from './adapters/git/setup.ts';
import { createLog, withoutSecrets } from './adapters/log.ts';
import { openChat } from './chat.ts';
import { loadConfig } from './config.ts';
import type { BatonConfig } from './config.ts';
import { checkAuthor, secretsOf } from './node-secrets.ts';
import { createEventBus } from './events.ts';
import type { EventBus } from './events.ts';
import { createExecutor } from './flows/operation.ts';
import type { Execute } from './flows/operation.ts';
import type { Clock, Heartbeats, Log, Sync, WorkTree } from './ports.ts';
import type { Chat } from './ports-chat.ts';
import type { Author } from './ports-git.ts';
import { FlowError } from './protocol/errors.ts';
import type { Actor } from './protocol/records/types.ts';
import { parseDuration } from './protocol/timestamps.ts';
import type { Secrets } from './protocol/secrets/known.ts';
import { openHeartbeats } from './services/heartbeats.ts';
import { createHistories } from './services/histories.ts';
import { keepIndex } from './services/index-keeper.ts';
import { createOutbox } from './services/outbox.ts';
import { isOvertakenMessage } from './services/overtaken.ts';
import type { Outbox } from './services/outbox.ts';
import { createReconciler } from './services/reconciler.ts';
import type { Reconciler } from './services/reconciler.ts';
import { createSync } from './sync/syncer.ts';
import { openLastPush } from './workspace/last-push.ts';
import { createSameFiles } from './workspace/same-files.ts';
import { acquireLock } from './workspace/lock.ts';
import { createWorkTree } from './workspace/store.ts';
import { createWorkIndex } from './workspace/work-index.ts';
import { createTelling } from './telling.ts';
import { watchesOf } from './waking.ts';
import type { Watches } from './waking.ts';
import { hasLane } from './protocol/roles.ts';

/** The parts of one open workspace, wired. */
export interface Assembly {
  readonly config: BatonConfig;
  readonly identity: Actor;
  readonly mode: 'solo' | 'team';
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Log;
  readonly secrets: Secrets;
  readonly workTree: WorkTree;
  readonly sync: Sync;
  readonly chat: Chat;
  readonly outbox: Outbox;
  readonly execute: Execute;
  readonly heartbeats: Heartbeats;
  readonly reconciler: Reconciler;
  readonly watches: Watches;
}

/** Milliseconds that people take between two saves of one edit. */
const CALM = 2_000;

/**
 * Opens the workspace and takes its lock. What is acquired is registered on `stack`, whose disposal releases it in
 * reverse: reconciler, sync, chat, lock. Throws `FlowError` (`locked`, `bad-config`, `bad-workspace`, …).
 */
export async function assemble(
  { root, env, log: givenLog, clock = systemClock }: AppOptions,
  stack: AsyncDisposableStack,
  { watched }: { readonly watched: boolean },
): Promise<Assembly> {
  const config = loadConfig(root, env);
  checkGitSettings(config);
  const secrets = secretsOf(config, env);
  const log = givenLog === undefined ? logOf(root, config, secrets) : withoutSecrets(givenLog, secrets.redact);
  const state = join(root, '.baton');
  const lock = acquireLock(state, { since: clock.now(), log });
  stack.defer(() => lock.release());

  const events = createEventBus();
  logEvents(events, log);
  const { localpart, matrixUserId, role } = config.identity;
  const identity: Actor = { localpart, matrixUserId, role };
  const { sparse } = config.git;
  const workTree = createWorkTree(root, { millis: () => clock.millis(), watched, sparse });
  const onError = (error: unknown): void => events.emit('node:problem', { what: 'watching files', error });
  const { remote, branch, lanePrefix } = config.git;
  const hints = remote === undefined ? undefined : createHints({ remote, root, env, onError });
  const isWatched = (): boolean => remote !== undefined && localGitDirectory(root, remote) !== undefined;
  const telling = hints && stack.use(createTelling({ hints, clock, isWatched }));
  const git = stack.use(await createGit({ dir: root, env, log }));
  const sync = await createSync({
    git,
    workTree,
    clock,
    log,
    role: hasLane(role) ? 'worker' : 'leader',
    localpart,
    writer: localpart,
    branch,
    lanePrefix,
    remote,
    author: checkAuthor(config.git.author ?? (await authorOf(identity, env)), secrets),
    secrets,
    sparse,
    same: createSameFiles(state, log),
    minPush: { interval: parseDuration(config.git.minPushInterval) ?? 0, memory: openLastPush(state) },
    ...(watched ? {} : { lastPush: 'when-due' as const }),
    onPushed: (ref, commit) => telling?.pushed(ref, commit),
  });
  stack.defer(() => sync.close());

  const chat = await openChat({
    config,
    root,
    state,
    env,
    clock,
    workTree,
    secrets,
    onReady: () => reconciler.wake([]),
  });
  stack.defer(() => chat.close());
  const outbox = createOutbox({
    dir: state,
    chat,
    clock,
    log,
    events,
    secrets,
    isOvertaken: (announcement) => isOvertakenMessage(workTree.view(), announcement),
    onLeft: () => reconciler.wake([]),
  });
  stack.defer(() => outbox.close());
  const mode = remote === undefined ? 'solo' : 'team';
  const histories = createHistories({ workTree, git, sync, branch, lanePrefix, isTeam: remote !== undefined });
  const index = createWorkIndex(root, { workTree, millis: () => clock.millis() });
  const heartbeats = openHeartbeats(state, { workTree, clock, log });
  const execute = createExecutor({
    sync,
    workTree,
    announcer: outbox,
    chat,
    clock,
    events,
    identity,
    histories,
    index,
    heartbeats,
    secrets,
    ...(watched ? {} : { settled: () => reconciler.settled() }),
  });
  const reconciler = createReconciler({
    ...(watched ? { calm: CALM } : {}),
    identity,
    mode,
    execute,
    workTree,
    sync,
    outbox,
    localRooms: chat.kind === 'local',
    clock,
    events,
    log,
  });
  stack.defer(sync.onChange((report) => events.emit('sync:changed', report)));
  events.on('sync:changed', ({ changed, refusals }) => {
    for (const refusal of refusals) {
      events.emit('lane:refused', refusal);
      // Refused parts are recorded by the commit that integrates the rest; a lane that cannot be read has no such commit.
      if (refusal.reason === 'broken-lane')
        void execute('lane.record_refusal', refusal, { actor: identity }).catch(ignoreReported);
    }
    reconciler.wake(changed);
  });
  stack.defer(() => reconciler.close());
  stack.use(keepIndex({ index, events, clock, watched }));
  return {
    config,
    identity,
    mode,
    clock,
    events,
    log,
    secrets,
    workTree,
    sync,
    chat,
    outbox,
    execute,
    heartbeats,
    reconciler,
    watches: watchesOf({
      root,
      workTree,
      index,
      remote,
      sync,
      clock,
      hints,
      // Lanes are the Leaders' business.
      isLeading: !hasLane(role),
      branch,
      wants: (ref) => ref === `refs/heads/${branch}` || (!hasLane(role) && ref.startsWith(`refs/heads/${lanePrefix}`)),
      onError,
    }),
  };
}

/** Before anything starts: what git could take for an option, or for a command to run. Throws `bad-config`. */
function checkGitSettings({ git: { remote, branch, lanePrefix, sparse }, identity: { role } }: BatonConfig): void {
  if (sparse && !(hasLane(role) && remote !== undefined)) {
    throw new FlowError('bad-config', "git.sparse is for a Worker's clone of a remote", {
      remedy: 'take git.sparse out of baton.json',
    });
  }
  if (remote !== undefined) checkRemote(remote);
  checkRefName(branch, 'git.branch');
  checkRefName(`${lanePrefix}x`, 'git.lanePrefix');
}

/** `execute` has told the event bus already. */
function ignoreReported(): void {}

/** Names a person gave to git itself are kept; otherwise commits carry the agent's own. */
async function authorOf({ localpart, matrixUserId }: Actor, env: NodeJS.ProcessEnv): Promise<Author> {
  const server = matrixUserId?.split(':')[1] ?? 'local';
  return (await configuredAuthor(env)) ?? { name: localpart, email: `${localpart}@${server}` };
}

function logOf(root: string, { log: { level, file } }: BatonConfig, { redact }: Secrets): Log {
  return createLog({ level, redact, ...(file === undefined ? {} : { destination: join(root, file) }) });
}

function logEvents(events: EventBus, log: Log): void {
  events.on('operation:done', ({ operation, actor, commit, subject }) =>
    log.info({ operation, actor, commit, ...subject }, 'done'),
  );
  events.on('operation:refused', ({ operation, actor, code, message }) =>
    log.info({ operation, actor, code, reason: message }, 'refused'),
  );
  events.on('lane:refused', (refusal) => log.warn({ ...refusal }, 'a part of a lane was refused'));
  events.on('finding:raised', ({ key, message, remedy }) => log.warn({ key, remedy }, message));
  events.on('finding:cleared', ({ key }) => log.info({ key }, 'a finding no longer stands'));
  events.on('node:problem', ({ what, error }) =>
    log.error({ what, error: error instanceof Error ? error.stack : error }, 'failed'),
  );
}
