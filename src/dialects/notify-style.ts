import { inOneLine } from '../protocol/one-line.ts';

/** How a text for a chat is written: with Discord's marks, or without any. */
export type ChatStyle = 'discord' | 'plain';

/** Discord takes 2,000 characters; what is longer is cut at a line. */
const MOST_CHARACTERS = 1_900;

const EMOJI: Readonly<Record<string, string>> = {
  PLANNING: '📝',
  APPROVED: '✅',
  PENDING: '⏳',
  ASSIGNED: '📌',
  IN_PROGRESS: '🔨',
  TESTING: '🧪',
  REVIEW: '👀',
  COMPLETED: '🎉',
  DONE: '🎉',
  FAILED: '❌',
  REJECTED: '❌',
  BLOCKED: '🚧',
};

/** S002-30: what stands before an alert. */
export const ALERT_EMOJI = '🚨';

/** S002-30: a state with its emoji. */
export function stateText(state: string): string {
  const emoji = EMOJI[state];
  return emoji === undefined ? state : `${emoji} ${state}`;
}

/** What others have written: it mentions nobody, and marks nothing. */
export function quotedText(text: string, style: ChatStyle): string {
  const line = inOneLine(text).replaceAll('@', '＠');
  // An underscore inside a word marks nothing, and ids are read better without the escape.
  return style === 'plain'
    ? line
    : line.replaceAll(/[\\*~`|<>[\]#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, String.raw`\$&`);
}

export function bold(text: string, style: ChatStyle): string {
  return style === 'plain' ? text : `**${text}**`;
}

/** A command as it is typed. */
export function code(text: string, style: ChatStyle): string {
  const line = text.replaceAll(/\s+/g, ' ').replaceAll('@everyone', '＠everyone').replaceAll('@here', '＠here');
  return style === 'plain' || line.includes('`') ? line : `\`${line}\``;
}

/** The first lines that fit into one message, and how many are left out. */
export function fitting(lines: readonly string[], style: ChatStyle): string {
  const whole = lines.join('\n');
  if (style === 'plain' || whole.length <= MOST_CHARACTERS) return whole;
  const kept: string[] = [];
  let size = 0;
  for (const line of lines) {
    size += line.length + 1;
    if (size > MOST_CHARACTERS) break;
    kept.push(line);
  }
  return [...kept, `… ${lines.length - kept.length} more lines: baton check`].join('\n');
}
