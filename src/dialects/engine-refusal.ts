import { subtaskOfNode } from '../protocol/ids.ts';
import { HAND_EVENTS, pairOf, refusalText, wayOn } from '../protocol/pair.ts';
import type { TaskStatus } from '../protocol/records/types.ts';
import { subtaskWord } from '../protocol/work/words.ts';
import type { Envelope } from './taskflow.ts';

/** How a command of the task engine calls states and events. */
interface Words {
  readonly state: (state: string) => string;
  /** What is typed for an event of the tables; `undefined` where this command takes none. */
  readonly event: (event: string) => string | undefined;
  /** What is said of a state after which nothing follows. */
  readonly final: (state: string, id: string) => string;
}

/** What a refusal is told of: the task, the event as it was asked for, and the words of the command. */
export interface Asked {
  readonly id?: string;
  readonly event?: string;
  readonly words?: Words;
}

/** Of a state as events tell it: a status, or the phase of an active project. */
export function wordOfState(state: string): string {
  return state === 'paused' ? 'BLOCKED' : state === 'active' ? 'APPROVED' : state.toUpperCase();
}

/** `baton transition`, and `baton dispatch`, which waits for one of its steps. */
export const TASK_WORDS: Words = {
  state: wordOfState,
  event: (event) => HAND_EVENTS.find((known) => known === event),
  final: (state) => `${wordOfState(state)} is final`,
};

/** What `baton subtask` takes for each event of the table of tasks. */
const SUBTASK_EVENTS: Readonly<Record<string, string>> = {
  prepare: 'assign',
  redelegate: 'assign',
  ack: 'start',
  progress: 'start',
  submit: 'done',
  // What waits for its acceptance is accepted by a Leader's `done` (features.md §3.1, compound events).
  accept: 'done',
  block: 'block',
  unblock: 'unblock',
  fail: 'fail',
  supersede: 'hand-over',
  takeback: 'take-back',
};

/** `baton subtask`. */
export const SUBTASK_WORDS: Words = {
  state: (state) => subtaskWord(state as TaskStatus) ?? state.toUpperCase(),
  event: (event) => SUBTASK_EVENTS[event],
  final: (state, id) => {
    const shown = SUBTASK_WORDS.state(state);
    // FAILED stands for several states, of which only `failed` goes on.
    const which = shown === 'FAILED' ? ` (${state})` : '';
    return `${shown}${which} is final: \`baton dispatch ${id} TITLE --agent NAME\` plans what is left to do`;
  },
};

/** S002-36: the texts of refusals that callers of the task engine know, with remedies in words that it takes. */
export function refusedAnswer(envelope: Envelope, asked: Asked): Envelope {
  const { tool: _tool, action: _action, error = '', ...rest } = envelope;
  return { ...rest, error: textOf(envelope, error, asked), ...wayOnOf(envelope, asked) };
}

/**
 * A step of a subtask whose name is none of `baton subtask`'s words: refused as one that the table does not hold (S002-09),
 * by what `engine next_steps` answers of the subtask.
 */
export function unknownStepAnswer(next: Envelope, id: string, event: string): Envelope {
  const asked = { id, event, words: SUBTASK_WORDS };
  if (!next.ok) return refusedAnswer(next, asked);
  const { task_id: taskId, status: state } = next['task'] as Readonly<Record<string, unknown>>;
  const error = refusalText(word(state), event);
  const code = 'illegal-transition';
  return refusedAnswer({ ok: false, code, error, taskId, state, event, legal: next['steps'] }, asked);
}

const NOT_TERMINAL = 'Cannot archive: not terminal';

function textOf({ code, ...rest }: Envelope, error: string, asked: Asked): string {
  const missing = /^(?:project|task) not found(?: in project graph)?: (\S+)/.exec(error)?.[1];
  if (code === 'not-found' && missing !== undefined) return `Task ${missing} not found`;
  if (error.startsWith(NOT_TERMINAL)) return NOT_TERMINAL;
  const id = asked.id ?? word(rest['projectId']);
  if (code === 'blocked-by-deps') return `Dependency not DONE: ${openIn(error, id)}`;
  if (code === 'invalid-argument') return asTyped(error, id);
  const pair = pairOf(error, rest);
  if (pair === undefined) return error;
  const { state, event, because } = pair;
  return refusalText((asked.words ?? TASK_WORDS).state(state), asked.event ?? event, because);
}

/** What to do, where the words of the tables or of the protocol are none of this command's. */
function wayOnOf(
  { code, legal, state, error = '', ...rest }: Envelope,
  { id = '', words = TASK_WORDS }: Asked,
): { readonly remedy?: string; readonly legal?: readonly string[] } {
  if (typeof state === 'string' && Array.isArray(legal)) {
    const typed = legal.map((event) => words.event(String(event))).filter((event) => event !== undefined);
    const choices = [...new Set(typed)];
    return { remedy: wayOn(words.state(state), choices, words.final(state, id)), legal: choices };
  }
  if (id === '') return {};
  if (code === 'blocked-by-deps') {
    const open = openIn(error, id).includes(', ') ? 'these are' : 'that is';
    return { remedy: `once ${open} done: baton subtask ${id} ${subtaskOfNode(id, word(rest['taskId']))} assign` };
  }
  if (code === 'paused') return { remedy: `baton transition ${id} unblock` };
  // What is archived, or another task's, has a remedy of its own.
  const missing = code === 'not-found' && rest['remedy'] === undefined && word(rest['taskId']).startsWith(`${id}-`);
  if (missing || (code === 'invalid-argument' && GRAPH.test(error))) {
    return { remedy: `\`baton status ${id}\` shows its subtasks` };
  }
  return {};
}

/** Of a subtask whose dependencies cannot be. */
const GRAPH = / names unknown tasks: |^cycle in task graph: /;

/** Nodes of the task under the names of subtasks. */
function asTyped(text: string, id: string): string {
  return text.replaceAll(/[\w-]+/g, (name) => subtaskOfNode(id, name));
}

function openIn(error: string, projectId: string): string {
  const ids = error.slice(error.indexOf(': ') + 2).split(', ');
  return ids.map((nodeId) => subtaskOfNode(projectId, nodeId)).join(', ');
}

function word(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
