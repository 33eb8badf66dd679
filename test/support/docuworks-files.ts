// DocuWorks files made in tests, by the published notes of the format.
import { lh5Literals } from './jtd-files.ts';

function element(tag: number | readonly number[], value: Buffer): Buffer {
  const length =
    value.length < 0x80
      ? [value.length]
      : value.length < 0xff
        ? [0x81, value.length]
        : value.length < 0x10000
          ? [0x82, value.length >> 8, value.length & 255]
          : [0x83, value.length >> 16, (value.length >> 8) & 255, value.length & 255];
  return Buffer.concat([Buffer.from(typeof tag === 'number' ? [tag] : tag), Buffer.from(length), value]);
}

function number(value: number): Buffer {
  for (let bytes = 1; bytes < 6; bytes++) {
    const most = 2 ** (bytes * 8 - 1);
    if (value >= -most && value < most) {
      const out = Buffer.alloc(bytes);
      out.writeIntBE(value, 0, bytes);
      return out;
    }
  }
  throw new Error(String(value));
}

function listed(value: number): Buffer {
  const bytes = number(value);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function record(depth: number, kind: number, attributes: readonly Buffer[]): Buffer {
  return element(0x62, Buffer.concat([element(0x80, number(depth)), element(0x62, number(kind)), ...attributes]));
}

function u32s(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, at) => bytes.writeUInt32LE(value >>> 0, at * 4));
  return bytes;
}

/** A page: one JPEG, JPEG strips one below the other, or a drawing that is no scan. */
export type Page =
  | { readonly kind: 'jpeg'; readonly jpeg: Buffer }
  | {
      readonly kind: 'strips';
      readonly strips: readonly { readonly jpeg: Buffer; readonly width: number; readonly height: number }[];
    }
  | { readonly kind: 'drawing' };

/** A document of these pages, in this order; their records stand in the opposite order, told by their numbers. */
export function xdw(
  pages: readonly Page[],
  options: { readonly packed?: boolean; readonly notes?: number } = {},
): Buffer {
  const bodies: Buffer[] = [];
  const refer = (tag: number | readonly number[], body: Buffer): Buffer => {
    bodies.push(body);
    return element(tag, Buffer.concat([element(0x81, number(bodies.length - 1)), element(0x82, number(body.length))]));
  };
  const contents = pages.map((page, nth) => {
    const attributes: Buffer[] = [];
    if (page.kind === 'jpeg') {
      attributes.push(refer(0xc7, Buffer.concat([element(0x80, number(5)), element(0x86, page.jpeg)])));
    } else {
      const drawing = page.kind === 'strips' ? stripsEmf(page.strips) : textEmf();
      const packed = lh5Literals(drawing);
      attributes.push(
        refer(
          0xc7,
          Buffer.concat([
            element(0x80, number(4)),
            element(0x81, number(drawing.length)),
            element(0x8a, number(1)),
            element(0x89, number(packed.length)),
            element(0x86, packed),
          ]),
        ),
      );
      if (page.kind === 'strips')
        page.strips.forEach(({ jpeg, width, height }, strip) => {
          const at = 301 + strip;
          attributes.push(
            refer([0xdf, 0x80 | (at >> 7), at & 127], Buffer.concat([u32s(jpeg.length, 0, width, height), jpeg])),
          );
        });
    }
    return Buffer.concat([
      record(2, 0x1301, [element(0x83, listed(nth + 1))]),
      record(3, 0x1302, []),
      record(4, 0x8010, attributes),
    ]);
  });
  const notes = Array.from({ length: options.notes ?? 0 }, () =>
    Buffer.concat([record(3, 0x1302, []), record(4, 0x801a, [element(0xa7, Buffer.from([0x80, 1, 4]))])]),
  );
  const tree = Buffer.concat([record(0, 0xc013, []), record(1, 0x1303, []), ...contents.toReversed(), ...notes]);
  const header = element(
    0x60,
    Buffer.concat([element(0x82, number(7)), element(0x80, number(1)), element(0x83, number(1))]),
  );
  const parts: Buffer[] = [header];
  const offsets: number[] = [];
  let at = header.length;
  for (const body of bodies) {
    const entry = element(0x64, Buffer.concat([element(0x81, number(0)), element(0x82, body)]));
    offsets.push(at);
    parts.push(entry);
    at += entry.length;
  }
  const stored = options.packed === true ? lh5Literals(tree) : tree;
  parts.push(stored);
  const fields = Buffer.concat([
    element(0x80, number(bodies.length)),
    element(0x81, u32s(...offsets)),
    element(0x83, number(tree.length)),
    element(0x84, number(stored.length)),
    element(0x85, number(0)),
  ]);
  const value = Buffer.concat([fields, element(0x86, u32s(fields.length + 6))]);
  return Buffer.concat([...parts, element(0x65, value)]);
}

function emfRecord(type: number, body: Buffer): Buffer {
  const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
  return Buffer.concat([u32s(type, padded.length + 8), padded]);
}

function emf(records: readonly Buffer[]): Buffer {
  return Buffer.concat([emfRecord(1, Buffer.alloc(92)), ...records, emfRecord(14, Buffer.alloc(12))]);
}

function stripsEmf(strips: readonly { readonly width: number; readonly height: number }[]): Buffer {
  let y = 0;
  const records = strips.flatMap(({ width, height }) => {
    const draw = u32s(0, 0, 0, 0, 0, y, 0, 0, width, height, 0, 0xcc0020, width * 4, height * 4);
    y += height * 4;
    return [Buffer.from('DWb\0'), Buffer.concat([Buffer.from('DWc\0'), draw])].map((comment) =>
      emfRecord(70, Buffer.concat([u32s(comment.length), comment])),
    );
  });
  return emf(records);
}

function textEmf(): Buffer {
  return emf([emfRecord(84, Buffer.alloc(68))]); // EXTTEXTOUTW
}
