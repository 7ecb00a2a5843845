import type { App } from '../app-types.ts';
import { boardProjects } from '../doors/cli/board-data.ts';
import type { BoardNode } from '../doors/cli/board.ts';
import { clip, pad, printableLines } from '../doors/cli/text.ts';
import { call } from './calls.ts';
import { markerOf } from '../protocol/plan-types.ts';

/** Shows a plan while it is worked on. */
export interface Screen {
  say(sentence: string): void;
  show(projectId: string): Promise<void>;
  /** Leaves the last picture standing; what follows is written below it. */
  settle(): void;
}

export interface ScreenOptions {
  /** Redraw in place: the output is a terminal. */
  readonly live: boolean;
  readonly color: boolean;
  readonly columns: number;
  /** Lines of the terminal, where that is known: a picture that does not fit is not redrawn in place. */
  readonly rows: number;
  readonly write: (text: string) => void;
}

const COLOUR: Readonly<Record<string, number>> = {
  delegated: 33,
  completed: 32,
  blocked: 31,
  cancelled: 31,
  revision: 35,
};

/** Redraws in place on a terminal; in a pipe, a line for each node that changed. */
export function createScreen(app: App, { live, color, columns, rows, write }: ScreenOptions): Screen {
  const last = new Map<string, string>();
  let picture: readonly string[] = [];

  const lineOf = (node: BoardNode, projectId: string): string => {
    const doing = node.status === 'delegated' ? (node.task ?? '') : '';
    const cells = [pad(node.id.slice(projectId.length + 1), 8), pad(node.title, 38), pad(node.assignee, 5), doing];
    const line = clip(`[${markerOf(node.status)}] ${cells.join(' ')}`.trimEnd(), columns - 1);
    const paint = color ? COLOUR[node.status] : undefined;
    return paint === undefined ? line : `\u001b[${paint}m${line}\u001b[0m`;
  };
  const redraw = (sentence: string, lines: readonly string[]): void => {
    const up = picture.length === 0 ? '' : `\u001b[${picture.length}A\u001b[0J`;
    picture = lines;
    write(`${up}${sentence}${lines.map((line) => `${line}\n`).join('')}`);
  };

  return {
    say: (sentence) => redraw(`${sentence.split('\n').map(printableLines).join('\n')}\n`, picture),
    async show(projectId) {
      const [project] = boardProjects(await call(app, 'node', 'board', { projectId }));
      const lines = (project?.nodes ?? []).map((node) => ({ id: node.id, text: lineOf(node, projectId) }));
      const changed = lines.filter(({ id, text }) => last.get(id) !== text);
      if (changed.length === 0) return;
      for (const { id, text } of changed) last.set(id, text);
      if (live && lines.length < rows) {
        redraw(
          '',
          lines.map(({ text }) => text),
        );
      } else {
        write(changed.map(({ text }) => `${text}\n`).join(''));
      }
    },
    settle() {
      picture = [];
    },
  };
}
