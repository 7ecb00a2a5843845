const NO_REPLY = 'NO_REPLY';

/**
 * Words of others (titles, summaries, questions) as one line that wakes nobody, says nothing to the machinery and
 * cannot reorder what stands around it (protocol.md §13.1, §13.4). `max` counts characters; longer text ends in `…`.
 */
export function plainText(text: string, max = Number.POSITIVE_INFINITY): string {
  return clip(withoutMentions(oneLine(withoutNoReply(text))), max);
}

/** Words of others as one line, for a log: without control characters and without what turns the text around it. */
export function oneLine(text: string, max = Number.POSITIVE_INFINITY): string {
  const line = text
    // Half of a pair of code units, as a cut in an emoji leaves it, is no text for whoever reads UTF-8.
    .toWellFormed()
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    // Embedding, override and isolate marks of bidirectional text.
    .replaceAll(/[\u202A-\u202E\u2066-\u2069]/g, '')
    .trim();
  return clip(line, max);
}

/** Cuts to `max` code points, the ellipsis not counted. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  const points = Array.from(text);
  return points.length <= max ? text : `${points.slice(0, max).join('').trimEnd()}…`;
}

/** Text with every `NO_REPLY` taken out, also those that only meet once another is gone; linear in its length. */
export function withoutNoReply(text: string): string {
  if (!text.includes(NO_REPLY)) return text;
  const kept: string[] = [];
  for (const unit of text.split('')) {
    kept.push(unit);
    if (unit === 'Y' && kept.slice(-NO_REPLY.length).join('') === NO_REPLY) kept.length -= NO_REPLY.length;
  }
  return kept.join('');
}

/** The full-width sign reads the same and is no mention in any client. */
function withoutMentions(text: string): string {
  return text.replaceAll('@', '＠').replaceAll(/(matrix\.to\/#\/)%40/gi, '$1＠');
}
