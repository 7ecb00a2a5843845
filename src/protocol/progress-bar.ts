const CELLS = 10;

/** `[████░░░░░░] 40%`: ten cells, of which as many are full as there are whole tenths (S002-29). */
export function progressBar(percent: number): string {
  const shown = Math.min(100, Math.max(0, Math.round(percent)));
  const full = Math.floor(shown / CELLS);
  return `[${'█'.repeat(full)}${'░'.repeat(CELLS - full)}] ${shown}%`;
}
