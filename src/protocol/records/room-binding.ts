import { z } from 'zod';
import type { Diagnostic } from '../diagnostic.ts';
import { hasErrors } from '../diagnostic.ts';
import { ROOM_BINDINGS, roomBindingPath } from '../paths.ts';
import { normaliseRoom } from '../rooms.ts';
import { mismatch, readRecord, renderRecord, respell, singleLine, spellingsOf, time, unknownPart } from './fields.ts';
import type { RecordShape } from './fields.ts';
import type { RoomBinding } from './types.ts';

const FIELDS = {
  schema: z.int(),
  project_id: z.string().min(1),
  room_id: z.string().refine((text) => normaliseRoom(text) !== undefined, 'expected a room id such as !room:server'),
  name: singleLine,
  topic: z.string(),
  source: z.string(),
  status: z.enum(['active', 'archived']),
  created_at: time,
  created_by: z.string(),
  archived_at: time,
} satisfies Record<Exclude<keyof RoomBinding, 'unknown'>, z.ZodType>;

const SPELLINGS = spellingsOf(Object.keys(FIELDS));

const SHAPE: RecordShape<typeof FIELDS> = {
  fields: FIELDS,
  required: ['project_id', 'room_id'],
  essential: ['project_id', 'room_id', 'status'],
  canonical: (raw) => respell(raw, SPELLINGS),
};

/** The name of a project's room, with the colon of full width by which it is known (protocol.md §10.21). */
export function taskRoomName(projectId: string): string {
  return `TASK：${projectId}`;
}

/**
 * The binding of a project's room (protocol.md §10.21); it stands in the place of its own project. No `binding` when
 * it is unclear which room whose project has; other defects are warnings.
 */
export function parseRoomBinding(
  text: string,
  file: string,
): { readonly binding?: RoomBinding; readonly diagnostics: readonly Diagnostic[] } {
  const { values, unknown, diagnostics } = readRecord(text, file, SHAPE);
  const { project_id: projectId, room_id: roomId } = values;
  if (hasErrors(diagnostics) || projectId === undefined || roomId === undefined) return { diagnostics };
  if (roomBindingPath(projectId) !== file) {
    const place = file.slice(ROOM_BINDINGS.length);
    return { diagnostics: [...diagnostics, mismatch(text, file, 'project_id', projectId, place)] };
  }
  const defaults = { schema: 1, name: taskRoomName(projectId), status: 'active' } as const;
  return {
    binding: {
      ...defaults,
      ...values,
      project_id: projectId,
      room_id: normaliseRoom(roomId) ?? roomId,
      ...unknownPart(unknown),
    },
    diagnostics,
  };
}

/** Schema order, then unknown keys (protocol.md §3). */
export function renderRoomBinding(binding: RoomBinding): string {
  return renderRecord(FIELDS, binding, binding.unknown);
}
