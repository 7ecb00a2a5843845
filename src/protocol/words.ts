/**
 * The words of a list as people give them: several texts, and in each of them commas between the words. Blanks around a
 * word do not count, nor does what is said twice.
 */
export function wordsIn(texts: readonly string[]): string[] {
  const words = texts.flatMap((text) => text.split(',')).map((word) => word.trim());
  return [...new Set(words.filter((word) => word !== ''))];
}
