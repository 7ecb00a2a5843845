/** Resolves at the first SIGINT or SIGTERM; the second ends the process in the ordinary way. */
export function untilSignal(): { readonly received: Promise<void>; readonly ignore: () => void } {
  const { promise: received, resolve } = Promise.withResolvers<void>();
  const ignore = (): void => {
    process.off('SIGINT', heard).off('SIGTERM', heard);
  };
  const heard = (): void => {
    ignore();
    resolve();
  };
  process.on('SIGINT', heard).on('SIGTERM', heard);
  return { received, ignore };
}
