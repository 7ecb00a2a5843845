import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { noise, opensshKey } from '../protocol/secrets/samples.ts';
import { cleanEnvironment } from '../support/baton.ts';
import { cli, cliWith } from '../support/cli.ts';
import { git } from '../support/git.ts';
import { startAgent } from '../support/mcp.ts';
import { startUp } from '../support/node.ts';
import { testFolder } from '../support/folders.ts';
import { makeTeam } from '../support/team.ts';
import { eventually } from '../support/waiting.ts';

/** Every secret is planted in one place, so that one that is found tells where it came from. */
const secret = (form: string, seed: number): string => form + noise(36, undefined, seed);

const PLANTED = {
  remotePassword: `${noise(20, undefined, 3)}7q`,
  environment: `${noise(24, undefined, 5)}8w`,
  tokenFile: `${noise(40, undefined, 13)}9e`,
  title: secret('ghp_', 17),
  spec: secret('gho_', 19),
  summary: secret('ghu_', 23),
  progress: secret('ghs_', 29),
  message: secret('glpat-', 31),
  mcp: secret('npm_', 37),
  fileName: secret('ghr_', 41),
  handEdit: secret('hvs.', 43),
  author: secret('dckr_pat_', 47),
  hook: secret('xoxb-', 53),
  lane: secret('sk_live_', 59),
  flag: `dop_v1_${noise(64, '0123456789abcdef', 61)}`,
};

/** Everything that was printed, answered or written, by where. */
type Seen = Map<string, string>;

function leaks(seen: Seen): readonly string[] {
  return Object.entries(PLANTED).flatMap(([name, value]) =>
    [...seen].filter(([, text]) => text.includes(value)).map(([where]) => `${name} in ${where}`),
  );
}

function filesBelow(dir: string): readonly string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((path) => statSync(path).isFile());
}

/** A homeserver that refuses everything and repeats in its answer what it was sent. */
async function rudeHomeserver(): Promise<string> {
  const server = createServer((request, response) => {
    response.writeHead(request.url?.includes('/versions') === true ? 200 : 403, { 'content-type': 'application/json' });
    const error = `no: ${request.headers.authorization ?? ''} ${PLANTED.tokenFile}`;
    response.end(JSON.stringify({ versions: ['v1.11'], errcode: 'M_FORBIDDEN', error }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function configure(workspace: string, change: (config: Record<string, Record<string, unknown>>) => void): void {
  const file = join(workspace, 'baton.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, unknown>>;
  change(config);
  writeFileSync(file, JSON.stringify(config));
}

test('S6: secrets that are planted everywhere are in no log, commit, event, error, report, outbox or room', async () => {
  const seen: Seen = new Map();
  const env = { ...cleanEnvironment(), DEPLOY_TOKEN: PLANTED.environment };
  const folder = testFolder('secrets');
  const remote = join(folder, 'team.git');
  const init = async (name: string, role: string): Promise<string> => {
    expect(
      await cliWith({ cwd: folder }, 'init', name, '--role', role, '--as', name, '--remote', remote),
    ).toMatchObject({
      code: 0,
    });
    return join(folder, name);
  };
  const [lead, ana, bo] = [await init('lead', 'leader'), await init('ana', 'worker'), await init('bo', 'worker')];
  const run = async (cwd: string, ...words: readonly string[]): Promise<{ code: number; text: string }> => {
    const { code, stdout, stderr } = await cliWith({ cwd, env }, ...words);
    seen.set(`what baton ${seen.size} ${words[0] ?? ''} ${words[1] ?? ''} printed`, stdout + stderr);
    return { code, text: stdout + stderr };
  };
  const refused = async (cwd: string, ...words: readonly string[]): Promise<string> => {
    const { code, text } = await run(cwd, ...words);
    expect([words.slice(0, 2), code, text]).toEqual([words.slice(0, 2), 1, expect.stringContaining('error[')]);
    return text;
  };
  const kept = async (cwd: string, ...words: readonly string[]): Promise<void> =>
    expect(await refused(cwd, ...words)).toContain('a secret');
  const done = async (cwd: string, ...words: readonly string[]): Promise<void> => {
    const { code, text } = await run(cwd, ...words);
    expect([words.slice(0, 2), code, text]).toEqual([words.slice(0, 2), 0, text]);
  };
  const action = (tool: string, name: string, payload: object): readonly string[] => [
    tool,
    name,
    '--payload',
    JSON.stringify(payload),
  ];

  // Payloads.
  await done(lead, ...action('projectflow', 'create_project', { projectId: 'p', title: 'P', source: 'team-admin' }));
  const node = { taskId: 'p-01', title: 'First', assignedTo: 'ana' };
  await kept(
    lead,
    ...action('projectflow', 'plan_dag', { projectId: 'p', tasks: [{ ...node, title: `Use ${PLANTED.title}` }] }),
  );
  await done(lead, ...action('projectflow', 'plan_dag', { projectId: 'p', tasks: [node] }));
  const delegation = { projectId: 'p', taskId: 'p-01', roomId: '!team:local' };
  const wanted = await refused(
    lead,
    ...action('taskflow', 'delegate_task', { ...delegation, spec: `# Do\n\n${PLANTED.spec}\n` }),
  );
  expect(wanted).toMatch(/payload\.spec holds a secret in line 3 \(GitHub token\)[^]*policies\.allowedSecrets/);
  await kept(lead, ...action('taskflow', 'delegate_task', { ...delegation, spec: `say ${PLANTED.environment}` }));
  await done(lead, ...action('taskflow', 'delegate_task', { ...delegation, spec: '# Do\n\nIt.\n' }));
  await kept(lead, ...action('message', 'send', { roomId: '!team:local', text: `see ${PLANTED.message} @ana` }));
  await run(lead, 'board', `--${PLANTED.flag}`);

  // A Worker's files, by a running node, by MCP, and by plain git.
  const up = await startUp(ana);
  const task = join(ana, 'shared/tasks/p-01');
  const put = (name: string, text: string): void => {
    mkdirSync(dirname(join(task, name)), { recursive: true });
    writeFileSync(join(task, name), text);
  };
  put('workspace/config.yaml', `vault: ${PLANTED.handEdit}\n`);
  put(`workspace/${PLANTED.fileName}.md`, 'x\n');
  await eventually(() => (up.log().match(/cannot be published/g)?.length ?? 0) >= 2, 'the hand edits are told');
  expect((await run(ana, 'doctor')).text).toMatch(
    /config\.yaml:1 \[unpublishable\] cannot be committed: it holds a secret/,
  );
  expect((await run(ana, 'sync', 'now')).text).toMatch(/config\.yaml cannot be committed/);
  await kept(ana, ...action('taskflow', 'report_progress', { taskId: 'p-01', note: PLANTED.progress }));
  put('result.md', `STATUS: SUCCESS\nSUMMARY: made with ${PLANTED.summary}\nDELIVERABLES:\n- none\n`);
  await kept(ana, ...action('taskflow', 'submit_task', { taskId: 'p-01' }));
  await up.stop();
  seen.set('the log of a node', up.log());

  const agent = await startAgent(lead);
  const answer = await agent.call('projectflow', 'pause_project', { projectId: 'p', reason: PLANTED.mcp });
  expect(answer).toMatchObject({ ok: false, code: 'invalid-argument' });
  seen.set('an answer over MCP', JSON.stringify(answer));
  await agent.close();

  await run(bo, 'sync', 'now');
  git(bo, 'commit', '-q', '--allow-empty', '-m', 'empty');
  mkdirSync(join(bo, 'shared/tasks/p-01/workspace'), { recursive: true });
  writeFileSync(join(bo, 'shared/tasks/p-01/workspace/k.txt'), `${PLANTED.lane}\n`);
  writeFileSync(join(bo, 'shared/agents/bo.json'), `{"agent_id":"bo","role":"worker","bio":"${PLANTED.lane}"}\n`);
  git(bo, 'add', '-A');
  git(bo, 'commit', '-q', '-m', 'a rogue lane');
  git(bo, 'push', '-q', 'origin', 'HEAD:lanes/bo');
  expect((await run(lead, 'sync', 'now')).text).toMatch(/refused/);

  // Who commits, what a remote says, where it is, and what a homeserver says.
  configure(lead, (config) => (config['git'] = { ...config['git'], author: { name: PLANTED.author, email: 'a@b' } }));
  await kept(lead, 'sync', 'now');
  configure(lead, (config) => delete config['git']?.['author']);
  const hook = join(remote, 'hooks/pre-receive');
  mkdirSync(dirname(hook), { recursive: true });
  writeFileSync(
    hook,
    `#!/bin/sh\necho "denied, since ${PLANTED.hook} and ${PLANTED.environment} are worthless" >&2\nexit 1\n`,
  );
  chmodSync(hook, 0o755);
  await refused(lead, ...action('projectflow', 'pause_project', { projectId: 'p' }));
  await run(lead, 'sync', 'status', '--json');
  await run(lead, 'doctor');
  writeFileSync(hook, '#!/bin/sh\nexit 0\n');
  configure(bo, ({ git: settings = {} }) => {
    settings['remote'] = `http://ana:${PLANTED.remotePassword}@127.0.0.1:9/team.git`;
  });
  for (const words of [['sync', 'now'], ['sync', 'status', '--json'], ['doctor']]) await run(bo, ...words);
  writeFileSync(join(lead, '.baton/token'), `${PLANTED.tokenFile}\n`);
  const homeserver = await rudeHomeserver();
  configure(lead, (config) => (config['matrix'] = { homeserver, accessTokenFile: '.baton/token' }));
  await run(lead, ...action('message', 'send', { roomId: '!team:local', text: 'hello @ana' }));
  await run(lead, ...action('projectflow', 'pause_project', { projectId: 'p', reason: 'wait' }));
  await run(lead, 'doctor');

  const rogue = new Set(git(remote, 'rev-list', 'lanes/bo', '^main~1').split('\n'));
  expect(rogue.size).toBeGreaterThan(0);
  seen.set('what is on main', git(remote, 'log', '-p', '--first-parent', '-m', '--format=%B%an%ae', 'main'));
  seen.set(
    "ana's lane",
    git(remote, 'log', '-p', '-m', '--format=%B%an%ae', 'lanes/ana', '--', ':!shared/agents/bo.json'),
  );
  for (const [name, workspace] of Object.entries({ lead, ana, bo })) {
    for (const path of filesBelow(join(workspace, '.baton'))) {
      if (!path.endsWith('.baton/token')) seen.set(`${name}: ${path}`, readFileSync(path, 'latin1'));
    }
    for (const path of filesBelow(join(workspace, 'shared/events')))
      seen.set(`${name}: ${path}`, readFileSync(path, 'utf8'));
  }
  expect(seen.size).toBeGreaterThan(30);
  expect(leaks(seen)).toEqual([]);
}, 120_000);

test('S6: a private key without a passphrase in a folder that is handed in is refused, and goes nowhere', async () => {
  const { remote, lead, ana } = await makeTeam();
  const tasks = JSON.stringify({ tasks: [{ taskId: 'p-01', title: 'First', assignedTo: 'ana' }] });
  for (const words of [
    ['project', 'create', 'P', '--project-id', 'p'],
    ['project', 'plan', 'p', '--payload', tasks],
    ['task', 'delegate', 'p', 'p-01', '--spec', 'Do it.'],
  ])
    expect(await cli(lead, ...words)).toMatchObject({ code: 0 });
  expect(await cli(ana, 'sync', 'now')).toMatchObject({ code: 0 });

  const task = join(ana, 'shared/tasks/p-01');
  const key = opensshKey('ssh-ed25519', randomBytes(136));
  mkdirSync(join(task, 'workspace'), { recursive: true });
  writeFileSync(join(task, 'workspace/deploy_key'), `${key}\n`);
  writeFileSync(join(task, 'result.md'), 'STATUS: SUCCESS\nSUMMARY: done\nDELIVERABLES:\n- none\n');
  const { code, stdout, stderr } = await cli(ana, 'task', 'submit', 'p-01');
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/workspace\/deploy_key cannot be committed: it holds a secret in line 1 \(private key\)/),
  ]);
  const body = key.split('\n')[2] ?? '';
  expect(stdout + stderr + git(remote, 'log', '--all', '-p') + git(ana, 'log', '--all', '-p')).not.toContain(body);

  rmSync(join(task, 'workspace/deploy_key'));
  expect(await cli(ana, 'task', 'submit', 'p-01')).toMatchObject({ code: 0 });
});
