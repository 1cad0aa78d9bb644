/** How soon the end of npm is noticed, in milliseconds. */
const LOOK_MILLISECONDS = 500;

/**
 * Calls `listener` once when the shell has ended that npm runs a script in. npm hands a signal on to that shell only, which dies of it
 * and leaves the script running. Does nothing for a program that npm has not started.
 */
export function onNpmEnd(listener: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const shell = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(timer);
    listener();
  }, LOOK_MILLISECONDS);
  // Nothing to wait for, where all else has ended.
  timer.unref();
}
