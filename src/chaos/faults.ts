/** What can go wrong around a node, and how a story tells it of a seat. */
export const FAULTS = {
  away: 'cannot reach the remote',
  'push-lost': 'loses the connection in the next push, before that arrives',
  'answer-lost': 'pushes, and never hears that it arrived',
  refused: 'is refused every push by the remote',
  slow: 'waits long for every fetch and push',
  cut: 'has its connections cut in the middle',
  down: 'finds nobody behind the address of the remote',
  'read-only': 'may read the remote and not write to it',
  full: 'has a full disk',
  'clock-ahead': 'has its clock jump ahead by an hour',
  'clock-back': 'has its clock jump back by an hour',
} as const;

export type Fault = keyof typeof FAULTS;

/** Brings faults about, and takes them away. */
export interface Weather {
  /** The faults that it can bring about. */
  readonly faults: readonly Fault[];
  /** From now on `seat` meets the fault, in place of the one that it met before. */
  bring(fault: Fault, seat: string): Promise<void> | void;
  /** Ends every fault of that seat, or of all. */
  clear(seat?: string): Promise<void> | void;
}
