/**
 * What an operation wants to be true of the tree. A change set is checked whole before any of it is written.
 * Paths are workspace-relative POSIX paths (`shared/…`).
 */
export type Change =
  /** `appended` is the end of `text`, where all before it is there already: so that a log need not be gone through. */
  | { readonly kind: 'write'; readonly path: string; readonly text: string; readonly appended?: string }
  | { readonly kind: 'remove'; readonly path: string }
  /**
   * What stands on disk under this path (a file, or a directory ending in `/`) is what is meant: a Worker's deliverables.
   * What of it is somebody else's is left out, or with `whole` refused.
   */
  | { readonly kind: 'adopt'; readonly path: string; readonly whole?: true }
  /** What is committed below the directory `from` stands below the directory `path` instead; both end in `/`. */
  | { readonly kind: 'move'; readonly from: string; readonly path: string };

/** How safe a change is: written into a file only, committed in this clone, or on the remote too. */
export type Durability = 'journaled' | 'committed' | 'replicated';
