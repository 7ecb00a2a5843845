import { z } from 'zod';
import type { Diagnostic } from '../diagnostic.ts';
import { parseJson } from '../json.ts';
import { isTime } from '../timestamps.ts';
import type { EventRecord } from './types.ts';

const EVENT = z.looseObject({
  id: z.string().min(1),
  ts: z.string().refine(isTime, 'expected an RFC 3339 time'),
  type: z.string().min(1),
  actor: z.looseObject({ id: z.string(), role: z.string() }),
  action: z.string().exactOptional(),
  subject: z
    .looseObject({
      kind: z.enum(['project', 'task', 'lane', 'agent', 'file']),
      id: z.string(),
      project_id: z.string().exactOptional(),
    })
    .exactOptional(),
  from: z.string().exactOptional(),
  to: z.string().exactOptional(),
  note: z.string().exactOptional(),
  data: z.record(z.string(), z.unknown()).exactOptional(),
});

/** One line of an event log (features.md §2.3), with its line end: logs are appended to and merged by lines. */
export function renderEventLine(event: EventRecord): string {
  const { id, ts, type, actor, ...rest } = event;
  return `${JSON.stringify({ id, ts, type, actor, ...rest })}\n`;
}

/** The events of a log, in order. A line that is no event is a diagnostic, and the others count. */
export function parseEventLines(
  text: string,
  file: string,
): { readonly events: readonly EventRecord[]; readonly diagnostics: readonly Diagnostic[] } {
  const events: EventRecord[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const [index, source] of text.split('\n').entries()) {
    if (source.trim() === '') continue;
    const place = { file, line: index + 1 };
    const parsed = parseJson(source, file);
    if ('diagnostic' in parsed) {
      diagnostics.push({ ...parsed.diagnostic, ...place });
      continue;
    }
    const result = EVENT.safeParse(parsed.value);
    if (result.success) events.push(result.data);
    else diagnostics.push({ ...invalidEvent(result.error), ...place, column: 1 });
  }
  return { events, diagnostics };
}

function invalidEvent({ issues: [issue] }: z.ZodError): Pick<Diagnostic, 'rule' | 'severity' | 'message'> {
  const path = issue?.path.join('.') ?? '';
  return {
    rule: 'event-invalid',
    severity: 'warning',
    message: `${path === '' ? 'the line' : path} is not valid: ${issue?.message ?? 'not an event'}`,
  };
}
