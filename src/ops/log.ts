// The log: JSON lines on stdout by pino. Sender-made words go through `forLog` before they come here.
import { pino, type Logger } from 'pino';

/** What the rooms log to. */
export type Log = Logger;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Opens the log; `role` stands in every line. */
export function openLog(level: LogLevel, role: string): Log {
  return pino({
    level,
    base: { role, pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  });
}
