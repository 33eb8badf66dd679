// An act of a command takes its own options and words; what it would pass over is refused, so that no answer is about something else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyCommand } from '../../src/cli/policy.ts';
import { UsageError } from '../../src/cli/usage.ts';
import { user } from '../../src/cli/user.ts';
import { verify } from '../../src/cli/verify.ts';
import { scratch } from '../support/scratch.ts';

const refused = (told: RegExp) => (error: unknown) => error instanceof UsageError && told.test(error.message);

test('an act of mugai policy refuses options of another act, and words too many', async () => {
  const cases: readonly (readonly [args: readonly string[], told: RegExp])[] = [
    [['check', '--policy', 'strict.yaml'], /^--policy does not belong there; say "policy check \[FILE\|SHA256\]"$/],
    [['check', 'a.yaml', 'b.yaml'], /^"b.yaml" is too much/],
    [['schema', 'x'], /^"x" is too much/],
    [['show', '0'.repeat(64), 'more'], /^"more" is too much/],
    [['show', '--json'], /^--json does not belong there/],
    [['rehearse', 'new.yaml'], /^"new.yaml" is too much; say "policy rehearse --new FILE\|SHA256/],
    [['propose', 'new.yaml', '--by', 'tanaka', '--new', 'x'], /^--new does not belong there/],
    [['approve', '0'.repeat(64), 'x', '--by', 'tanaka'], /^"x" is too much/],
    [['explain', 'a@b.jp', 'application/pdf', 'image/png'], /^"image\/png" is too much/],
    [['explain', 'a@b.jp', 'application/pdf', '--since', '7d'], /^--since does not belong there/],
    [['explain', '01kwmxxs4mxcwkv9y7ktbhtg2q', '--finding', 'macros'], /^--finding does not belong there/],
    [['explain', import.meta.filename, '--size', '5'], /^--size does not belong there/],
  ];
  for (const [args, told] of cases) await assert.rejects(policyCommand.run(args), refused(told), args.join(' '));
});

test('an act of mugai user refuses options of another act', async () => {
  await assert.rejects(user.run(['disable', 'tanaka', '--role', 'admin']), refused(/^--role does not belong there/));
  await assert.rejects(user.run(['code', 'tanaka', '--json']), refused(/^--json does not belong there/));
});

test('mugai verify refuses --manifest for a package, which has its own', async () => {
  await using root = await scratch();
  await assert.rejects(
    verify.run([root.path, '--manifest', 'manifest.dsse.json']),
    refused(/^--manifest is for delivered files, and .* is a folder: a package is checked by its own manifest$/),
  );
});
