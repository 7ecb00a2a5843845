/** One word of a command line: names come from files that others write, and commands are copied into shells. */
export function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** What brings back a file or folder that was removed, out of the commit before; for a shell, in the workspace. */
export function checkoutOf(path: string): string {
  return `\`git checkout "$(git rev-list -1 HEAD -- ${word(path)})~" -- ${word(path)}\``;
}
