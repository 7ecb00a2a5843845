import type { App, Envelope, ToolCall } from '../app-types.ts';
import { checkAnswer } from '../dialects/engine-check.ts';
import type { Advance } from '../dialects/engine-check.ts';
import { textsIn } from '../protocol/json.ts';
import { isLeading, parseRole } from '../protocol/roles.ts';

/** Calls an action of the task engine, as whoever acts. */
type Call = (call: Pick<ToolCall, 'tool' | 'action' | 'payload'>) => Promise<Envelope>;

/**
 * One check of everything, or of one task: counts a heartbeat, tells what is wrong, and where a Leader asks, takes the steps
 * that projects take by themselves. `role` is that of who acts.
 */
export async function checkTasks(
  call: Call,
  { role, id }: { readonly role: App['identity']['role']; readonly id?: string | undefined },
): Promise<Envelope> {
  const about = id === undefined ? {} : { id };
  const looked = await call({ tool: 'engine', action: 'check', payload: about });
  const acting = parseRole(role);
  const due = acting !== undefined && isLeading({ role: acting }) ? textsIn(looked['due']) : [];
  const advances: Advance[] = [];
  for (const project of due) {
    const answer = await call({ tool: 'engine', action: 'advance_project', payload: { projectId: project } });
    advances.push({ id: project, answer });
  }
  if (!looked.ok) return checkAnswer(looked, advances);
  // What the first look took in has steps of its own, and so have those that were due: the answer is about what they left.
  const left = await call({ tool: 'engine', action: 'check', payload: { ...about, count: false, settled: true } });
  return checkAnswer(left, advances);
}
