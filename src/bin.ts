#!/usr/bin/env node
// Runs on any Node that knows modules: what stands here must not use newer syntax than that, and imports nothing
// before the version is known to be new enough.
const WANTED = 24;
const running = process.versions.node;

if (Number(running.split('.')[0]) >= WANTED) {
  import('./doors/cli/main.ts').then(
    (cli) => cli.main(),
    (error) => {
      process.stderr.write('error[internal]: baton could not be loaded: ' + String(error) + '\ninstall it again\n');
      process.exitCode = 1;
    },
  );
} else {
  const message = 'baton needs Node ' + WANTED + ' or newer, and this is Node ' + running;
  const remedy = 'install a newer Node from https://nodejs.org and run the command again';
  if (process.argv.indexOf('--json') !== -1) {
    process.stdout.write(JSON.stringify({ ok: false, code: 'bad-config', error: message, remedy: remedy }) + '\n');
  }
  process.stderr.write('error[bad-config]: ' + message + '\n' + remedy + '\n');
  process.exitCode = 1;
}
