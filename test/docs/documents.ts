import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Nodes } from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** A fenced block: ```` ```<lang> <meta> ````. */
export interface Block {
  readonly lang: string;
  /** What stands behind the language, trimmed. */
  readonly meta: string;
  readonly text: string;
  /** 1-based line of the fence. */
  readonly line: number;
}

export interface Document {
  /** Relative to the checkout. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Targets of links and images, as written. */
  readonly links: readonly string[];
  /** Code spans, in order. */
  readonly spans: readonly string[];
}

/** README.md and every page below docs/. */
export function documentPaths(): readonly string[] {
  const pages = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
  return ['README.md', ...pages.filter((name) => name.endsWith('.md')).map((name) => join('docs', name))].sort();
}

export function readDocument(path: string): Document {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const blocks: Block[] = [];
  const links: string[] = [];
  const spans: string[] = [];
  const visit = (node: Nodes): void => {
    if (node.type === 'code') {
      const { lang, meta, value, position } = node;
      blocks.push({ lang: lang ?? '', meta: (meta ?? '').trim(), text: value, line: position?.start.line ?? 0 });
    }
    if (node.type === 'link' || node.type === 'image' || node.type === 'definition') links.push(node.url);
    if (node.type === 'inlineCode') spans.push(node.value);
    if (node.type === 'html')
      links.push(...[...node.value.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url));
    if ('children' in node) for (const child of node.children) visit(child);
  };
  visit(unified().use(remarkParse).use(remarkGfm).parse(text));
  return { path, text, blocks, links, spans };
}
