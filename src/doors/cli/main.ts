import { isatty } from 'node:tty';
import { text as readAll } from 'node:stream/consumers';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { toFlowError } from '../../protocol/errors.ts';
import { createSecrets } from '../../protocol/secrets/known.ts';
import { ROLES } from '../../protocol/records/types.ts';
import { parseRole } from '../../protocol/roles.ts';
import { createOutput, EXIT, type Output } from './output.ts';
import { versionOf } from '../version.ts';
import { UsageError, type Globals, type Io, type Session } from './session.ts';
import { VERBS } from './verbs.ts';

/** In a pipe nothing is cut: whoever reads it has no edge to keep to. */
const PIPE_COLUMNS = 1000;

/** The command line of this process: sets the exit code and leaves the rest to the event loop. */
export async function main(): Promise<void> {
  // A reader that closes early (`baton board | head`) is no failure.
  const unread = new AbortController();
  process.stdout.on('error', () => unread.abort());
  process.exitCode = await runCli(process.argv.slice(2), {
    env: process.env,
    cwd: process.cwd(),
    stdin: () => readAll(process.stdin),
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    unread: unread.signal,
    terminal: {
      stdout: isatty(1),
      columns: isatty(1) ? (process.stdout.columns ?? 100) : PIPE_COLUMNS,
      rows: process.stdout.rows ?? 0,
    },
    load: {
      app: () => import('../../app.ts'),
      demo: () => import('../../demo/main.ts'),
      chaos: () => import('../../chaos/main.ts'),
      mergeDriver: () => import('../../merge-driver.ts'),
    },
  });
}

/** Runs one command line and tells its exit code: 0 done, 1 refused or failed, 2 usage (interface.md §3). Never throws. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const before = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const output = createOutput({
    json: before.includes('--json'),
    quiet: before.includes('--quiet'),
    color: wantsColor(before, io),
    width: io.terminal.columns,
    out: io.out,
    err: io.err,
    redact: createSecrets(io.env).redact,
  });
  try {
    return await parse(argv, io, output);
  } catch (error) {
    if (error instanceof UsageError) return output.usage(error.message, error.seeAlso);
    return output.refuse(toFlowError(error, 'baton'));
  }
}

async function parse(argv: readonly string[], io: Io, output: Output): Promise<number> {
  const printed: string[] = [];
  const complaints: string[] = [];
  const program = createProgram(io, output);
  // Settings are inherited when a subcommand is made, so they come first.
  program.exitOverride().configureOutput({
    writeOut: (text) => printed.push(text),
    writeErr: (text) => complaints.push(text),
    getOutHelpWidth: () => Math.min(100, io.terminal.columns),
    getOutHasColors: () => output.color,
  });
  const session: Session = {
    io,
    output,
    get globals() {
      return program.opts<Globals>();
    },
    exit: EXIT.done,
  };
  await addVerbs(program, session, argv);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return session.exit;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) {
      const text = printed.join('');
      const version = error.code === 'commander.version';
      io.out(
        output.json
          ? `${JSON.stringify(version ? { ok: true, version: text.trim() } : { ok: true, help: text })}\n`
          : text,
      );
      return EXIT.done;
    }
    const message = error.code === 'commander.help' ? 'a command is missing' : error.message.replace(/^error: /, '');
    if (error.code === 'commander.help' && !output.json && !output.quiet) io.err(complaints.join(''));
    return output.usage(message, 'see `baton --help`, or `baton VERB --help` for one verb');
  }
}

function createProgram(io: Io, output: Output): Command {
  return new Command('baton')
    .description('A Leader and many Workers run projects together through plain files in git.')
    .version(versionOf(), '--version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .option(
      '--workspace <dir>',
      'the workspace (default: BATON_WORKSPACE, else the nearest directory above with baton.json)',
    )
    .option('--as <name>', 'who acts, when it is not the configured identity')
    .option('--role <role>', `the role in which to act: ${ROLES.join(', ')}`, roleOf)
    .option('--json', 'print exactly one JSON document')
    .option('--quiet', 'print only what went wrong')
    .option('--no-color', 'print without colour')
    .showSuggestionAfterError(true)
    .configureHelp({ helpWidth: Math.min(100, io.terminal.columns), showGlobalOptions: !output.quiet });
}

function roleOf(text: string): string {
  // A person is registered as an agent (`agent register --role human`), though nobody acts as one.
  const role = text === 'human' ? text : parseRole(text);
  if (role === undefined) throw new InvalidArgumentError(`Allowed are ${ROLES.join(', ')}.`);
  return role;
}

/** Every verb has a line in the help; only the one that is called gets its body. */
async function addVerbs(program: Command, session: Session, argv: readonly string[]): Promise<void> {
  const called = calledVerb(argv);
  for (const verb of VERBS) {
    const command = program.command(verb.name).description(verb.summary).helpGroup(verb.group);
    if (called.has(verb.name)) (await verb.load())(command, session);
  }
}

const WITH_VALUE: ReadonlySet<string> = new Set(['--workspace', '--as', '--role']);

/** The first word that is neither a global flag nor the value of one; after `help`, the next one as well. */
function calledVerb(argv: readonly string[]): ReadonlySet<string> {
  const words = argv.filter((word, index) => !word.startsWith('-') && !WITH_VALUE.has(argv[index - 1] ?? ''));
  return new Set(words[0] === 'help' ? words.slice(0, 2) : words.slice(0, 1));
}

/** Colour is for people at a terminal, unless they say otherwise (https://no-color.org). */
function wantsColor(argv: readonly string[], { env, terminal }: Io): boolean {
  const refused = argv.includes('--no-color') || argv.includes('--json') || (env['NO_COLOR'] ?? '') !== '';
  return terminal.stdout && !refused && env['TERM'] !== 'dumb';
}
