import { readFileSync } from 'node:fs';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import type { App } from '../../src/app-types.ts';

/**
 * A process of its own for every sample of P4, since the second plan in a process is parsed by code that has become
 * fast. `parser PLAN` times the Markdown parser alone; `baton WORKSPACE PROJECT` times `ready_nodes`.
 */
const [what, ...words] = process.argv.slice(2);

export interface ReadySample {
  /** Milliseconds of the first call, in a process that has just opened the workspace. */
  readonly first: number;
  /** Of further calls there. */
  readonly opened: readonly number[];
}

const timed = async (work: () => unknown): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

async function ofBaton(root: string, projectId: string): Promise<ReadySample> {
  const { openApp } = await import('../../src/app.ts');
  const quiet = (): void => undefined;
  const options = { root, env: process.env, log: { debug: quiet, info: quiet, warn: quiet, error: quiet } };
  const ask = async (app: App): Promise<void> => {
    const answer = await app.call({ tool: 'projectflow', action: 'ready_nodes', payload: { projectId } });
    if (!answer.ok) throw new Error(JSON.stringify(answer));
  };
  const again = async (app: App): Promise<readonly number[]> => {
    const values: number[] = [];
    for (let count = 0; count < 10; count += 1) values.push(await timed(() => ask(app)));
    return values;
  };
  const app = await openApp(options);
  const first = await timed(() => ask(app));
  const opened = await again(app);
  await app.close();
  return { first, opened };
}

async function ofParser(plan: string): Promise<number> {
  const text = readFileSync(plan, 'utf8');
  const parser = unified().use(remarkParse).freeze();
  return timed(() => parser.parse(text));
}

const [first = '', second = ''] = words;
const sample = what === 'parser' ? await ofParser(first) : await ofBaton(first, second);
process.stdout.write(JSON.stringify(sample));
