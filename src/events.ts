import { EventEmitter } from 'node:events';
import type { LaneRefusal, PullReport } from './ports.ts';

/**
 * Everything a running node tells its listeners (log, doors, later metrics and sockets).
 * Each name says what has already happened; nothing here can be refused.
 */
export interface BatonEvents {
  /** A command was decided, committed and answered. */
  'operation:done': {
    readonly operation: string;
    readonly actor: string;
    readonly commit: string | undefined;
    readonly subject: Subject;
  };
  /** A call was refused; nothing changed. */
  'operation:refused': {
    readonly operation: string;
    readonly actor: string;
    readonly code: string;
    readonly message: string;
    readonly subject: Subject;
  };
  /** A pull or a publication brought new files into the work tree. */
  'sync:changed': PullReport;
  /** A part of a lane was not taken. */
  'lane:refused': LaneRefusal;
  /** A message reached its room. */
  'message:sent': { readonly txn: string; readonly room: string; readonly eventId: string };
  /** A message could not be delivered; it stays owed. */
  'message:failed': { readonly txn: string; readonly room: string; readonly error: string };
  /** A finding stands for the first time. */
  'finding:raised': {
    readonly key: string;
    readonly message: string;
    readonly remedy: string;
    readonly subject: Subject;
  };
  /** A finding no longer stands. */
  'finding:cleared': { readonly key: string };
  /** Something failed that nobody waits for. */
  'node:problem': { readonly what: string; readonly error: unknown };
}

interface Subject {
  readonly project?: string;
  readonly task?: string;
}

export interface EventBus {
  emit<Name extends keyof BatonEvents>(name: Name, payload: BatonEvents[Name]): void;
  on<Name extends keyof BatonEvents>(name: Name, listener: (payload: BatonEvents[Name]) => void): () => void;
}

/** A bus whose listeners can never throw into the core: a failing listener is reported as `node:problem`. */
export function createEventBus(): EventBus {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  const bus: EventBus = {
    emit(name, payload) {
      for (const listener of emitter.listeners(name)) {
        try {
          listener(payload);
        } catch (error) {
          if (name !== 'node:problem') bus.emit('node:problem', { what: `a listener of ${name}`, error });
        }
      }
    },
    on(name, listener) {
      emitter.on(name, listener);
      return () => emitter.off(name, listener);
    },
  };
  return bus;
}
