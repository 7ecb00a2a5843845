import { systemClock } from '../../src/adapters/clock.ts';
import { createEventBus } from '../../src/events.ts';
import type { Sync, WorkTree } from '../../src/ports.ts';
import type { DaemonDependencies } from '../../src/services/daemon.ts';

/** What a daemon needs where nothing happens: only what it asks for is there, and `sync` says what differs from that. */
export function daemonParts(sync: Partial<Sync> = {}): DaemonDependencies {
  const quiet = (): void => undefined;
  const done = (): Promise<void> => Promise.resolve();
  return {
    sync: {
      pull: () => Promise.resolve({ remote: true, changed: [], refusals: [], conflicts: [] }),
      push: done,
      dirty: () => Promise.resolve([]),
      adopt: () => Promise.resolve({ adopted: [], foreign: [] }),
      ...sync,
    } as unknown as Sync,
    workTree: { invalidate: quiet } as unknown as WorkTree,
    reconciler: { wake: quiet, settled: done, idle: done, close: done },
    clock: systemClock,
    events: createEventBus(),
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    watchFiles: () => Promise.resolve({ close: done }),
    watchRemote: undefined,
    pollInterval: 10_000,
  };
}
