// The log: JSON lines on stdout by pino, and to a syslog collector where one is named. Sender-made words go through `forLog`
// before they come here.
import { multistream, pino, type Logger } from 'pino';
import { StdoutLines } from './stdout-lines.ts';

/** What the rooms log to. */
export type Log = Logger;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Where lines go. */
interface Lines {
  write(line: string): void;
}

/** Opens the log; `role` stands in every line. `also` gets each line, too. */
export function openLog(level: LogLevel, role: string, also?: Lines, stdout: Lines = new StdoutLines(role)): Log {
  const options = {
    level,
    base: { role, pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (also === undefined) return pino(options, stdout);
  const least = level === 'silent' ? 'fatal' : level;
  return pino(
    options,
    multistream([
      { level: least, stream: stdout },
      { level: least, stream: also },
    ]),
  );
}
