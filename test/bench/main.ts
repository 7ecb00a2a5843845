import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { withSection } from '../docs/generated.ts';
import { must, openBench, partOf } from './bench.ts';
import type { Bench } from './bench.ts';
import { asLine, asMarkdown, asText, unmeasured } from './figure.ts';
import type { Figure } from './figure.ts';
import { growthAsMarkdown, growthAsText, shapesOf } from './growth-shape.ts';
import { AXIS_NAMES, growthBase, measureGrowth } from './growth.ts';
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
  ['P5', 240, measureP5],
  ['P6', 150, measureP6],
  ['P7', 450, measureP7],
  ['P9', 45, measureP9],
  ['P12', 80, measureP12],
];

type Measure = (bench: Bench, limit: Limit) => Promise<readonly Figure[]>;

/** What a figure may take beyond its time to come to an end by itself; seconds. */
const GRACE = 20;

const USAGE = `npm run bench -- [P1 P3 …] [--json] [--small] [--strict] [--write]
npm run bench -- --growth [tasks workers plan round-trip] [--json] [--small] [--write]

  --growth   how the cost of a step grows, beside a plain script and scripts on one shared branch
  --json     one JSON document on standard output
  --small    few repetitions on small trees: whether it works, not how fast it is
  --strict   exit code 1 when a figure falls short
  --write    puts the tables of a whole run into docs/performance.md
`;

interface Wanted {
  readonly growth: boolean;
  /** Figures, or what grows. */
  readonly names: ReadonlySet<string>;
  readonly json: boolean;
  readonly small: boolean;
  readonly strict: boolean;
  readonly write: boolean;
}

function wanted(): Wanted {
  const option = { type: 'boolean', default: false } as const;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { growth: option, json: option, small: option, strict: option, write: option },
  });
  const { growth, small, strict, write } = values;
  const known = growth ? AXIS_NAMES : MEASURES.map(([id]) => id);
  const names = positionals.map((name) => (growth ? name.toLowerCase() : name.toUpperCase()));
  const unknown = names.filter((name) => !known.includes(name));
  const kind = growth ? 'what can grow is' : 'the figures are';
  if (unknown.length > 0) throw new TypeError(`${unknown.join(', ')}: ${kind} ${known.join(', ')}`);
  if (growth && strict) throw new TypeError('--strict is for figures: nothing of a growth can fall short');
  if (write && (small || names.length > 0))
    throw new TypeError('--write is for a whole run: leave out --small and all names');
  return { ...values, names: new Set(names.length === 0 ? known : names) };
}

/** What a run brings: a document, the same as text and as a section of the page, and whether anything is short. */
interface Outcome {
  readonly document: object;
  readonly text: string;
  readonly section: readonly [name: string, content: string];
  readonly short: boolean;
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
  const before = loadavg();
  let place: string;
  let outcome: Outcome;
  {
    await using stack = new AsyncDisposableStack();
    const bench = await openBench(stack, { small: options.small, say });
    place = await machine(bench);
    outcome = options.growth ? await growthOf(bench, options.names) : await figuresAsked(bench, options.names);
  }
  const load = `load average ${before.map(rounded).join(' ')} at the start, ${loadavg().map(rounded).join(' ')} at the end`;
  const conditions = [place, load, ...(options.small ? ['small form: these times say nothing about speed'] : [])];
  if (options.json) process.stdout.write(`${JSON.stringify({ ...outcome.document, conditions }, undefined, 2)}\n`);
  else process.stdout.write(`${[outcome.text, '', ...conditions].join('\n')}\n`);
  if (options.write) writeIntoDocs(outcome.section, conditions);
  return options.strict && outcome.short ? 1 : 0;
}

async function figuresAsked(bench: Bench, names: ReadonlySet<string>): Promise<Outcome> {
  const figures: Figure[] = [];
  for (const [id, seconds, measure] of MEASURES) {
    if (!names.has(id)) continue;
    bench.say(`${id} …`);
    const measured = await figuresOf(bench, id, seconds, measure);
    for (const figure of measured) bench.say(asLine(figure));
    figures.push(...measured);
  }
  const short = figures.some(({ ok }) => !ok);
  return { document: { figures }, text: asText(figures), section: ['figures', asMarkdown(figures)], short };
}

async function growthOf(bench: Bench, names: ReadonlySet<string>): Promise<Outcome> {
  const growth = await measureGrowth(bench, names);
  const base = growthBase(bench);
  const document = { growth: growth.map((one) => ({ ...one, shapes: shapesOf(one) })), base };
  const text = [...growth.map(growthAsText), base].join('\n\n');
  const section = [...growth.map(growthAsMarkdown), `- ${base}`].join('\n\n');
  return { document, text, section: ['growth', section], short: false };
}

/** One that fails, or does not come to an end, is short, and the others are measured all the same. */
async function figuresOf(bench: Bench, id: string, seconds: number, measure: Measure): Promise<readonly Figure[]> {
  const { part, close } = partOf(bench);
  try {
    const figures = await within(measure(part, limitOf(seconds)), (seconds + GRACE) * 1000);
    if (figures !== undefined) return figures;
    close();
    return [unmeasured(id, 'did not come to an end', `nothing was measured within ${seconds + GRACE} s`)];
  } catch (error) {
    close();
    return [unmeasured(id, 'failed', (error as Error).message)];
  }
}

const PAGE = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));

function writeIntoDocs([name, content]: Outcome['section'], conditions: readonly string[]): void {
  const section = `${content}\n\n${conditions.map((line) => `- ${line}`).join('\n')}`;
  writeFileSync(PAGE, withSection(readFileSync(PAGE, 'utf8'), name, section));
}

const rounded = (value: number): string => value.toFixed(1);

async function machine({ env, folder }: Bench): Promise<string> {
  const git = (await must('git', ['--version'], { cwd: folder, env })).replace('git version ', '');
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} × ${cpu?.model.trim() ?? 'unknown processor'}, ${memory} GB, ${process.platform} ${release()}, Node ${process.versions.node}, git ${git}`;
}

process.exitCode = await main();
