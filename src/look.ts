import { join } from 'node:path';
import { systemClock } from './adapters/clock.ts';
import type { AppOptions, Envelope, ToolCall } from './app-types.ts';
import { loadConfig } from './config.ts';
import { callTool } from './dialects/taskflow.ts';
import { createLook } from './flows/look.ts';
import { redactedAll } from './protocol/secrets/known.ts';
import { secretsOf } from './node-secrets.ts';
import { openHeartbeats } from './services/heartbeats.ts';
import { createWorkTree } from './workspace/store.ts';
import { createWorkIndex } from './workspace/work-index.ts';

/**
 * Answers a call that only looks, by what the files of this clone say now. It takes no lock, opens no socket, and asks
 * no node, remote or homeserver; nothing is written. Whatever wants more is refused with `invalid-argument`.
 */
export async function lookAt({ root, env, clock = systemClock }: AppOptions, call: ToolCall): Promise<Envelope> {
  const config = loadConfig(root, env);
  const { localpart, matrixUserId, role } = config.identity;
  const workTree = createWorkTree(root, { millis: () => clock.millis(), watched: false, sparse: config.git.sparse });
  const index = createWorkIndex(root, { workTree, millis: () => clock.millis() });
  const heartbeats = openHeartbeats(join(root, '.baton'), { workTree, clock, log: { warn: () => undefined } });
  const look = createLook({
    view: () => workTree.view(),
    now: () => clock.now(),
    self: matrixUserId,
    work: () => index.facts(),
    beats: () => heartbeats.seen(),
  });
  const { actor: _given, ...rest } = call;
  const envelope = await callTool(look, { ...rest, actor: { localpart, matrixUserId, role } });
  return envelope.ok ? envelope : redactedAll(envelope, secretsOf(config, env).redact);
}
