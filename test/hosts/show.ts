import { parseArgs } from 'node:util';
import { textTable } from '../bench/numbers.ts';
import { setup as build } from '../support/program.ts';
import { bestTransport } from './git-host.ts';
import type { Transport } from './git-host.ts';
import { whyNoHosts } from './network.ts';
import { faultsOf, playThreeHosts } from './three-hosts.ts';
import type { Outcome } from './three-hosts.ts';

const USAGE = `npm run show:hosts -- [--over ssh|http]

Three nodes on three hosts (network namespaces) with a repository on a fourth; one is cut off and brought back.
Needs Linux and root. Without --over: ssh where /usr/sbin/sshd is installed (apt-get install openssh-server), else http.
`;

function wanted(): Transport {
  const { values } = parseArgs({ options: { over: { type: 'string', default: bestTransport() } } });
  if (values.over !== 'ssh' && values.over !== 'http') throw new TypeError(`--over ${values.over}: ssh or http`);
  return values.over;
}

async function main(): Promise<number> {
  let transport: Transport;
  try {
    transport = wanted();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const reason = whyNoHosts();
  if (reason !== undefined) {
    process.stderr.write(`three hosts cannot be made here: ${reason}\n`);
    return 1;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const start = performance.now();
  const tell = (sentence: string): void => {
    const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(5);
    process.stdout.write(`${seconds} s  ${sentence}\n`);
  };
  await build();
  const outcome = await playThreeHosts(transport, tell);
  const faults = faultsOf(outcome);
  const verdict = faults.length === 0 ? ['nothing is lost, and nothing was said twice'] : faults;
  process.stdout.write(`\n${tableOf(outcome)}\n\n${verdict.join('\n')}\n`);
  return faults.length === 0 ? 0 : 1;
}

function tableOf({ url, members, remoteTree }: Outcome): string {
  const head = ['host', 'address', 'tree of shared/', 'not committed', 'tasks completed', 'mentions heard', 'twice'];
  const rows = members.map(({ host, address, tree, unsaved, completed, owed, heard, twice }) => {
    const lines = unsaved === '' ? '0' : String(unsaved.split('\n').length);
    return [host, address, tree, lines, String(completed.length), `${heard.length} of ${owed}`, String(twice.length)];
  });
  return textTable([head, ...rows, ['store', url, remoteTree, '', '', '', '']]).join('\n');
}

process.exitCode = await main();
