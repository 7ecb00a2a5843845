import type { ListItem, Nodes, Parents, Table } from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { localpartOf } from './identity.ts';

/** Ids hold characters that mean something in Markdown, so each is stood for by a pair of these while it is parsed. */
const FIRST_MARK = 0xe000;
const END_MARK = '\uF8FF';
const MARK = /([\uE000-\uF8FE])\uF8FF/g;
/** Beyond these no text was written for people, and the parser's time grows with the square of it. */
const MAX_DEPTH = 64;
const MAX_DELIMITERS = 1_000;

const parser = unified().use(remarkParse).use(remarkGfm).freeze();

/**
 * Markdown as HTML for a chat client (protocol.md §13.1): no raw HTML, soft breaks as `<br>`, everything else escaped.
 * Paths below `shared/` are code. The first occurrence of each of `mentions` is a link that clients show as a pill; one
 * that does not occur is put in front. Links that would make a pill of anybody else are plain text. Never throws.
 */
export function markdownHtml(text: string, mentions: readonly string[]): string {
  const marked = markMentions(text, mentions);
  const unlinked = new Set(mentions);
  const html = isHostile(marked) ? textHtml(marked, mentions, unlinked) : renderHtml(marked, mentions, unlinked);
  const pills = [...unlinked].map((id) => `${pill(id)} `).join('');
  return html.startsWith('<p>') ? `<p>${pills}${html.slice('<p>'.length)}` : `${pills}${html}`;
}

/** The text, and before it those of these full Matrix ids that do not stand in it as whole words. */
export function mentioning(text: string, mentions: readonly string[]): string {
  const marked = markMentions(text, mentions);
  const absent = mentions.filter((_, index) => !marked.includes(markOf(index)));
  return absent.length === 0 ? text : `${absent.join(' ')} ${text}`;
}

function markMentions(text: string, mentions: readonly string[]): string {
  // Characters of private use say nothing to anybody; those of the text give way to the marks.
  let marked = text.replaceAll(/[\uE000-\uF8FF]/g, '\uFFFD');
  for (const [index, id] of mentions.entries()) {
    const literal = id.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
    const whole = new RegExp(`(?<![A-Za-z0-9._=+/-])${literal}(?![A-Za-z0-9_-]|[.:][A-Za-z0-9])`, 'gi');
    marked = marked.replaceAll(whole, markOf(index));
  }
  return marked;
}

function markOf(index: number): string {
  return String.fromCharCode(FIRST_MARK + index) + END_MARK;
}

function isHostile(text: string): boolean {
  const nests = text.split('\n').some((line) => (/^[\s>*+\-\d.)]*/.exec(line)?.[0].length ?? 0) > MAX_DEPTH);
  return nests || (text.match(/[*_~]+/g)?.length ?? 0) > MAX_DELIMITERS;
}

/** The whole text as one escaped paragraph. */
function textHtml(marked: string, mentions: readonly string[], unlinked: Set<string>): string {
  return `<p>${withPills(escapeHtml(marked), mentions, unlinked)}</p>`;
}

function renderHtml(marked: string, mentions: readonly string[], unlinked: Set<string>): string {
  const tree = parser.parse(marked);
  const targets = new Map(
    tree.children.flatMap((node) => (node.type === 'definition' ? [[node.identifier, node.url] as const] : [])),
  );

  const within = (node: Pick<Parents, 'children'>): string => node.children.map((child) => render(child)).join('');
  const wrapped = (tag: string, node: Pick<Parents, 'children'>): string => `<${tag}>${within(node)}</${tag}>`;
  const plain = (text: string): string => named(escapeHtml(text), mentions);
  const link = (url: string | undefined, node: Parents): string => {
    const inner = within(node);
    // A link within a link is no HTML.
    return url === undefined || !isLinkable(url) || inner.includes('<a ')
      ? inner
      : `<a href="${named(escapeHtml(url), mentions)}">${inner}</a>`;
  };
  const table = ({ children, align }: Table): string => {
    const rows = children.map((row, index) => {
      const tag = index === 0 ? 'th' : 'td';
      const cells = row.children.map((cell, column) => {
        const side = align?.[column];
        return `<${tag}${side === null || side === undefined ? '' : ` align="${side}"`}>${within(cell)}</${tag}>`;
      });
      return `<tr>${cells.join('')}</tr>`;
    });
    const [head = '', ...body] = rows;
    return `<table><thead>${head}</thead>${body.length === 0 ? '' : `<tbody>${body.join('')}</tbody>`}</table>`;
  };

  const item = ({ checked, spread, children }: ListItem, isLoose: boolean): string => {
    const box = checked === true ? '☑ ' : checked === false ? '☐ ' : '';
    const inner = children.map((child) =>
      child.type === 'paragraph' && !isLoose && spread !== true ? within(child) : render(child),
    );
    return `<li>${box}${inner.join('')}</li>`;
  };
  const renderers: Renderers = {
    root: within,
    paragraph: (node) => wrapped('p', node),
    heading: (node) => wrapped(`h${node.depth}`, node),
    thematicBreak: () => '<hr>',
    blockquote: (node) => wrapped('blockquote', node),
    list: ({ ordered, start, spread, children }) => {
      const from = ordered === true && typeof start === 'number' && start !== 1 ? ` start="${start}"` : '';
      const tag = ordered === true ? 'ol' : 'ul';
      return `<${tag}${from}>${children.map((child) => item(child, spread === true)).join('')}</${tag}>`;
    },
    code: ({ lang, value }) => {
      const language = /^[\w+#-]+$/.test(lang ?? '') ? ` class="language-${lang ?? ''}"` : '';
      return `<pre><code${language}>${plain(value)}\n</code></pre>`;
    },
    html: ({ value }) => plain(value),
    table,
    footnoteDefinition: (node) => wrapped('p', node),
    text: ({ value }) => withPills(withPaths(value), mentions, unlinked),
    emphasis: (node) => wrapped('em', node),
    strong: (node) => wrapped('strong', node),
    delete: (node) => wrapped('del', node),
    inlineCode: ({ value }) => `<code>${plain(value)}</code>`,
    break: () => '<br>',
    link: (node) => link(node.url, node),
    linkReference: (node) => link(targets.get(node.identifier), node),
    image: ({ alt }) => plain(alt ?? ''),
    imageReference: ({ alt }) => plain(alt ?? ''),
    footnoteReference: ({ identifier }) => plain(`[^${identifier}]`),
  };

  function render(node: Nodes): string {
    const renderer = renderers[node.type] as ((of: Nodes) => string) | undefined;
    return renderer?.(node) ?? '';
  }

  return render(tree);
}

/** What is not named here, such as the target of a reference, is not shown where it stands. */
type Renderers = { readonly [Node in Nodes as Node['type']]?: (node: Node) => string };

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** A file of the workspace, to the last character that is no punctuation. */
const PATH = /(?<![A-Za-z0-9._=+/@-])shared\/[A-Za-z0-9._=+/@&%#~-]*[A-Za-z0-9_]/g;

/** Escapes, and makes paths code: a client would take the end of `shared/tasks/t/spec.md` for the name of a website. */
function withPaths(text: string): string {
  let html = '';
  let done = 0;
  for (const { 0: path, index } of text.matchAll(PATH)) {
    html += `${escapeHtml(text.slice(done, index))}<code>${escapeHtml(path)}</code>`;
    done = index + path.length;
  }
  return html + escapeHtml(text.slice(done));
}

/** Marks become what they stand for; line ends, which Markdown calls soft, become breaks. */
function withPills(escaped: string, mentions: readonly string[], unlinked: Set<string>): string {
  const html = escaped.replaceAll(MARK, (mark, character: string) => {
    const id = mentions[character.charCodeAt(0) - FIRST_MARK];
    if (id === undefined) return mark;
    return unlinked.delete(id) ? pill(id) : escapeHtml(id);
  });
  return html.replaceAll('\n', '<br>');
}

/** Marks in code and addresses become the plain ids. */
function named(escaped: string, mentions: readonly string[]): string {
  return escaped.replaceAll(MARK, (mark, character: string) =>
    escapeHtml(mentions[character.charCodeAt(0) - FIRST_MARK] ?? mark),
  );
}

/** protocol.md §13.1, second layer. */
function pill(id: string): string {
  return `<a href="https://matrix.to/#/${encodeURIComponent(id)}">${escapeHtml(localpartOf(id))}</a>`;
}

function isLinkable(url: string): boolean {
  return /^(?:https?:\/\/|mailto:)/i.test(url) && !/matrix\.to|^mailto:.*@.*:/i.test(decoded(url));
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}
