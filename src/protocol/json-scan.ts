/** Where a text stops being JSON, as an offset in UTF-16 units, and what could have stood there. */
export interface JsonFault {
  readonly offset: number;
  readonly expected: string;
}

export type JsonPath = readonly (string | number)[];

type Visit = (path: JsonPath, offset: number) => void;

type State = 'value' | 'first-item' | 'first-key' | 'key' | 'colon' | 'after';

interface Cursor {
  readonly text: string;
  readonly visit: Visit;
  /** The containers around the cursor; deep texts must not use up the stack. */
  readonly open: ('{' | '[')[];
  readonly path: (string | number)[];
  at: number;
  state: State;
}

const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;

const ESCAPE = /\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})/y;

const SPACE = /[ \t\n\r]*/y;

/** The first place where `text` is not JSON. Only asked for once `JSON.parse` has refused: it says no place of its own. */
export function findJsonFault(text: string): JsonFault | undefined {
  return scan(text, () => {});
}

/** The offset of the first key of the outermost object that stands there already, in a valid JSON text. */
export function findRepeatedKey(text: string): number | undefined {
  const seen = new Set<string | number>();
  let found: number | undefined;
  scan(text, ([name, ...below], offset) => {
    if (name === undefined || below.length > 0) return;
    if (seen.has(name)) found ??= offset;
    seen.add(name);
  });
  return found;
}

/** The offset of the key (or item) at `path` in a valid JSON text: the last one, as with `JSON.parse`. */
export function findJsonKey(text: string, path: JsonPath): number | undefined {
  let found: number | undefined;
  scan(text, (here, offset) => {
    if (here.length === path.length && here.every((part, index) => part === path[index])) found = offset;
  });
  return found;
}

function scan(text: string, visit: Visit): JsonFault | undefined {
  const cursor: Cursor = { text, visit, open: [], path: [], at: 0, state: 'value' };
  for (;;) {
    cursor.at = endOf(SPACE, text, cursor.at) ?? cursor.at;
    if (cursor.state === 'after' && cursor.open.length === 0) {
      return cursor.at === text.length ? undefined : { offset: cursor.at, expected: 'nothing after the last brace' };
    }
    const fault = STEPS[cursor.state](cursor);
    if (fault !== undefined) return fault;
  }
}

const STEPS: Readonly<Record<State, (cursor: Cursor) => JsonFault | undefined>> = {
  value,
  'first-item': (cursor) => (closes(cursor, ']') ? undefined : value(cursor)),
  key,
  'first-key': (cursor) => (closes(cursor, '}') ? undefined : key(cursor)),
  colon,
  after,
};

function value(cursor: Cursor): JsonFault | undefined {
  const { text, at, open, path } = cursor;
  if (open.at(-1) === '[') cursor.visit(path, at);
  const character = text[at];
  if (character === '{' || character === '[') {
    open.push(character);
    if (character === '[') path.push(0);
    cursor.at += 1;
    cursor.state = character === '{' ? 'first-key' : 'first-item';
    return undefined;
  }
  cursor.state = 'after';
  if (character === '"') return string(cursor);
  const end = endOf(SCALAR, text, at);
  if (end === undefined) return { offset: at, expected: 'a value' };
  cursor.at = end;
  return undefined;
}

function key(cursor: Cursor): JsonFault | undefined {
  const { text, at } = cursor;
  if (text[at] !== '"') return { offset: at, expected: 'a key in double quotes' };
  const fault = string(cursor);
  if (fault !== undefined) return fault;
  cursor.path.push(String(JSON.parse(text.slice(at, cursor.at))));
  cursor.visit(cursor.path, at);
  cursor.state = 'colon';
  return undefined;
}

function colon(cursor: Cursor): JsonFault | undefined {
  if (cursor.text[cursor.at] !== ':') return { offset: cursor.at, expected: '":"' };
  cursor.at += 1;
  cursor.state = 'value';
  return undefined;
}

function after(cursor: Cursor): JsonFault | undefined {
  const { text, at, open, path } = cursor;
  const inObject = open.at(-1) === '{';
  if (text[at] !== ',') {
    const closer = inObject ? '}' : ']';
    return closes(cursor, closer) ? undefined : { offset: at, expected: `"," or "${closer}"` };
  }
  cursor.at += 1;
  const last = path.pop();
  if (!inObject) path.push(Number(last) + 1);
  cursor.state = inObject ? 'key' : 'value';
  return undefined;
}

function closes(cursor: Cursor, closer: '}' | ']'): boolean {
  if (cursor.text[cursor.at] !== closer) return false;
  if (cursor.state !== 'first-key') cursor.path.pop();
  cursor.open.pop();
  cursor.at += 1;
  cursor.state = 'after';
  return true;
}

/** Moves behind the string at the cursor. */
function string(cursor: Cursor): JsonFault | undefined {
  const { text } = cursor;
  for (let at = cursor.at + 1; at < text.length;) {
    const character = text.charCodeAt(at);
    if (character === 0x22) {
      cursor.at = at + 1;
      return undefined;
    }
    if (character < 0x20) return { offset: at, expected: 'an escape for the control character' };
    const end = character === 0x5c ? endOf(ESCAPE, text, at) : at + 1;
    if (end === undefined) return { offset: at, expected: 'an escape such as \\n or \\u0041' };
    at = end;
  }
  return { offset: text.length, expected: 'a closing quote' };
}

function endOf(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
