// Archives: not opened by this gateway, so they must end in a refusal with a reason.
import { crc32 } from 'node:zlib';

/** A zip of one stored file. Time and attributes are fixed. */
export function zip(name: string, content: Uint8Array): Buffer {
  const nameBytes = Buffer.from(name, 'utf8');
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0); // version
  fields.writeUInt16LE(0x800, 2); // names are UTF-8
  fields.writeUInt16LE(0, 4); // stored
  fields.writeUInt32LE(0x5b464980, 6); // 2025-10-06 09:12
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(content.length, 14);
  fields.writeUInt32LE(content.length, 18);
  fields.writeUInt16LE(nameBytes.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, nameBytes, content]);
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, Buffer.alloc(14), nameBytes]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

export function archives(): Map<string, Buffer> {
  return new Map([['file/資料一式.zip', zip('資料.txt', Buffer.from('資料の中身\r\n', 'utf8'))]]);
}
