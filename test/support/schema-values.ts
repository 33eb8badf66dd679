// Values of a JSON schema as TypeBox writes it, for property tests: whatever the schema can say, a test can be given.
import fc from 'fast-check';
import { faultOfWords } from '../../src/policy/seen-text.ts';

interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: { readonly [name: string]: Schema };
  readonly required?: readonly string[];
  readonly patternProperties?: { readonly [pattern: string]: Schema };
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

/**
 * Arbitrary values of a schema. `words`: strings that mean something to what is tested; they are taken where their pattern
 * fits, beside any others. Throws for a kind of schema it does not know, so that nothing is left out silently.
 */
export function valuesOf(schema: unknown, words: readonly string[]): fc.Arbitrary<unknown> {
  const of = schema as Schema;
  if (of.const !== undefined) return fc.constant(of.const);
  if (of.anyOf !== undefined) return fc.oneof(...of.anyOf.map((one) => valuesOf(one, words)));
  switch (of.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer': {
      const [min, max] = [of.minimum ?? 0, of.maximum ?? 2 ** 31];
      const small = fc.integer({ min, max: Math.min(max, min + 20) });
      // Mostly what lets the rest of a policy take effect: limits of 1 end every message before anything else can.
      const wide = fc.integer({ min: Math.ceil(max / 2), max });
      return fc.oneof({ arbitrary: wide, weight: 12 }, { arbitrary: small, weight: 1 }, fc.integer({ min, max }));
    }
    case 'string':
      return stringsOf(of, words);
    case 'array': {
      const maxLength = Math.min(of.maxItems ?? 4, 4);
      return fc.array(valuesOf(of.items, words), { minLength: of.minItems ?? 0, maxLength });
    }
    case 'object': {
      const [pattern] = Object.entries(of.patternProperties ?? {});
      if (pattern !== undefined)
        return fc.dictionary(stringsOf({ pattern: pattern[0] }, words), valuesOf(pattern[1], words), { maxKeys: 3 });
      const properties = Object.entries(of.properties ?? {}).map(([name, one]) => [name, valuesOf(one, words)]);
      return fc.record(Object.fromEntries(properties) as Record<string, fc.Arbitrary<unknown>>, {
        requiredKeys: [...(of.required ?? [])],
      });
    }
    case undefined:
    default:
      throw new TypeError(`a schema of an unknown kind: ${JSON.stringify(schema)}`);
  }
}

function stringsOf({ pattern, minLength = 0, maxLength = 40 }: Schema, words: readonly string[]): fc.Arbitrary<string> {
  const some =
    pattern === undefined
      ? fc.string({ minLength, maxLength: Math.min(maxLength, 40) })
      : fc.stringMatching(new RegExp(pattern)).filter((text) => text.length >= minLength && text.length <= maxLength);
  const any = some.filter((text) => faultOfWords(text) === undefined); // no policy says others
  const fit = words.filter((word) => pattern === undefined || new RegExp(pattern).test(word));
  return fit.length === 0
    ? any
    : fc.oneof({ arbitrary: fc.constantFrom(...fit), weight: 4 }, { arbitrary: any, weight: 1 });
}
