import type { OutgoingMessage } from '../../ports-chat.ts';
import { markdownHtml, mentioning } from '../../protocol/html.ts';
import { clip } from '../../protocol/plain-text.ts';

/** Names the outbox's transaction inside the event, where any later process and any device finds it again. */
const TXN_KEY = 'dev.batond.txn';

/** Of a digest: the transactions that it says besides. */
const TXNS_KEY = 'dev.batond.txns';

/** A homeserver takes events of 64 KiB, which hold the text twice. */
const MAX_CHARACTERS = 8_000;
const MAX_BYTES = 56_000;

type Said = Pick<OutgoingMessage, 'text' | 'mentions' | 'txn' | 'parts'>;

/** A message in the three layers that wake whoever it mentions: text, HTML and metadata (protocol.md §13.1). */
export function messageContent(message: Said) {
  const { layers, html } = contentOf(wellFormed(message));
  const whole = { ...layers, ...html };
  return isSmall(whole) ? whole : layers;
}

/** Whether all of a message is said, in all its layers. */
export function fitsWhole(message: Said): boolean {
  const { text, ...rest } = wellFormed(message);
  if (clip(text, MAX_CHARACTERS) !== text) return false;
  const { layers, html } = contentOf({ text, ...rest });
  return isSmall({ ...layers, ...html });
}

/** Half of a pair of code units cannot be UTF-8: a homeserver fails over it, and so would every later message wait. */
function wellFormed({ text, parts, ...message }: Said): Said {
  return {
    ...message,
    text: text.toWellFormed(),
    ...(parts === undefined ? {} : { parts: parts.map((part) => ({ ...part, text: part.text.toWellFormed() })) }),
  };
}

function contentOf({ text, mentions, txn, parts }: Said) {
  const users = [...new Set(mentions)];
  // Each part names whom it mentions, and what one of them opens in Markdown ends with it.
  const body = parts === undefined ? mentioning(clip(text, MAX_CHARACTERS), users) : text;
  const formatted =
    parts === undefined
      ? markdownHtml(body, users)
      : parts.map((part) => markdownHtml(part.text, part.mentions)).join('');
  return {
    layers: {
      msgtype: 'm.text',
      body,
      'm.mentions': users.length === 0 ? {} : { user_ids: users },
      [TXN_KEY]: txn,
      ...(parts === undefined ? {} : { [TXNS_KEY]: parts.map((part) => part.txn) }),
    },
    html: { format: 'org.matrix.custom.html', formatted_body: formatted },
  };
}

function isSmall(content: object): boolean {
  return Buffer.byteLength(JSON.stringify(content)) <= MAX_BYTES;
}

/** Whether an event says a transaction, by itself or among others. */
export function saysTransaction(content: Readonly<Record<string, unknown>>, txn: string): boolean {
  const covered = content[TXNS_KEY];
  return content[TXN_KEY] === txn || (Array.isArray(covered) && covered.includes(txn));
}
