import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { withSection } from '../docs/generated.ts';
import { must, openBench } from './bench.ts';
import type { Bench } from './bench.ts';
import { asLine, asMarkdown, asText, unmeasured } from './figure.ts';
import type { Figure } from './figure.ts';
import { limitOf, within } from './limit.ts';
import type { Limit } from './limit.ts';
import { measureP1, measureP2, measureP3 } from './measure-delegation.ts';
import { measureP9 } from './measure-launch.ts';
import { measureP4 } from './measure-plan.ts';
import { measureP12 } from './measure-quota.ts';
import { measureP5 } from './measure-start.ts';
import { measureP6 } from './measure-submit.ts';
import { measureP7 } from './measure-team.ts';

/** The figures in the order of their list, the time each may take, and what measures it. */
const MEASURES: readonly (readonly [id: string, seconds: number, measure: Measure])[] = [
  ['P1', 40, measureP1],
  ['P2', 90, measureP2],
  ['P3', 70, measureP3],
  ['P4', 45, measureP4],
  ['P5', 80, measureP5],
  ['P6', 75, measureP6],
  ['P7', 150, measureP7],
  ['P9', 25, measureP9],
  ['P12', 80, measureP12],
];

type Measure = (bench: Bench, limit: Limit) => Promise<readonly Figure[]>;

/** What a figure may take beyond its time to come to an end by itself; seconds. */
const GRACE = 20;

const USAGE = `npm run bench -- [P1 P3 …] [--json] [--small] [--strict] [--write]

  --json     one JSON document on standard output
  --small    few repetitions on small trees: whether it works, not how fast it is
  --strict   exit code 1 when a figure falls short
  --write    puts the table of a whole run into docs/performance.md
`;

interface Wanted {
  readonly ids: ReadonlySet<string>;
  readonly json: boolean;
  readonly small: boolean;
  readonly strict: boolean;
  readonly write: boolean;
}

function wanted(): Wanted {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      small: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const known = MEASURES.map(([id]) => id);
  const ids = positionals.map((id) => id.toUpperCase());
  const unknown = ids.filter((id) => !known.includes(id));
  if (unknown.length > 0) throw new TypeError(`${unknown.join(', ')}: the figures are ${known.join(', ')}`);
  const { json, small, strict, write } = values;
  if (write && (small || ids.length > 0))
    throw new TypeError('--write is for a whole run: leave out --small and the names of figures');
  return { ids: new Set(ids.length === 0 ? known : ids), json, small, strict, write };
}

async function main(): Promise<number> {
  let options: Wanted;
  try {
    options = wanted();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const figures: Figure[] = [];
  const before = loadavg();
  let place: string;
  {
    await using stack = new AsyncDisposableStack();
    const bench = await openBench(stack, { small: options.small, say });
    place = await machine(bench);
    for (const [id, seconds, measure] of MEASURES) {
      if (!options.ids.has(id)) continue;
      say(`${id} …`);
      const measured = await figuresOf(bench, id, seconds, measure);
      for (const figure of measured) say(asLine(figure));
      figures.push(...measured);
    }
  }
  const load = `load average ${before.map(rounded).join(' ')} at the start, ${loadavg().map(rounded).join(' ')} at the end`;
  const conditions = [place, load, ...(options.small ? ['small form: these times say nothing about speed'] : [])];
  if (options.json) process.stdout.write(`${JSON.stringify({ figures, conditions }, undefined, 2)}\n`);
  else process.stdout.write(`${[asText(figures), '', ...conditions].join('\n')}\n`);
  if (options.write) writeIntoDocs(figures, conditions);
  return options.strict && figures.some(({ ok }) => !ok) ? 1 : 0;
}

/** One that fails, or does not come to an end, is short, and the others are measured all the same. */
async function figuresOf(bench: Bench, id: string, seconds: number, measure: Measure): Promise<readonly Figure[]> {
  try {
    const figures = await within(measure(bench, limitOf(seconds)), (seconds + GRACE) * 1000);
    if (figures !== undefined) return figures;
    bench.endProcesses();
    return [unmeasured(id, 'did not come to an end', `nothing was measured within ${seconds + GRACE} s`)];
  } catch (error) {
    bench.endProcesses();
    return [unmeasured(id, 'failed', (error as Error).message)];
  }
}

const PAGE = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));

function writeIntoDocs(figures: readonly Figure[], conditions: readonly string[]): void {
  const table = `${asMarkdown(figures)}\n\n${conditions.map((line) => `- ${line}`).join('\n')}`;
  writeFileSync(PAGE, withSection(readFileSync(PAGE, 'utf8'), 'figures', table));
}

const rounded = (value: number): string => value.toFixed(1);

async function machine({ env, folder }: Bench): Promise<string> {
  const git = (await must('git', ['--version'], { cwd: folder, env })).replace('git version ', '');
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} × ${cpu?.model.trim() ?? 'unknown processor'}, ${memory} GB, ${process.platform} ${release()}, Node ${process.versions.node}, git ${git}`;
}

process.exitCode = await main();
