// A sender on the Internet in the zones journey: send.ts HOST PORT FILE; prints the answer to the data.
import { readFileSync } from 'node:fs';
import { createTransport } from 'nodemailer';

const [, , host = '', port = '', file = ''] = process.argv;
const transport = createTransport({ host, port: Number(port), ignoreTLS: true });
const envelope = { from: 'sender@example.com', to: 'staff@city.example.lg.jp' };
const info = await transport.sendMail({ envelope, raw: readFileSync(file) });
process.stdout.write(info.response);
transport.close();
