// A whole gateway inside the test's process, for tests that inject faults.
import { readConfig } from '../../src/config.ts';
import { openLog } from '../../src/ops/log.ts';
import { startGateway, type Gateway, type Hooks, type Role } from '../../src/roles.ts';
import { gatewayEnv } from './gateway-process.ts';
import { SmtpDialog } from './smtp-dialog.ts';

/** Starts it with its data in `dataDir` on ephemeral ports, silent. */
export async function startTestGateway(
  dataDir: string,
  more: Record<string, string> = {},
  hooks: Hooks = {},
  role: Role = 'all',
): Promise<Gateway & AsyncDisposable> {
  const { PATH: _path, ...env } = gatewayEnv(dataDir, { MUGAI_RETRY_SECONDS: '1', MUGAI_STOP_SECONDS: '10', ...more });
  const config = readConfig(env);
  const gateway = await startGateway(role, config, openLog('silent', role), hooks);
  return { ...gateway, [Symbol.asyncDispose]: async () => gateway.stop() };
}

/** Sends one mail over a real socket; the reply to its data. */
export async function sendMail(
  port: number,
  body: string | Uint8Array,
  to = 'staff@city.example.lg.jp',
): Promise<string> {
  await using dialog = await SmtpDialog.open(port);
  await dialog.toData(to);
  dialog.write(body);
  dialog.write('\r\n.\r\n');
  return await dialog.reply(60_000);
}

/** A small honest mail. */
export function plainMail(subject: string, text = 'こんにちは'): string {
  return `From: sender@example.com\r\nTo: staff@city.example.lg.jp\r\nSubject: ${subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}`;
}
