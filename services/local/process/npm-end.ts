const LOOK_MILLISECONDS = 500;

/**
 * Calls `listener` once when the shell ends in which npm runs a script. npm forwards a signal to that shell only, which dies and leaves the
 * script running.
 * Does nothing for a program that npm has not started.
 */
export function onNpmEnd(listener: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const shell = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(timer);
    listener();
  }, LOOK_MILLISECONDS);
  timer.unref();
}
