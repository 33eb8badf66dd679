// Jailed child of the mail family: a mail, or another container of messages and files, in; headers, tree and leaves out.
//
// Order on the wire: header fields and remarks of the whole; then for each node, in its order, `part`; for a leaf then its
// remarks, `bytes`, and for a text its `text`, and `partEnd`. Multiparts have no `partEnd`: paths say what is in what. The
// files that were written into a text follow it as its children.
import { tellMessage } from './mail-message.ts';
import { serve, whole, type Job, type Out } from './run.ts';

serve('mailparser 3.14.2, msgreader 1.28.0', convert);

/** Parsers that few mails need are loaded when one does. */
async function convert(job: Job, out: Out): Promise<void> {
  switch (job.declaredType) {
    case 'application/vnd.ms-outlook':
      return (await import('./msg.ts')).tellMsg(await whole(job), out);
    case 'application/vnd.ms-tnef':
      return (await import('./tnef.ts')).tellTnef(await whole(job), out);
    case 'application/mbox':
      return (await import('./mbox.ts')).tellMbox(job.input, out);
    case 'message/x-emlx':
      return tellMessage((await import('./mbox.ts')).withoutEmlx(job.input), out);
    case 'application/pkcs7-mime':
      return (await import('./cms.ts')).tellSigned(await whole(job), out);
    case 'text/x-uuencode':
    case 'text/x-yenc':
    case 'application/mac-binhex40':
      return (await import('./embedded-files.ts')).tellEncodedFile(await whole(job), out);
    default:
      return tellMessage(job.input, out);
  }
}
