import { FlowError } from '../errors.ts';
import { indentOf } from '../lines.ts';
import { isSubLine, lineOwners } from './blocks.ts';
import { isReadable } from './document.ts';
import { readDocument } from './recent.ts';
import type { PlanDocument } from './document.ts';
import { replaceDag, replaceLoop, setLoopFields } from './edit.ts';
import { mergeTokens } from './merge-lines.ts';
import { mergeNodes, sameNode, threeWay } from './merge-nodes.ts';
import type { MergedNode } from './merge-nodes.ts';
import { historyIndexes, planOf } from './parse.ts';
import { fieldLine } from './render.ts';

export interface PlanMerge {
  readonly text: string;
  /** One sentence for each text or field that both sides changed and of which only the leader's is in the merge. */
  readonly conflicts: readonly string[];
}

interface Sides {
  readonly base: PlanDocument;
  readonly leader: PlanDocument;
  readonly other: PlanDocument;
}

const MAX_CONFLICTS = 20;

/**
 * Three-way merge of a plan (protocol.md §11.5): nodes by id, field lines by name, a history that both sides went on
 * with as a union, all else as lines of text. Never writes conflict markers. `base` is `''` when the sides have no
 * common text; line ends become LF where both sides changed.
 */
export function mergePlans(base: string, local: string, remote: string, leaderSide: 'local' | 'remote'): PlanMerge {
  if (local === remote || remote === base) return { text: local, conflicts: [] };
  if (local === base) return { text: remote, conflicts: [] };
  const [ours, theirs] = leaderSide === 'local' ? [local, remote] : [remote, local];
  const sides = { base: readDocument(base), leader: readDocument(ours), other: readDocument(theirs) };
  const unfit = unfitness(sides);
  if (unfit !== undefined)
    return { text: isDamaged(sides.leader) && !isDamaged(sides.other) ? theirs : ours, conflicts: [unfit] };

  const conflicts: string[] = [];
  const nodes = mergeNodes(sides.base, sides.leader, sides.other);
  const fields = mergeFields(sides, conflicts);
  const history = mergedHistory(sides);
  const [before = [], leader = [], other = []] = [sides.base, sides.leader, sides.other].map((document) =>
    tokensOf(document, history !== undefined),
  );
  for (const tokens of [mergeTokens(before, leader, other), leader]) {
    if (tokens === undefined) continue;
    const assembled = assemble(tokens, nodes, fields, [sides.leader, sides.other]);
    const text = history === undefined ? assembled : withHistory(assembled, history);
    if (holds(text, nodes)) return { text, conflicts: [...conflicts, ...lostTexts(sides, text)] };
  }
  // Structure that lines alone cannot carry: one side's document, or a new one, with the merged nodes.
  const kept = [...nodes.values()].map(({ node }) => node);
  const texts = [ours, theirs, ''].map((skeleton) => rewritten(skeleton, sides.leader, kept));
  const text = texts.find((candidate) => candidate !== undefined && holds(candidate, nodes)) ?? ours;
  return { text, conflicts: [...conflicts, ...lostTexts(sides, text)] };
}

/** Why the sides cannot be merged at all. */
function unfitness(sides: Sides): string | undefined {
  if (!Object.values(sides).every(isReadable)) return "a side is too large to be merged; the leader's is kept";
  if (!isDamaged(sides.leader) && !isDamaged(sides.other)) return undefined;
  return 'a side hides tasks behind code or a comment that is left open; nothing of it is merged';
}

/** The tasks of such a side were not removed, they only cannot be seen. */
function isDamaged({ diagnostics }: PlanDocument): boolean {
  return diagnostics.some(({ rule }) => rule === 'plan-unclosed');
}

/**
 * A document as tokens to compare: tasks by id and fields by name, so that a new marker or value is no change of text.
 * A blank line goes with the line above it, which keeps hundreds of equal lines apart.
 */
function tokensOf(document: PlanDocument, withoutHistory: boolean): readonly string[] {
  const special = new Map<number, string>();
  for (const { node, index, duplicate } of document.tasks) if (!duplicate) special.set(index, `n${node.id}`);
  for (const [name, { index }] of document.fields) special.set(index, `f${name}`);
  const left = new Set(withoutHistory ? historyIndexes(document) : []);
  let above = '';
  return document.lines.flatMap(({ text }, index) => {
    if (left.has(index)) return [];
    if (text.trim() === '') return [`b${text}\0${above}`];
    above = special.get(index) ?? `t${text}`;
    return [above];
  });
}

/** What one side wrote and the merge does not hold, so that the caller can keep it elsewhere. */
function lostTexts({ base, leader, other }: Sides, text: string): readonly string[] {
  const merged = new Set(text.split('\n'));
  const before = new Set(tokensOf(base, true));
  const lost = [leader, other].flatMap((document) =>
    tokensOf(document, true).filter(
      (token) => token.startsWith('t') && !before.has(token) && !merged.has(token.slice(1)),
    ),
  );
  return [...new Set(lost)]
    .slice(0, MAX_CONFLICTS)
    .map((token) => `not in the merged plan: ${token.slice(1, 200).trim()}`);
}

function mergeFields({ base, leader, other }: Sides, conflicts: string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const name of new Set([...leader.fields.keys(), ...other.fields.keys()])) {
    const [b, l, o] = [base, leader, other].map(({ fields }) => fields.get(name)?.value);
    if (l === undefined || o === undefined) {
      values.set(name, l ?? o ?? '');
      continue;
    }
    const value = threeWay(b, l, o, (ours, theirs) => {
      if (name === 'Iteration') return laterIteration(ours, theirs);
      conflicts.push(`${name} differs; the leader's side is kept`);
      return ours;
    });
    values.set(name, value);
  }
  return values;
}

/** Iterations only go forward; the bound is the leader's. */
function laterIteration(leader: string, other: string): string {
  const [current = 0, max = 1] = leader.split('/').map(Number);
  const [reached = 0] = other.split('/').map(Number);
  return reached > current ? `${Math.min(reached, max)} / ${max}` : leader;
}

interface OutLine {
  readonly text: string;
  readonly id?: string;
}

function assemble(
  tokens: readonly string[],
  nodes: ReadonlyMap<string, MergedNode>,
  fields: ReadonlyMap<string, string>,
  sources: readonly PlanDocument[],
): string {
  const out: OutLine[] = [];
  const seen = new Set<string>();
  for (const token of tokens) {
    const rest = token.slice(1);
    if (token.startsWith('t')) out.push({ text: rest });
    else if (token.startsWith('b')) out.push({ text: rest.slice(0, rest.indexOf('\0')) });
    else if (token.startsWith('f')) out.push({ text: fieldLine(rest, fields.get(rest) ?? '') });
    else {
      const merged = nodes.get(rest);
      if (merged === undefined || seen.has(rest)) continue;
      seen.add(rest);
      out.push({ text: merged.text, id: rest });
    }
  }
  for (const source of sources) insertMissing(out, seen, nodes, source);
  const text = out.map((line) => `${line.text}\n`).join('');
  const left = [...nodes.values()].filter(({ node }) => !seen.has(node.id)).map(({ node }) => node);
  return left.length === 0 ? text : (rewritten(text, readDocument(text), left) ?? text);
}

/** Tasks whose place in the text is gone stand behind the task that they followed in their own document. */
function insertMissing(
  out: OutLine[],
  seen: Set<string>,
  nodes: ReadonlyMap<string, MergedNode>,
  source: PlanDocument,
): void {
  const owners = [...lineOwners(source)].filter(([index, owner]) => isSubLine(source, index, owner));
  let previous: string | undefined;
  for (const { node } of source.tasks) {
    const merged = nodes.get(node.id);
    if (merged !== undefined && !seen.has(node.id)) {
      const at = placeAfter(out, previous);
      if (at === undefined) continue;
      const below = owners.filter(([, owner]) => owner.node.id === node.id);
      const lines = below.map(([index]) => ({ text: source.lines[index]?.text ?? '' }));
      out.splice(at, 0, { text: merged.text, id: node.id }, ...lines);
      seen.add(node.id);
    }
    if (seen.has(node.id)) previous = node.id;
  }
}

/** Behind the lines below that task; with no task before it, in front of the first. */
function placeAfter(out: readonly OutLine[], id: string | undefined): number | undefined {
  const at = out.findIndex((line) => line.id !== undefined && (id === undefined || line.id === id));
  if (at === -1 || id === undefined) return at === -1 ? undefined : at;
  const columns = indentOf(out[at]?.text ?? '');
  let end = at + 1;
  for (let line = out[end]; line !== undefined; line = out[end]) {
    if (line.id !== undefined || line.text.trim() === '' || indentOf(line.text) <= columns) break;
    end += 1;
  }
  return end;
}

/** The text with exactly these nodes, as the kind of plan that the document is; `undefined` where it would hide them. */
function rewritten(text: string, document: PlanDocument, nodes: readonly MergedNode['node'][]): string | undefined {
  const { loop } = planOf(document);
  try {
    return loop === undefined ? replaceDag(text, nodes) : replaceLoop(text, loop, nodes);
  } catch (error) {
    if (error instanceof FlowError && error.code === 'broken-file') return undefined;
    throw error;
  }
}

/** The union, when both sides have gone on; otherwise the text says it. */
function mergedHistory({ base, leader, other }: Sides): readonly string[] | undefined {
  const [before = [], ours = [], theirs = []] = [base, leader, other].map((document) => planOf(document).loop?.history);
  const changed = [ours, theirs].every((history) => history.length > 0 && history.join('\n') !== before.join('\n'));
  if (!changed) return undefined;
  return [...ours, ...theirs.filter((entry) => !before.includes(entry) && !ours.includes(entry))];
}

function withHistory(text: string, history: readonly string[]): string {
  return readDocument(text).kind === 'loop' ? setLoopFields(text, { history }) : text;
}

/** Whether a text says exactly these nodes. */
function holds(text: string, nodes: ReadonlyMap<string, MergedNode>): boolean {
  const found = planOf(readDocument(text)).nodes;
  return (
    found.length === nodes.size &&
    found.every((node) => {
      const merged = nodes.get(node.id);
      return merged !== undefined && sameNode(merged.node, node);
    })
  );
}
