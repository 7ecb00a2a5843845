import type { List, Paragraph, RootContent } from 'mdast';
import { RESULT_STATUSES } from '../records/types.ts';
import { deliverablePath, saysNothing } from './items.ts';
import { parseBlocks, visit } from './structure.ts';
import { inOneLine } from '../one-line.ts';

export interface LooseResult {
  /** As written; `undefined` when no line states one. */
  readonly status: { readonly value: string; readonly line: number; readonly column: number } | undefined;
  readonly summary: string;
  readonly deliverables: readonly string[];
  readonly notes: readonly string[];
}

interface Section {
  /** `''` before the first heading. */
  readonly title: string;
  readonly blocks: readonly RootContent[];
}

const STATUS_FIELD = /^[ \t]*(?:[-*+][ \t]+)?(?:\*\*)?status(?:\*\*)?[ \t]*[:：](?:\*\*)?[ \t]*(.+)$/is;
const FIELD = /^(?:\*\*[^*]+\*\*[ \t]*[:：]|\*\*[^*]+[:：]\*\*)/;

/** Reads the legacy form of protocol.md §7.3 (headings, a `**Status**:` field, lists). Never written. */
export function readLoose(head: string, exists?: (path: string) => boolean): LooseResult {
  const sections = sectionsOf(parseBlocks(head).children);
  const status = findStatus(sections, head);
  return {
    status,
    summary: findSummary(sections, status?.line),
    deliverables: itemsUnder(sections, 'deliverable').map((item) => cutContainerPath(deliverablePath(item, exists))),
    notes: itemsUnder(sections, 'note'),
  };
}

function sectionsOf(children: readonly RootContent[]): readonly Section[] {
  const sections: { title: string; blocks: RootContent[] }[] = [{ title: '', blocks: [] }];
  for (const child of children) {
    if (child.type === 'heading') sections.push({ title: textOf(child).replaceAll('*', '').trim(), blocks: [] });
    else sections.at(-1)?.blocks.push(child);
  }
  return sections;
}

function findStatus(sections: readonly Section[], head: string): LooseResult['status'] {
  const lines = head.split('\n');
  for (const { title, blocks } of sections) {
    const underStatusHeading = /^status\b/i.test(title);
    for (const [index, block] of blocks.entries()) {
      if ((block.type !== 'paragraph' && block.type !== 'list') || block.position === undefined) continue;
      const { start, end } = block.position;
      for (let number = start.line; number <= end.line; number += 1) {
        const line = lines[number - 1] ?? '';
        const bare = underStatusHeading && index === 0 && number === start.line ? line : undefined;
        const value = statusValue(STATUS_FIELD.exec(line)?.[1] ?? bare);
        if (value !== undefined) return { value, line: number, column: line.indexOf(value) + 1 };
      }
    }
  }
  return undefined;
}

/** A line that offers several tokens is a form to be filled in, not a status. */
function statusValue(written: string | undefined): string | undefined {
  if (written === undefined) return undefined;
  const choices = written.split('|').map((choice) => choice.replaceAll(/[*`]/g, '').trim());
  const tokens = choices.filter((choice) => (RESULT_STATUSES as readonly string[]).includes(choice.toUpperCase()));
  return tokens.length > 1 || choices[0] === '' ? undefined : choices[0];
}

function findSummary(sections: readonly Section[], statusLine: number | undefined): string {
  const summary = sections.find(({ title }) => /^summary/i.test(title));
  const written = (summary?.blocks ?? []).map((block) => {
    if (block.type === 'list') return listItems(block).join(' ');
    return block.type === 'paragraph' ? textOf(block) : '';
  });
  const text = inOneLine(written.join(' '));
  if (text !== '') return text;
  const prose = sections
    .flatMap(({ blocks }) => blocks.filter((block): block is Paragraph => block.type === 'paragraph'))
    .find((paragraph) => paragraph.position?.start.line !== statusLine && !FIELD.test(textOf(paragraph)));
  return prose === undefined ? '' : inOneLine(textOf(prose));
}

function itemsUnder(sections: readonly Section[], word: string): readonly string[] {
  return sections
    .filter(({ title }) => title.toLowerCase().startsWith(word))
    .flatMap(({ blocks }) => blocks.flatMap((block) => (block.type === 'list' ? listItems(block) : [])))
    .filter((item) => !saysNothing(item));
}

/** The first paragraph of every item, nested ones included. */
function listItems(list: List): readonly string[] {
  const items: string[] = [];
  visit(list, (node) => {
    if (node.type !== 'listItem') return;
    const [first] = node.children;
    if (first?.type === 'paragraph') items.push(inOneLine(textOf(first)));
  });
  return items;
}

function textOf(node: RootContent): string {
  let text = '';
  visit(node, (inner) => {
    if (inner.type === 'text') text += inner.value;
    if (inner.type === 'break') text += '\n';
  });
  return text;
}

/** Deliverables of a container name its own mount point; only the shared part means the same everywhere. */
function cutContainerPath(path: string): string {
  return path.startsWith('/') ? path.replace(/^.*?(?=shared\/tasks\/)/s, '') : path;
}
