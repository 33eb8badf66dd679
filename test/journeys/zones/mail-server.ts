// The mail server of the LGWAN in the zones journey: prints each mail it takes as a line of JSON, and its port first.
import { startInnerServer } from '../../support/inner-server.ts';

const server = await startInnerServer(2525, process.argv[2] ?? '127.0.0.1');
let told = 0;
process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
setInterval(() => {
  for (const { raw, messageId } of server.taken.slice(told))
    process.stdout.write(`${JSON.stringify({ raw, messageId })}\n`);
  told = server.taken.length;
}, 50);
