/**
 * Bytes as zlib holds them when it packs nothing (RFC 1950, and RFC 1951 §3.2.4): a header, one block that is the last, and a
 * checksum. To have zlib make a stream ready costs many times what it takes to write this down.
 */
const HEADER = [0x78, 0x01, 0x01] as const;
const BEGIN = HEADER.length + 4;
const END = 4;

/** Bytes that one block may hold. */
export const MOST_OF_ONE_BLOCK = 0xffff;

/** At most `MOST_OF_ONE_BLOCK` bytes as a zlib stream. */
export function asOneBlock(bytes: Uint8Array): Buffer {
  if (bytes.length > MOST_OF_ONE_BLOCK)
    throw new RangeError(`a block holds ${MOST_OF_ONE_BLOCK} bytes, and not ${bytes.length}`);
  const stream = Buffer.allocUnsafe(BEGIN + bytes.length + END);
  stream.set(HEADER);
  stream.writeUInt16LE(bytes.length, HEADER.length);
  stream.writeUInt16LE(bytes.length ^ MOST_OF_ONE_BLOCK, HEADER.length + 2);
  stream.set(bytes, BEGIN);
  stream.writeUInt32BE(adler32(bytes), BEGIN + bytes.length);
  return stream;
}

/** What such a stream holds; `undefined` for any other, and for one that is damaged. */
export function ofOneBlock(stream: Uint8Array): Buffer | undefined {
  const length = stream.length - BEGIN - END;
  if (length < 0 || HEADER.some((byte, index) => stream[index] !== byte)) return undefined;
  const whole = Buffer.from(stream.buffer, stream.byteOffset, stream.length);
  const isOne =
    whole.readUInt16LE(HEADER.length) === length &&
    whole.readUInt16LE(HEADER.length + 2) === (length ^ MOST_OF_ONE_BLOCK);
  if (!isOne) return undefined;
  const bytes = whole.subarray(BEGIN, BEGIN + length);
  return whole.readUInt32BE(BEGIN + length) === adler32(bytes) ? bytes : undefined;
}

/** So many bytes are summed up before a sum can grow out of 32 bits (RFC 1950 §9). */
const STRIDE = 3_800;
const PRIME = 65_521;

function adler32(bytes: Uint8Array): number {
  let [low, high] = [1, 0];
  for (let at = 0; at < bytes.length;) {
    for (const end = Math.min(bytes.length, at + STRIDE); at < end; at += 1) {
      low += bytes[at] ?? 0;
      high += low;
    }
    low %= PRIME;
    high %= PRIME;
  }
  return high * 65_536 + low;
}
