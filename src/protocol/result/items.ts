/** The text of a list item (`- `, `* `, `+ `, `1. `), or `undefined` when the line is none. */
export function itemText(line: string): string | undefined {
  return /^(?:[-*+]|\d{1,9}[.)])[ \t]+(.*)$/s.exec(line.trim())?.[1]?.trim();
}

/** Items that say "there is nothing here". */
export function saysNothing(item: string): boolean {
  return /^(?:|-|\(none\)|none\.?|n\/a\.?)$/i.test(item.trim());
}

/**
 * The path that a deliverable item means (protocol.md §7.2): out of a code span or a link, without the remark after a
 * dash. `exists` tells a file whose name holds ` - ` from a path with a remark. `''` when nothing is left.
 */
export function deliverablePath(item: string, exists: (path: string) => boolean = () => false): string {
  const text = item.trim().replace(/^\[[ xX]\][ \t]+/, '');
  const span = codeSpan(text);
  if (span !== undefined) return span;
  const link = /^\[([^\]]*)\]\(<?([^()<>]*(?:\([^()<>]*\)[^()<>]*)*)>?\)/.exec(text);
  if (link !== null) return linkedPath(link[1] ?? '', link[2] ?? '');
  if (exists(text)) return text;
  return /^(\S+) [-—] /.exec(`${text} `)?.[1] ?? text;
}

/** A path as an item that reads back as exactly this path; the plain form wherever it does. */
export function deliverableItem(path: string): string {
  const line = path.replaceAll(/[\r\n]+/g, ' ');
  if (deliverablePath(line) === line && !saysNothing(line)) return line;
  const longestRun = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longestRun + 1);
  const padding = line.startsWith('`') || line.endsWith('`') || isPadded(line) ? ' ' : '';
  return `${fence}${padding}${line}${padding}${fence}`;
}

function linkedPath(label: string, target: string): string {
  const plainLabel = codeSpan(label) ?? label;
  return !isShared(target) && isShared(plainLabel) ? plainLabel : target.trim();
}

function isShared(text: string): boolean {
  return /(?:^|\/)shared\//.test(text);
}

/** Content of the code span at the start, by CommonMark's rules; `undefined` when there is none. */
function codeSpan(text: string): string | undefined {
  const fence = /^`+/.exec(text)?.[0];
  if (fence === undefined) return undefined;
  for (const { 0: run, index } of text.slice(fence.length).matchAll(/`+/g)) {
    if (run.length !== fence.length) continue;
    const content = text.slice(fence.length, fence.length + index);
    return isPadded(content) ? content.slice(1, -1) : content;
  }
  return undefined;
}

function isPadded(text: string): boolean {
  return text.startsWith(' ') && text.endsWith(' ') && text.trim() !== '';
}
