// The `mugai` command: parse, dispatch, the only process.exit.
import { MugaiError, reasonOf } from './message/errors.ts';
import { outputWritten, UsageError, say, tell, type Command } from './cli/usage.ts';
import { StoppedBySignal } from './cli/work-folder.ts';
import { VERSION } from './version.ts';

// Each command is loaded when it is called for: `verify` does not start by loading a mail server.
const COMMANDS: { readonly [name: string]: () => Promise<Command> } = {
  serve: async () => (await import('./cli/serve.ts')).serve,
  sanitise: async () => (await import('./cli/sanitise.ts')).sanitiseCommand,
  verify: async () => (await import('./cli/verify.ts')).verify,
  selfcheck: async () => (await import('./cli/selfcheck.ts')).selfcheck,
  user: async () => (await import('./cli/user.ts')).user,
  apikey: async () => (await import('./cli/apikey.ts')).apikey,
  index: async () => (await import('./cli/index.ts')).index,
  status: async () => (await import('./cli/status.ts')).status,
  prepare: async () => (await import('./cli/prepare.ts')).prepare,
  bundle: async () => (await import('./cli/bundle.ts')).bundle,
  keys: async () => (await import('./cli/keys.ts')).keys,
  policy: async () => (await import('./cli/policy.ts')).policyCommand,
  audit: async () => (await import('./cli/audit.ts')).audit,
};

const HELP = `mugai ${VERSION}: makes mail and files harmless before they cross to the closed network

mugai serve      run the gateway
mugai sanitise   make files harmless on this machine, without servers
mugai verify     check packages as the inner gate does
mugai status     how the gateway on this machine stands
mugai selfcheck  try what holds the children on this machine
mugai keys       make or show the signing keys
mugai policy     check, explain, rehearse and change the policy
mugai audit      follow the journals, hand their entries out
mugai user       people of the portal
mugai apikey     keys of those who send files by the API
mugai bundle     packages and program in one signed file, for a site without a registry
mugai prepare    compile the code once, where it is installed read-only
mugai index      the portal's list of messages, made anew

mugai <command> --help tells more, with an example.`;

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    say(HELP);
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    say(VERSION);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) throw new UsageError(`there is no command "${name}"; see mugai --help`);
  const command = await load();
  if (rest.includes('--help') || rest.includes('-h')) {
    say(command.help);
    return 0;
  }
  return command.run(rest);
}

/** Exit code 2 and one line for wrong usage and wrong configuration (a key file that is none is that, too), 1 for what failed; a signal has its own. */
function explain(error: unknown): number {
  const usage =
    error instanceof UsageError ||
    (error instanceof MugaiError && (error.code === 'bad-config' || error.code === 'key-missing')) ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  tell(`mugai: ${reasonOf(error)}`);
  if (error instanceof StoppedBySignal) return error.exitCode;
  return usage ? 2 : 1;
}

process.exit(await outputWritten(await main(process.argv.slice(2)).catch(explain)));
