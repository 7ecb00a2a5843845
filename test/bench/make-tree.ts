import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeTree } from './tree.ts';

/** `npm run bench:tree -- DIR`: a team's repository of any size, to try things on. */
const USAGE = 'npm run bench:tree -- DIR [--tasks 20000] [--projects 200] [--workers 20]\n';

const count = (text: string): number => {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new TypeError(`${text} is not a number from 1 on`);
  return Number(text);
};

async function main(): Promise<number> {
  let dir: string;
  let size: { tasks: number; projects: number; workers: number };
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        tasks: { type: 'string', default: '20000' },
        projects: { type: 'string', default: '200' },
        workers: { type: 'string', default: '20' },
      },
    });
    const [given, ...more] = positionals;
    if (given === undefined || more.length > 0) throw new TypeError('name one folder');
    dir = resolve(given);
    size = { tasks: count(values.tasks), projects: count(values.projects), workers: count(values.workers) };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  if (existsSync(dir) && readdirSync(dir).length > 0) {
    process.stderr.write(`${dir} is there already and not empty: name a new folder\n`);
    return 1;
  }
  const start = performance.now();
  await makeTree(dir, size, process.env);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(
    `${dir}: a bare repository with ${size.tasks} tasks in ${size.projects} projects, in ${seconds} s\n` +
      `join it with \`baton init lead --role leader --as lead --remote ${dir}\`\n`,
  );
  return 0;
}

process.exitCode = await main();
