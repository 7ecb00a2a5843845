#!/usr/bin/env node
// Runs on any Node that knows modules: what stands here must not use newer syntax than that, and nothing is imported
// before the version is known to be new enough.
const WANTED = 24;
const running = process.versions.node;

async function start(): Promise<void> {
  const { enableCompileCache } = await import('node:module');
  // Most of a short command's time goes into compiling the same modules again.
  enableCompileCache();
  if (process.argv.length === 3 && process.argv[2] === '--version') {
    const { versionOf } = await import('./doors/version.ts');
    process.stdout.write(versionOf() + '\n');
    return;
  }
  const { main } = await import('./doors/cli/main.ts');
  await main();
}

if (Number(running.split('.')[0]) >= WANTED) {
  start().catch((error) => {
    process.stderr.write('error[internal]: baton could not start: ' + String(error) + '\ninstall it again\n');
    process.exitCode = 1;
  });
} else {
  const message = 'baton needs Node ' + WANTED + ' or newer, and this is Node ' + running;
  const remedy = 'install a newer Node from https://nodejs.org and run the command again';
  if (process.argv.indexOf('--json') !== -1) {
    process.stdout.write(JSON.stringify({ ok: false, code: 'bad-config', error: message, remedy: remedy }) + '\n');
  }
  process.stderr.write('error[bad-config]: ' + message + '\n' + remedy + '\n');
  process.exitCode = 1;
}
