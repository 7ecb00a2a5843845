import { stripVTControlCharacters } from 'node:util';
import type { App } from '../app-types.ts';
import { boardProjects } from '../doors/cli/board-data.ts';
import type { BoardNode } from '../doors/cli/board.ts';
import { call } from './calls.ts';

/** Shows a plan while it is worked on. */
export interface Screen {
  say(sentence: string): void;
  show(projectId: string): Promise<void>;
  /** Leaves the last picture standing; what follows is written below it. */
  settle(): void;
}

const MARKER: Readonly<Record<string, string>> = {
  pending: '[ ]',
  delegated: '[~]',
  completed: '[x]',
  blocked: '[!]',
  cancelled: '[!]',
  revision: '[→]',
};

const COLOUR: Readonly<Record<string, number>> = {
  delegated: 33,
  completed: 32,
  blocked: 31,
  cancelled: 31,
  revision: 35,
};

/** Redraws in place on a terminal; in a pipe, a line for each node that changed. */
export function createScreen(
  app: App,
  options: { live: boolean; color: boolean; write: (text: string) => void },
): Screen {
  const paint = (status: string, text: string): string =>
    options.color && COLOUR[status] !== undefined ? `\u001b[${COLOUR[status]}m${text}\u001b[0m` : text;
  const last = new Map<string, string>();
  let drawn = 0;

  const lineOf = (node: BoardNode, projectId: string): string => {
    const doing = node.status === 'delegated' ? (node.task ?? '') : (node.summary ?? '');
    const id = node.id.slice(projectId.length + 1);
    const line = `${MARKER[node.status] ?? '[?]'} ${id.padEnd(8)} ${node.title.padEnd(42)} ${node.assignee.padEnd(5)} ${doing}`;
    return paint(node.status, line.length > 118 ? `${line.slice(0, 117)}…` : line);
  };

  return {
    say(sentence) {
      this.settle();
      options.write(`${sentence}\n`);
    },
    async show(projectId) {
      const board = await call(app, 'node', 'board', { projectId });
      const [project] = boardProjects(board);
      const lines = (project?.nodes ?? []).map((node) => ({ id: node.id, text: lineOf(node, projectId) }));
      const changed = lines.filter(({ id, text }) => last.get(id) !== text);
      if (changed.length === 0) return;
      for (const { id, text } of lines) last.set(id, text);
      if (options.live) {
        const up = drawn === 0 ? '' : `\u001b[${drawn}A\u001b[0J`;
        options.write(`${up}${lines.map(({ text }) => text).join('\n')}\n`);
        drawn = lines.length;
      } else {
        options.write(`${changed.map(({ text }) => stripVTControlCharacters(text).trimEnd()).join('\n')}\n`);
      }
    },
    settle() {
      drawn = 0;
    },
  };
}
