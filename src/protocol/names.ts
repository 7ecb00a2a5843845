/** Code points that HFS+ and APFS ignore in names: with them `.git` has many spellings. */
const IGNORED_BY_FILE_SYSTEMS = /[\u200C-\u200F\u202A-\u202E\u206A-\u206F\uFEFF]/g;

const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)$/;

/** `.git` and what NTFS takes for it: its short name, a stream of it, with dots or spaces behind. */
const GIT_DIRECTORY = /^(?:\.git|git~[0-9]+)[ .]*(?::|$)/;

/** Bytes that every usual file system allows a name, and a path below a workspace. */
const LONGEST_NAME = 255;
const LONGEST_PATH = 1024;

/**
 * Whether no checkout of a path could hold it on every usual file system: by a reserved name in it, or by its length
 * (a plain clone of a tree with such a path fails).
 */
export function isReservedPath(path: string): boolean {
  return isLonger(path, LONGEST_PATH) || path.split('/').some(isReservedName);
}

/** Whether a text takes more than so many bytes; a code unit takes three at most. */
function isLonger(text: string, bytes: number): boolean {
  return text.length * 3 > bytes && new TextEncoder().encode(text).length > bytes;
}

/** As nearly all names are, which every step asks for: only a device may be called so. */
const PLAIN = /^[\w-]+(?:\.[\w-]+)*$/;

/**
 * Whether one segment of a path is a name that some file system or git itself gives a meaning of its own
 * (protocol.md §11.6), or longer than one can hold: such a name may never come in from somebody else.
 */
export function isReservedName(segment: string): boolean {
  if (segment === '' || segment === '.' || segment === '..') return true;
  if (isLonger(segment, LONGEST_NAME)) return true;
  if (PLAIN.test(segment)) return DEVICE.test(stemOf(segment.toLowerCase()));
  if (/[/\\\p{Cc}]/u.test(segment) || /[ .]$/.test(segment)) return true;
  const folded = foldName(segment);
  return GIT_DIRECTORY.test(folded) || DEVICE.test(stemOf(folded).trimEnd());
}

function stemOf(name: string): string {
  const dot = name.indexOf('.');
  return dot === -1 ? name : name.slice(0, dot);
}

/** `.gitattributes`, `.gitmodules`, and what NTFS takes for them: short names, streams, dots or spaces behind. */
const STEERING = /^(?:\.git(?:attributes|modules)|git(?:att|mod)~[1-4]|gi(?:7d29|7eba)~[1-9])[ .]*(?::|$)/;

/** Files by which git changes how it treats the files beside them. */
export function steersGit(segment: string): boolean {
  return STEERING.test(foldName(segment));
}

/** What Baton and common editors name a file that they are writing, or keep beside one that is open. */
const SCRATCH = /^\.baton-tmp-|~$|^\.#|^#.*#$|^4913$|\.sw[a-p]x?$|\.tmp$|^\.goutputstream-/;

/** Whether a file of this name is on its way to another one: what comes and goes under it is nobody's edit. */
export const isScratchName = (segment: string): boolean => SCRATCH.test(segment);

/** What NTFS takes for `meta.json`; the Leader's other names are short enough to have no second one. */
const SHORT_RECORD = /^meta~[1-9]\.jso$/;

/** Whether a file system may take a name in a task's folder for the record, the specification, the inputs or late results. */
export function isLeadersName(segment: string): boolean {
  const [name = ''] = foldName(segment).split(':');
  return ['meta.json', 'spec.md', 'base', 'late'].includes(name) || SHORT_RECORD.test(name);
}

/** A name as file systems compare it that know no case. */
export function foldName(segment: string): string {
  return segment.replace(IGNORED_BY_FILE_SYSTEMS, '').toUpperCase().toLowerCase();
}

const KEPT = /[A-Za-z0-9_=+.-]/;

/**
 * A localpart as one segment of a file name or a ref: what neither may hold is percent-encoded (UTF-8), so that
 * different localparts never share a name. `decodeName` is its inverse.
 */
export function encodeName(localpart: string): string {
  const characters = Array.from(localpart);
  const encoded = characters.map((character, index) => {
    const dotted =
      character === '.' && (index === 0 || index === characters.length - 1 || characters[index - 1] === '.');
    const option = character === '-' && index === 0;
    return KEPT.test(character) && !dotted && !option ? character : percent(character);
  });
  const name = encoded.join('').replace(/\.(lock)$/i, '%2E$1');
  const [first = ''] = characters;
  return isReservedName(name) && KEPT.test(first) ? percent(first) + name.slice(1) : name;
}

/** `undefined` for what `encodeName` would have written otherwise: each localpart has exactly one name. */
export function decodeName(name: string): string | undefined {
  let localpart: string;
  try {
    localpart = decodeURIComponent(name);
  } catch {
    return undefined;
  }
  return localpart !== '' && encodeName(localpart) === name ? localpart : undefined;
}

function percent(character: string): string {
  return [...new TextEncoder().encode(character)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}
