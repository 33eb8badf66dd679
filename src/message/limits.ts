// Every limit of the road, each with its reason. Policy may lower one, never raise it above these ceilings.

const KIB = 1024;
const MIB = 1024 * KIB;

export const LIMITS = {
  // ── the doors ──
  /** Bytes of one message. Japanese municipal mail servers commonly stop at 10-30 MB; base64 adds a third. */
  messageBytes: 64 * MIB,
  /** Recipients of one mail. RFC 5321 §4.5.3.1.8 asks for at least 100. */
  recipients: 200,
  /** SMTP connections open at once; beyond: 421. Each may hold `inlineBytes` in memory. */
  connections: 2000,
  /** Bytes of a message kept in memory before the door goes to a file: most mail is text of a few KB. */
  inlineBytes: 64 * KIB,
  /** Characters of just accepted small messages held for the sanitise step of the same process: some 700 of 4 KB. */
  freshChars: 4 * 1024 * KIB,
  /** Idle milliseconds of an SMTP connection. RFC 5321 §4.5.3.2 allows 5 minutes; a minute frees slots sooner. */
  smtpIdleMs: 60_000,
  /** Milliseconds for the whole DATA phase at most: the time a 64 KB/s line needs for `messageBytes`, and some. */
  smtpDataMs: 20 * 60_000,
  /** Milliseconds of DATA that any mail has, and bytes a second that earn more: an ISDN line brings 8 KB/s. */
  smtpDataBaseMs: 120_000,
  smtpDataBytesPerSecond: 4 * KIB,
  /** Bytes of a command line. RFC 5321 §4.5.3.1.4 says 512; parameters of extensions (RFC 3461, 6531) add some 500. */
  smtpCommandBytes: 1024,
  /** Milliseconds of a session without a mail; RFC 5321 asks for five minutes between commands, a minute frees slots. */
  smtpSessionMs: 10 * 60_000,
  /** Commands between two mails: the recipients, and what goes with them. */
  smtpCommands: 300,
  /** Replies of 4xx and 5xx between two mails; Postfix stops at 20. A list with old addresses of ours meets a few. */
  smtpErrors: 30,
  /** Header fields `Received`; RFC 5321 §6.3 asks for at least 100 before a loop is assumed. */
  receivedFields: 100,
  /** Milliseconds in which a client that was not let in may read why. */
  turnedAwayMs: 5000,
  /**
   * Of one client address that is no relay of the house: connections at once (Postfix: 50); connections, accepted
   * recipients and refusing replies a minute. A large provider sends to a town of 100,000 some 10 mails a minute.
   */
  clientConnections: 50,
  clientConnectionsPerMinute: 600,
  clientRecipientsPerMinute: 3000,
  clientErrorsPerMinute: 300,
  /** Client addresses remembered at once: some 100 bytes each. */
  clientsKnown: 50_000,

  // ── the tree of one message, shared by everything nested in it ──
  /** Depth of mails inside mails and files inside files. Honest mail seldom passes 3. */
  depth: 8,
  /** Depth of MIME multiparts in one mail; mailparser refuses far later. */
  mimeDepth: 32,
  /** Leaves in all. */
  parts: 1000,
  /** Files of one archive: a Mac puts a note of its own beside each, and these are counted apart. */
  archiveEntries: 2000,
  /** Rows of a message: its parts, as many notes of systems, the message itself. */
  rows: 2001,
  /** Entries of a zip's directory, folders too; those of a document are no leaves: a deck of many pictures has thousands of parts. */
  zipEntries: 20_000,
  /** Bytes of all leaves together after decoding: a message cannot inflate beyond a few times its ceiling. */
  expandedBytes: 256 * MIB,
  /** Bytes of a leaf by which it is told what it is: most formats name themselves at their start. */
  detectHeadBytes: 1 * MIB,
  /** Bytes of one whose directory may stand anywhere (zip, OLE, an archive behind a program): the whole of what a mail can hold. */
  detectBytes: 64 * MIB,
  /** Bytes of headers of one mail (RFC 5322 has no limit; Gmail takes 0.5 MB). */
  headerBytes: 1 * MIB,
  /** Bytes of HTML that is turned into text; beyond, the source is cut with a mark. */
  htmlBytes: 8 * MIB,
  /** UTF-16 units of text from one leaf; beyond, cut with a mark and a loss. */
  textChars: 8 * MIB,
  /** UTF-16 units of one header field. */
  headerChars: 4096,
  /**
   * Seconds that children work for one message, besides what its pages earn. A folder of 300 office documents takes 15 minutes;
   * a thousand parts that each hang for as long as a part may would take a day. Children are lent part by part: others pass.
   */
  messageSeconds: 30 * 60,

  /** Findings and losses told of one part, of each kind; more of the same helps nobody. */
  remarks: 50,
  /** The same of all parts together, and UTF-16 units of their details: so that the manifest and the account stay readable. */
  messageRemarks: 5000,
  messageRemarkChars: 1024 * KIB,

  // ── pages and pixels ──
  /** Pages of one document. Dangerzone stops at 10,000; a page takes some 20 ms here. */
  pages: 2000,
  /** Pages behind those of a document that say what is missing of it: rows of sheets, and the rest of its pages. */
  noticePages: 2,
  /** Rows and columns of a sheet that are drawn; beyond: cut, and told on a page. 5,000 rows are 54 to 112 pages. */
  sheetRows: 5000,
  sheetColumns: 256,
  /** Pixels of one page or picture after scaling: A3 at 300 dpi is 17 million. */
  pagePixels: 36_000_000,
  /** Pixels of all pages of one message: 2,000 pages of A4 at 150 dpi are 4.4 thousand million. */
  pixels: 10_000_000_000,
  /** Runs of text (words, mostly) on one page; a newspaper page has some 5,000. */
  pageRuns: 20_000,
  /** Pixels of a side, as Dangerzone and Qubes have it. */
  sidePixels: 10_000,
  /** Pixels a source picture may declare before it is decoded (30,000² PNG bombs are 109 KB). */
  sourcePixels: 160_000_000,
  /** The same where the decoder gives all of it at once, four bytes each (HEIC, BMP, PSD): telephones take 48 million. */
  decodedPixels: 64_000_000,
  /** Output bytes of all files of one message together. */
  outputBytes: 512 * MIB,
  /** Pages from which each page of a document is sealed and visible before the rest is drawn: some half a second of work. */
  livePages: 20,
  /** Dots per inch of a rendered page, where neither policy nor request says so. */
  dpi: 150,
  /** Dots per inch of pages of text and lines without colour in documents of at most `sharpPages`; some 200 KB a page. */
  sharpDpi: 200,
  sharpPages: 50,

  /** Pages of each document that are searched for QR codes where the policy does not say: those of fraud have one or two. */
  codePagesUsual: 3,

  // ── passwords of second mails ──
  /** Hours between a locked file and the mail that tells its password: mostly seconds, a few days where a person writes it. */
  pairingHours: 168,
  pairingHoursUsual: 72,
  /** Messages of one sender that wait for a password; the oldest are left out. */
  pairingWaiting: 20,

  // ── children ──
  /** Milliseconds a mail or text child may take: a base, and more for every MiB (60 MB/s measured, 30 times slower allowed). */
  parseBaseMs: 10_000,
  parsePerMiBMs: 500,
  /** Milliseconds until the first page, and for each page: a page is some 20 ms, the worst honest ones seconds. */
  pageMs: 20_000,
  /**
   * Milliseconds a whole document may take, and for each page that came out of it: a long honest document gets its time, a
   * page a second for ever does not hold a worker. Honest pages take 20 to 60; 2,000 of them may take nine minutes.
   */
  documentMs: 50_000,
  documentPageMs: 250,
  /** Milliseconds to decode one picture. */
  imageMs: 20_000,
  /** Milliseconds to read the text of one page from its pixels: a full page of small Japanese print takes 3 to 10. */
  ocrMs: 60_000,
  /** Milliseconds to look for QR codes on one page: A4 takes 25. */
  codesMs: 10_000,
  /** Resident bytes of a child, by family; read from /proc every `memoryPollMs`, then SIGKILL. Measured peaks: see each. */
  mailRss: 768 * MIB, // 20 MB of blank lines: 501 MB
  textRss: 768 * MIB,
  pdfRss: 1024 * MIB, // PDFium heap cap 512 MB, Node 60 MB, fonts and pages
  imageRss: 1024 * MIB, // an 81 Mpx PNG at full size: 558 MB
  archiveRss: 1024 * MIB, // the archive, and its entries one by one or all of a solid block
  ocrRss: 768 * MIB, // an A4 page at 300 dpi: 200 MB
  codesRss: 512 * MIB, // 36 Mpx in colour, 108 MB of pixels, in grey and halved beside them
  officeRss: 1536 * MIB, // ordinary documents 212 MB; a ghost cell 2.1 GB
  officeWasmRss: 2048 * MIB, // ordinary documents 730 to 810 MB
  /** Writable memory of the same: V8 maps code space for 147 MB of WebAssembly, and each thread's heap. */
  officeWasmData: 12 * 1024 * MIB,
  /** Bytes of the `/tmp` of an office engine: profile, document, its cleaned copy, its PDF. */
  officeScratch: 512 * MIB,
  /** Milliseconds an office document may take: the heaviest honest one seen took 45 s of CPU in WebAssembly. */
  officeMs: 120_000,
  memoryPollMs: 100,
  /** Bytes of a child's memory group beyond its resident limit and its scratch: page tables, pipes, and what it has of its files. */
  groupMore: 64 * MIB,
  /** Bytes of WebAssembly memory PDFium may grow to; the worst honest file took 211 MB. */
  pdfiumBytes: 512 * MIB,
  /** Bytes of one frame on the wire. */
  frameBytes: 1 * MIB,
  /** Bytes of a child's stderr that are kept for the log. */
  stderrBytes: 4 * KIB,
  /** Bytes of stderr at which a child is killed: reading what nobody keeps is work, too. */
  stderrMost: 1 * MIB,
  /** Milliseconds for a child to say that it is ready: Node 26 needs 60, sharp 150 more; a busy machine far longer. */
  startMs: 30_000,
  /** The same for an office engine, which draws a letter first: 1 s of CPU, 14 s of the clock on a machine five times too busy. */
  officeStartMs: 90_000,
  /**
   * Messages a pooled child parses before it is replaced: bounds what one message could leave behind. Starting and
   * warming a child costs about 1 s of CPU: at 500 that was 2 ms a mail, half of the whole road; at 5,000 it is 0.2.
   */
  messagesPerChild: 5000,
  /** Documents a PDF child draws before it is replaced. Each has a WebAssembly instance of its own; Node's heap stays. */
  documentsPerChild: 100,
  /** Busy milliseconds after which a pooled child is replaced: far from the CPU limit of its process. */
  childBusyMs: 300_000,
  /** Descriptors of a child: Node opens some 25. */
  childFiles: 64,
  /** Threads of a child, and so processes: Node has 11, libvips adds a few. */
  childThreads: 48,
  /** Bytes of writable memory for the stacks of a child's threads, 8 MiB each, and for Node itself. */
  childStacks: 512 * MIB,
  /** Milliseconds between two looks at the resident memory of a child that has no input: it must not grow unseen. */
  idlePollMs: 1000,
  /** Milliseconds after a child's end in which what it wrote may still be read; then its pipes are closed on our side. */
  sweepMs: 1000,
  /** Frames of one input. 27 MB of mail came in 54, 2,000 pages take some 10,000; a flood of tiny ones is only work for the host. */
  frames: 200_000,

  // ── checks of the sender ──
  /** Resident bytes of the child that checks signatures: it streams the mail; its library takes 80 MB. */
  authRss: 512 * MIB,
  /** Milliseconds the checks of one mail may take, besides those that reading it earns. RFC 7208 §4.6.4 asks for 20 s at least. */
  authMs: 20_000,
  /** Milliseconds of them in which the DNS is asked: a mail does not wait longer where it is out of order. */
  dnsMs: 10_000,
  /** Questions to the DNS for one mail: SPF may ask ten times, and for ten addresses each (RFC 7208 §4.6.4). */
  questions: 150,
  /** Milliseconds for one try of a question to one server, and tries in all. */
  dnsTryMs: 2000,
  dnsTries: 3,
  /** Bytes of an answer over UDP (DNS flag day 2020); longer ones are asked for over TCP. */
  dnsUdpBytes: 1232,
  /** Answers remembered, and for how many milliseconds: records of a mail's sender, and that there are none. */
  dnsAnswers: 5000,
  dnsKeepMs: 5 * 60_000,
  dnsKeepNoneMs: 60_000,
  /** Results told of one mail: a mail may carry a hundred signatures. */
  checksTold: 8,

  // ── packages and delivery ──
  /** Bytes of a manifest envelope: 1,000 parts with names take some 500 KB. */
  manifestBytes: 10 * MIB,
  /** Bytes of a page's operators, inflated: a dense A0 plan has some 200 KB. */
  pageTextBytes: 16 * MIB,
  /** The same of all pages of one message: 2,000 dense pages have 400 MB. */
  layerBytes: 1024 * MIB,
  /** Bytes of a text layer's map, inflated: 65,535 characters of 21 bytes each, and blocks. */
  mapBytes: 2 * MIB,
  /** Bytes of `message.txt`: the body, and some 5 MB of account where a thousand parts each have much to tell. */
  messageTextBytes: 32 * MIB,
  /** Bytes of a mail's body there, what `textChars` of Japanese take in UTF-8; beyond, cut with a mark and a loss. */
  bodyBytes: 24 * MIB,
  /** Bytes of attachments in a delivered mail; beyond, the text names the files and where they lie. */
  attachBytes: 20 * MIB,
  /** Milliseconds between two looks at the verification keys, and at the signing key: a new key is known before it signs. */
  verifyKeyLookMs: 1000,
  signingKeyLookMs: 5000,
  /** Seconds until it is worth coming again to a door that said "later", where nobody knows it: a disk, memory, a fault. */
  retryAfterSeconds: 60,
  /** Bounds of what is reckoned where it is known: no storm of repeats, and nobody is sent away for the day. */
  retryAfterLeastSeconds: 10,
  retryAfterMostSeconds: 900,
  /** Free bytes of a store below which the process is not ready. */
  leastFreeBytes: 256 * MIB,
  /** Milliseconds after which an undelivered message expires: 5 days, RFC 5321 §4.5.4.1. */
  giveUpMs: 5 * 24 * 3_600_000,
  /** Failed attempts of a step inside us before the message is quarantined. */
  attempts: 5,
} as const;

/** Milliseconds a mail or text child may take for `bytes` of input. */
export function parseDeadlineMs(bytes: number): number {
  return LIMITS.parseBaseMs + Math.ceil(bytes / MIB) * LIMITS.parsePerMiBMs;
}
