/** One word of a command line: names come from files that others write, and commands are copied into shells. */
export function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * What brings back a file or folder that was removed, out of the last commit that brought or changed something there; for a shell, in the workspace. As
 * a commit, since a Leader's node takes up no file of a Worker's that only lies there.
 */
export function bringBack(path: string): string {
  const place = word(path);
  return `\`git checkout "$(git log -1 --diff-filter=AM --format=%H HEAD -- ${place})" -- ${place} && git commit -m 'bring back' -- ${place}\``;
}
