import { absentMentions, markdownHtml } from '../../protocol/html.ts';
import { clip } from '../../protocol/plain-text.ts';

/** Names the outbox's transaction inside the event, where any later process and any device finds it again. */
export const TXN_KEY = 'dev.batond.txn';

/** A homeserver takes events of 64 KiB, which hold the text twice. */
const MAX_CHARACTERS = 8_000;
const MAX_BYTES = 56_000;

/** A message in the three layers that wake whoever it mentions: text, HTML and metadata (protocol.md §13.1). */
export function messageContent({
  text,
  mentions,
  txn,
}: {
  readonly text: string;
  readonly mentions: readonly string[];
  readonly txn: string;
}) {
  const users = [...new Set(mentions)];
  const shown = clip(text, MAX_CHARACTERS);
  const absent = absentMentions(shown, users);
  const body = absent.length === 0 ? shown : `${absent.join(' ')} ${shown}`;
  const layers = {
    msgtype: 'm.text',
    body,
    'm.mentions': users.length === 0 ? {} : { user_ids: users },
    [TXN_KEY]: txn,
  };
  const html = { format: 'org.matrix.custom.html', formatted_body: markdownHtml(body, users) };
  const whole = { ...layers, ...html };
  return Buffer.byteLength(JSON.stringify(whole)) <= MAX_BYTES ? whole : layers;
}
