import type { Envelope } from '../../app-types.ts';

/** How the fields of a call are typed on a command line: by their flags, or as the names of arguments. */
export type Names = Readonly<Record<string, string>>;

/**
 * A refusal in the words of the command line: what the protocol calls `payload.priority` was typed as `--priority`. Fields
 * that were typed under their own names, in `--payload`, are not among `names` and stay as they are.
 */
export function asTyped(envelope: Envelope, names: Names): Envelope {
  if (envelope.ok) return envelope;
  const { error, remedy } = envelope;
  return {
    ...envelope,
    ...(error === undefined ? {} : { error: inFlags(error, names) }),
    ...(typeof remedy === 'string' ? { remedy: inFlags(remedy, names) } : {}),
  };
}

/**
 * Besides `payload.NAME`, a name of two words stands for the field by itself (`choose another projectId`). A place in a list
 * whose entries are typed one by one says nothing; one that leads on into JSON does.
 */
function inFlags(text: string, names: Names): string {
  return text.replaceAll(/(payload\.)?\b(\w+)(\[\d+\](?!\.))?/g, (whole, path: string | undefined, name: string) => {
    const typed = Object.hasOwn(names, name) ? names[name] : undefined;
    return typed === undefined || (path === undefined && !/[A-Z]/.test(name)) ? whole : typed;
  });
}
