/** How many texts of one path keep their parsed form: the stored one and the one of a change set under decision. */
const KEPT_TEXTS = 2;

/** Parsed files by path and text, shared by the views of one tree so that an unchanged file is parsed once. */
export interface ParseCache {
  get<Value>(path: string, text: string, parse: () => Value): Value;
}

/** A cache that keeps the parsed forms of the two most recent texts of every path. */
export function createParseCache(): ParseCache {
  const kept = new Map<string, readonly { readonly text: string; readonly value: unknown }[]>();
  return {
    get<Value>(path: string, text: string, parse: () => Value): Value {
      const entries = kept.get(path) ?? [];
      const found = entries.find((entry) => entry.text === text);
      // A path is always parsed by the same parser, so its values have one type.
      if (found !== undefined) return found.value as Value;
      const value = parse();
      kept.set(path, [{ text, value }, ...entries].slice(0, KEPT_TEXTS));
      return value;
    },
  };
}
