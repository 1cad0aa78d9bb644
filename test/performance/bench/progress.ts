import { styleText } from 'node:util';

/** Where the benchmark writes to: a terminal, or something else that takes text. */
export type Output = Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>;

/** Shows the benchmark's progress: one line that changes on a terminal, one line for each run elsewhere. */
export interface Progress {
  /** A step that is no measurement. */
  step(message: string): void;
  /** A measurement begins. @param expectedSeconds - how long it will take, about. */
  begin(message: string, expectedSeconds: number): void;
  /** The measurement that began last has ended. */
  end(outcome: string): void;
  /** Something that the reader must not miss. */
  warn(message: string): void;
  /** Clears the changing line. */
  close(): void;
}

const BAR_WIDTH = 24;
const REFRESH_MILLISECONDS = 250;

/** `1:05` or `1:00:05`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? part : String(part).padStart(2, '0'))).join(':');
}

/** @param totalSeconds - how long all measurements will take, about. */
export function createProgress(stream: Output, totalSeconds: number): Progress {
  const startedAt = performance.now();
  let doneSeconds = 0;
  let current: { message: string; expectedSeconds: number; startedAt: number } | undefined;
  let timer: NodeJS.Timeout | undefined;

  const elapsed = (since: number) => (performance.now() - since) / 1_000;
  const clear = () => {
    if (stream.isTTY) stream.write('\r\x1b[2K');
  };
  const line = (text: string) => {
    clear();
    stream.write(`${text}\n`);
  };
  const draw = () => {
    if (current === undefined) return;
    const now = Math.min(elapsed(current.startedAt), current.expectedSeconds);
    const share = Math.min(1, (doneSeconds + now) / totalSeconds);
    const filled = Math.round(share * BAR_WIDTH);
    const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
    const left = clock(totalSeconds - doneSeconds - now);
    const percent = String(Math.round(share * 100)).padStart(3);
    clear();
    stream.write(
      `${bar} ${percent} %  ${left} left  ${current.message}`.slice(0, (stream.columns ?? 80) - 1),
    );
  };
  return {
    step: (message) => line(message),
    begin(message, expectedSeconds) {
      current = { message, expectedSeconds, startedAt: performance.now() };
      if (!stream.isTTY) return;
      draw();
      timer ??= setInterval(draw, REFRESH_MILLISECONDS);
    },
    end(outcome) {
      if (current === undefined) return;
      doneSeconds += current.expectedSeconds;
      line(`${clock(elapsed(startedAt)).padStart(7)}  ${current.message.padEnd(56)} ${outcome}`);
      current = undefined;
    },
    warn(message) {
      const text = `NOTE: ${message}`;
      const coloured = stream.isTTY && (process.env.NO_COLOR ?? '') === '';
      line(coloured ? styleText('yellow', text) : text);
    },
    close() {
      clearInterval(timer);
      clear();
    },
  };
}
