/** Beyond this a message is old; milliseconds. */
const LATE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * A message that is said late says how late (protocol.md §13). The line ends its first paragraph, in which the other
 * facts stand, so that nothing behind it is taken apart: a preview, a list, a fence. What people wrote themselves keeps
 * its shape and gets the line as its end; before a rule, as reports begin with, it stands by itself. `age` is in
 * milliseconds.
 */
export function withDelay(text: string, age: number, { own = false } = {}): string {
  if (age <= LATE) return text;
  const line = `- Delayed: ${ageText(age)}`;
  if (text.startsWith('---')) return `${line}\n\n${text}`;
  if (own) return `${text.trimEnd()}\n\n${line}`;
  const end = text.indexOf('\n\n');
  return end < 0 ? `${text.trimEnd()}\n${line}` : `${text.slice(0, end)}\n${line}${text.slice(end)}`;
}

function ageText(age: number): string {
  if (age < HOUR) return `${Math.floor(age / 60_000)} min`;
  return age < 2 * DAY ? `${Math.floor(age / HOUR)} h` : `${Math.floor(age / DAY)} d`;
}
