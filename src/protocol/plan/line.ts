import { isReadableId } from '../ids.ts';
import type { NodeStatus, PlanNode } from '../plan-types.ts';
import { TASK_TYPES } from '../records/types.ts';

/** What a task line says; its place is known to whoever holds the document. */
export type NodeContent = Omit<PlanNode, 'line'>;

export interface LineFinding {
  readonly rule: string;
  readonly message: string;
  /** 1-based. */
  readonly column: number;
  readonly expected?: string;
}

export type LineReading =
  | {
      readonly kind: 'task';
      readonly node: NodeContent;
      /** The white space before the dash, kept by in-place edits. */
      readonly indent: string;
      readonly findings: readonly LineFinding[];
    }
  /** Not a task, but it looks like one; `findings` says what is missing. */
  | { readonly kind: 'suspect'; readonly findings: readonly LineFinding[] };

const MARKERS: ReadonlyMap<string, NodeStatus> = new Map([
  [' ', 'pending'],
  ['~', 'delegated'],
  ['x', 'completed'],
  ['X', 'completed'],
  ['!', 'blocked'],
  ['→', 'revision'],
]);

const EXPECTED = '- [ ] <id> — <title> (assigned: <worker>, depends: <id>)';
const KEY = /^(?:(assigned)(?:\s+to)?|(depends)(?:\s+on)?|(type)|(cancelled))\s*:/i;

/** Stands where a cancelled node gives no reason. */
export const NO_REASON = 'unspecified';

/**
 * Reads one line by the procedure of protocol.md Appendix A; `undefined` for ordinary text. The caller sees to it that
 * the line lies in the execution area and outside code, comments and quotes. Linear in the line's length.
 */
export function readTaskLine(line: string): LineReading | undefined {
  const text = line.trimStart();
  const indent = line.slice(0, line.length - text.length);
  if (!/^(?:[-+*]|\d{1,9}[.)])\s*\[/.test(text)) return undefined;
  const suspect = (rule: string, message: string, at: number): LineReading => ({
    kind: 'suspect',
    findings: [{ rule, message, column: indent.length + at + 1, expected: EXPECTED }],
  });

  const box = /^([-+*]|\d{1,9}[.)])(\s*)\[([^\]]{0,2})\](?=\s|$|[`*A-Za-z0-9_-])/u.exec(text);
  if (box === null) return undefined;
  const [head, bullet = '', gap = '', marker = ''] = box;
  const followedBySpace = /^(?:\s|$)/.test(text.slice(head.length, head.length + 1));
  const status = MARKERS.get(marker);
  if (bullet !== '-') {
    return followedBySpace ? suspect('plan-bullet', `a task line begins with "-", not "${bullet}"`, 0) : undefined;
  }
  if (gap === '') return followedBySpace ? suspect('plan-bullet', 'a space is missing after "-"', 1) : undefined;
  if (status === undefined) {
    return followedBySpace
      ? suspect('plan-marker', `unknown task marker [${marker}]`, bullet.length + gap.length)
      : undefined;
  }

  const id = readId(text, skipSpace(text, head.length));
  if (id === undefined) return suspect('plan-task-id', 'the task has no readable id', head.length);
  const separator = /:(?:\s+|$)|\s+(?:—|–|--|-)(?:\s+|$)/y;
  separator.lastIndex = id.end;
  if (!separator.test(text)) return suspect('plan-separator', `no " — " after the task id ${id.id}`, id.end);
  const rest = text.slice(separator.lastIndex).trimEnd();
  const at = (offset: number): number => indent.length + separator.lastIndex + offset + 1;
  return { kind: 'task', indent, ...readRest(id.id, status, rest, at) };
}

function skipSpace(text: string, from: number): number {
  const space = /\s*/y;
  space.lastIndex = from;
  space.test(text);
  return space.lastIndex;
}

function readId(text: string, from: number): { readonly id: string; readonly end: number } | undefined {
  const wrap = ['**', '`'].find((mark) => text.startsWith(mark, from)) ?? '';
  const run = /[A-Za-z0-9._-]+/y;
  run.lastIndex = from + wrap.length;
  const id = run.exec(text)?.[0].replace(/(?<!\.)\.+$/, '') ?? '';
  const end = from + wrap.length + id.length;
  if (!isReadableId(id) || !text.startsWith(wrap, end)) return undefined;
  return { id, end: end + wrap.length };
}

interface Rest {
  readonly node: NodeContent;
  readonly findings: readonly LineFinding[];
}

function readRest(id: string, status: NodeStatus, rest: string, at: (offset: number) => number): Rest {
  const open = rest.endsWith(')') ? partnerOf(rest) : undefined;
  const segments =
    open === undefined
      ? []
      : rest
          .slice(open + 1, -1)
          .split(/[,;]/)
          .map((segment) => segment.trim());
  if (open === undefined || !segments.some((segment) => KEY.test(segment))) {
    const node = { id, title: rest === '' ? id : rest, assignee: '', dependsOn: [], status };
    return { node, findings: trailingText(rest, at) };
  }
  const meta = readMeta(segments);
  const title = [rest.slice(0, open).trimEnd(), ...(meta.stray === '' ? [] : [`(${meta.stray})`])].join(' ').trim();
  const findings = meta.messages.map((message) => ({ rule: 'plan-meta', message, column: at(open) }));
  const type = meta.values.get('type') ?? '';
  if (type !== '' && !TASK_TYPES.some((known) => known === type)) {
    // It is kept, but no project goes on to testing or review by it.
    const message = `"type: ${type}" is none of ${TASK_TYPES.join(', ')}`;
    findings.push({ rule: 'plan-meta', message, column: at(open) });
  }
  const cancelled = status === 'blocked' ? meta.values.get('cancelled') : undefined;
  if (cancelled === undefined && meta.values.has('cancelled')) {
    findings.push({ rule: 'plan-meta', message: '"cancelled:" counts only on a line marked [!]', column: at(open) });
  }
  return { node: { id, title: title === '' ? id : title, ...nodeMeta(meta, status, cancelled) }, findings };
}

function nodeMeta(
  { values, dependsOn }: Meta,
  status: NodeStatus,
  cancelled: string | undefined,
): Pick<NodeContent, 'assignee' | 'dependsOn' | 'status' | 'type' | 'cancelled'> {
  const assignee = values.get('assigned') ?? '';
  const type = values.get('type') ?? '';
  return {
    assignee: assignee === '-' ? '' : assignee,
    dependsOn,
    status: cancelled === undefined ? status : 'cancelled',
    ...(type === '' ? {} : { type }),
    ...(cancelled === undefined ? {} : { cancelled: cancelled === '' ? NO_REASON : cancelled }),
  };
}

/** Offset of the `(` that belongs to the `)` at the end. */
function partnerOf(text: string): number | undefined {
  let depth = 0;
  for (let index = text.length - 1; index >= 0; index -= 1) {
    if (text[index] === ')') depth += 1;
    else if (text[index] === '(') depth -= 1;
    if (depth === 0) return index;
  }
  return undefined;
}

/** A meta group that is not at the end of its line is text of the title, which its author hardly meant. */
function trailingText(rest: string, at: (offset: number) => number): readonly LineFinding[] {
  const group = /[(,;]\s*(?:assigned(?:\s+to)?|depends(?:\s+on)?)\s*:/i.exec(rest);
  const close = group === null ? -1 : rest.indexOf(')', group.index);
  if (close === -1) return [];
  return [{ rule: 'plan-trailing-text', message: 'trailing text after task meta', column: at(close + 1) }];
}

interface Meta {
  readonly values: ReadonlyMap<string, string>;
  readonly dependsOn: readonly string[];
  /** What stands before the first key; it goes back into the title, so that it is not lost. */
  readonly stray: string;
  readonly messages: readonly string[];
}

/** protocol.md Appendix A, step 6, and features.md §7.7: keys in any order, a new key ends the value before it. */
function readMeta(segments: readonly string[]): Meta {
  const values = new Map<string, string>();
  const dependsOn = new Set<string>();
  const stray: string[] = [];
  const messages: string[] = [];
  let key: string | undefined;
  for (const segment of segments) {
    const found = KEY.exec(segment);
    const name = found
      ?.slice(1)
      .find((word) => word !== undefined)
      ?.toLowerCase();
    const value = found === null ? segment : segment.slice(found[0].length).trim();
    if (name !== undefined && values.has(name) && name !== 'depends') messages.push(`"${name}:" is given twice`);
    key = name ?? key;
    if (key === undefined) stray.push(segment);
    else if (key === 'depends') addDependency(value, dependsOn, messages);
    else if (name !== undefined) values.set(key, values.get(key) ?? value);
    else if (value !== '') values.set(key, `${values.get(key) ?? ''}, ${value}`);
  }
  return { values, dependsOn: [...dependsOn], stray: stray.join(', '), messages };
}

/** What is left of a value behind a comma, where a key would begin a value of its own. */
export function withoutKey(value: string): string {
  let left = value;
  for (let key = KEY.exec(left); key !== null; key = KEY.exec(left)) left = left.slice(key[0].length).trim();
  return left;
}

/** Whether what stands in `depends:` names nothing: empty, `-` or `none` (protocol.md §6.2). */
export function isNoDependency(id: string): boolean {
  return id === '' || id === '-' || id.toLowerCase() === 'none';
}

function addDependency(value: string, dependsOn: Set<string>, messages: string[]): void {
  const id = /^(`|\*\*)(.*)\1$/.exec(value)?.[2] ?? value;
  if (isNoDependency(id)) return;
  dependsOn.add(id);
  const readable: boolean = isReadableId(id);
  if (!readable) messages.push(`"${id}" is not a task id`);
}
