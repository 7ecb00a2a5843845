import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import type { App, Envelope, ToolCall } from '../../app-types.ts';
import { FlowError, toFlowError } from '../../protocol/errors.ts';
import { connect } from '../connect.ts';
import { NODE, TEAM_SETTINGS } from '../node-calls.ts';
import { socketPath } from '../workspace.ts';
import { fieldsOf, numberOf, objectsOf, textsOf, wasAsked, wordOf } from './answer.ts';
import { roomFindings, type Finding } from './doctor-rooms.ts';
import { quotaInWords } from './quota-words.ts';
import { EXIT } from './output.ts';
import { terseLog, workspaceOf, type Session } from './session.ts';
import { printable, table, type Palette } from './text.ts';

/** `baton doctor`: exit 1 when something is wrong. */
export function defineDoctor(command: Command, session: Session): void {
  command.action(async () => {
    const findings = (await examine(session)).map((finding) => withoutSecrets(finding, session));
    const wrong = findings.filter(({ ok }) => !ok);
    const { output } = session;
    if (output.json) {
      output.out(`${JSON.stringify({ ok: wrong.length === 0, action: 'doctor', findings }, undefined, 2)}\n`);
    } else if (!output.quiet || wrong.length > 0) {
      output.out(`${renderFindings(output.quiet ? wrong : findings, output.palette)}\n`);
    }
    session.exit = wrong.length === 0 ? EXIT.done : EXIT.refused;
  });
}

/** What makes a workspace impossible to open may be a setting with a secret in it. */
function withoutSecrets({ detail, remedy, ...finding }: Finding, { output: { redact } }: Session): Finding {
  return { ...finding, detail: redact(detail), ...(remedy === undefined ? {} : { remedy: redact(remedy) }) };
}

/** The findings as lines: what is well in one each, what is wrong with its remedy beneath. */
function renderFindings(findings: readonly Finding[], palette: Palette): string {
  const rows = findings.map(({ check, ok, detail, remedy }) => [
    ok ? (remedy === undefined ? palette.green('ok') : palette.yellow('warn')) : palette.red('wrong'),
    palette.bold(check),
    printable(detail),
  ]);
  return table(rows)
    .split('\n')
    .flatMap((line, index) => {
      const remedy = findings[index]?.remedy;
      return remedy === undefined ? [line] : [line, `       ${palette.yellow(printable(remedy))}`];
    })
    .join('\n');
}

const good = (check: string, detail: string): Finding => ({ check, ok: true, detail });
const bad = (check: string, detail: string, remedy: string): Finding => ({ check, ok: false, detail, remedy });

async function examine(session: Session): Promise<readonly Finding[]> {
  const machine = [good('node', `Node ${process.versions.node}`), await examineGit()];
  let root: string;
  try {
    root = workspaceOf(session);
  } catch (thrown) {
    return [...machine, refused('workspace', thrown)];
  }
  const { env, load } = session.io;
  const place = [good('workspace', root), examineSocket(root, env)];
  let app: App;
  try {
    app = await connect({ root, env, load, log: terseLog(session.output) });
  } catch (thrown) {
    const error = toFlowError(thrown, 'opening the workspace');
    return [...machine, ...place, refused(CHECKS[error.code] ?? 'workspace', error)];
  }
  try {
    const owner = 'closed' in app ? 'a running node answers' : 'free: no node runs';
    return [
      ...machine,
      ...place,
      good('lock', owner),
      good('identity', `${app.identity.matrixUserId} (${app.identity.role})`),
      ...(await examineSync(app)),
      ...(await examineRoster(app)),
      await examineMerging(root, session),
      ...(await examineFiles(app)),
      await examineSettings(app),
      ...(await examineRooms(app)),
    ];
  } finally {
    await app.close();
  }
}

/** Which check a refusal to open belongs to. */
const CHECKS: Readonly<Record<string, string>> = {
  locked: 'lock',
  'bad-config': 'config',
  'git-failed': 'git',
  'sync-failed': 'remote',
};

function refused(check: string, thrown: unknown): Finding {
  const error = thrown instanceof FlowError ? thrown : toFlowError(thrown, check);
  return bad(check, error.message, error.remedy ?? 'correct that and run `baton doctor` again');
}

/** Merging without a work tree came with this version (`git merge-tree --write-tree`). */
const GIT_WANTED = [2, 38] as const;

async function examineGit(): Promise<Finding> {
  const wanted = `install git ${GIT_WANTED.join('.')} or newer from https://git-scm.com`;
  let printed: string;
  try {
    printed = (await promisify(execFile)('git', ['--version'])).stdout.trim();
  } catch {
    return bad('git', 'git was not found on PATH', wanted);
  }
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(printed) ?? [];
  const fits = Number(major) > GIT_WANTED[0] || (Number(major) === GIT_WANTED[0] && Number(minor) >= GIT_WANTED[1]);
  return fits ? good('git', printed) : bad('git', `${printed} is too old`, wanted);
}

function examineSocket(root: string, env: NodeJS.ProcessEnv): Finding {
  try {
    socketPath(root, env);
    return good('socket', 'its path fits');
  } catch (thrown) {
    return refused('socket', thrown);
  }
}

async function examineSync(app: App): Promise<readonly Finding[]> {
  const sync = await syncStatus(app);
  if (!sync.ok) return [unanswered('sync', sync)];
  const branch = good('branch', `${wordOf(sync['branch'])} at ${wordOf(sync['head']).slice(0, 12)}`);
  const conflicts = textsOf(sync['conflicts']).map((path) =>
    bad('conflict', `${path} was set aside`, 'compare it with the file beside it, keep what is right, and delete it'),
  );
  const quota = quotaInWords(fieldsOf(sync['quota']));
  return [branch, remoteOf(app, sync), ...(quota === '' ? [] : [good('pushes', quota)]), ...conflicts];
}

/** A workspace that was opened only now has not spoken with its remote; a pull, as any command makes it, does. */
async function syncStatus(app: App): Promise<Envelope> {
  const sync = await ask(app, NODE.status);
  if (!sync.ok || app.mode === 'solo' || wasAsked(sync)) return sync;
  const pulled = await ask(app, { tool: 'filesync', action: 'pull', payload: { path: 'shared/projects/' } });
  const status = await ask(app, NODE.status);
  return pulled.ok ? status : { ...status, online: false, problem: pulled.error, remedy: pulled['remedy'] };
}

function remoteOf(app: App, sync: Envelope): Finding {
  if (app.mode === 'solo') return good('remote', 'none: solo');
  const remote = wordOf(sync['remote']);
  if (sync['online'] === true) {
    const held = wordOf(sync['problem']);
    if (held !== '')
      return bad('remote', `${remote}: ${held}`, wordOf(sync['remedy']) || '`baton sync now` tells what to do');
    return good('remote', `${remote}: ${numberOf(sync['ahead'])} to push, ${numberOf(sync['behind'])} to pull`);
  }
  const problem = wordOf(sync['problem']) || 'it does not answer';
  const remedy = wordOf(sync['remedy']) || 'check address and access with `git fetch`, then `baton sync now`';
  return bad('remote', `${remote}: ${problem}`, remedy);
}

/** Whoever works in a clone should be on the roster: names are checked by it, and work is given out by it. */
async function examineRoster(app: App): Promise<readonly Finding[]> {
  const roster = await ask(app, { tool: 'agent', action: 'list' });
  if (!roster.ok) return [unanswered('roster', roster)];
  return objectsOf(roster['unregistered']).map(({ agent, command }) => ({
    ...good('roster', `${wordOf(agent)} works in a clone of its own and is not on the roster`),
    remedy: wordOf(command),
  }));
}

/** Where it is not set, git merges as text, and what then goes wrong is told by file. */
async function examineMerging(root: string, { io }: Session): Promise<Finding> {
  const driver = await io.load.mergeDriver();
  try {
    const { detail, remedy } = await driver.examineMerging(root, io.env);
    return { ...good('merges', detail), ...(remedy === undefined ? {} : { remedy }) };
  } catch (thrown) {
    return refused('merges', thrown);
  }
}

async function examineFiles(app: App): Promise<readonly Finding[]> {
  const answer = await ask(app, NODE.problems);
  if (!answer.ok) return [unanswered('files', answer)];
  const problems = objectsOf(answer['problems']);
  if (problems.length === 0) return [good('files', 'every file under shared/ can be read')];
  return problems.map(({ kind, severity, message, remedy, file, line, column }) => {
    const place = [file, line, column]
      .map(wordOf)
      .filter((part) => part !== '')
      .join(':');
    const detail = [place, `[${wordOf(kind)}]`, wordOf(message)].filter((part) => part !== '').join(' ');
    return { check: 'files', ok: severity === 'warning', detail, ...(typeof remedy === 'string' ? { remedy } : {}) };
  });
}

/** What the team has chosen otherwise than by default; what is wrong in the file itself is told with the files. */
async function examineSettings(app: App): Promise<Finding> {
  const answer = await ask(app, TEAM_SETTINGS);
  if (!answer.ok) return unanswered('settings', answer);
  const chosen = objectsOf(answer['settings']).filter(({ isDefault }) => isDefault !== true);
  const named = chosen.map(({ key, value }) => `${wordOf(key)} ${JSON.stringify(value)}`);
  return good('settings', named.length === 0 ? 'all at their defaults: `baton team settings`' : named.join(', '));
}

async function examineRooms(app: App): Promise<readonly Finding[]> {
  const answer = await ask(app, NODE.rooms);
  return answer.ok ? roomFindings(answer) : [unanswered('rooms', answer)];
}

function unanswered(check: string, answer: Envelope): Finding {
  const remedy = answer['remedy'];
  return bad(check, answer.error ?? 'no answer', typeof remedy === 'string' ? remedy : 'run `baton doctor` again');
}

async function ask(app: App, call: ToolCall): Promise<Envelope> {
  try {
    return await app.call(call);
  } catch (thrown) {
    const error = toFlowError(thrown, call.action);
    return {
      ok: false,
      code: error.code,
      error: error.message,
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    };
  }
}
