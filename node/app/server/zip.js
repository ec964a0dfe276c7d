/** A ZIP that is written while it is sent: entries stored, sizes behind them, ZIP64 (PKWARE APPNOTE 6.3.10, 4.3 and 4.5.3). */
import zlib from 'node:zlib';

const LOCAL = 0x04034b50;
const BEHIND = 0x08074b50;
const CENTRAL = 0x02014b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const END = 0x06054b50;
const VERSION = 45; // the first with ZIP64
const FLAGS = 0x0808; // sizes and CRC behind the data (bit 3), names in UTF-8 (bit 11)
const UNIX = 3 << 8;
const MODE = 0o100644 * 0x10000;
const MOST32 = 0xffffffff;

/** MS-DOS date and time, local, in steps of 2 s, from 1980 to 2107. @param {number} mtime seconds */
function dosTime(mtime) {
  const date = new Date(mtime * 1000);
  const year = Math.min(Math.max(date.getFullYear() - 1980, 0), 127);
  return { time: (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1), day: (year << 9) | ((date.getMonth() + 1) << 5) | date.getDate() };
}

/** @typedef {{ name: Buffer, time: number, day: number, crc: number, size: number, offset: number, unix: Buffer }} Entry */

export class ZipWriter {
  /** @type {Entry[]} */
  #entries = [];
  #offset = 0;
  #names = new Set();

  /** @param {(bytes: Buffer) => Promise<boolean>} write false: nobody takes it any more */
  constructor(write) {
    this.write = write;
  }

  /** @param {Buffer} bytes */
  async #put(bytes) {
    this.#offset += bytes.length;
    if (!(await this.write(bytes))) throw new ZipAborted();
  }

  /**
   * A name that no other entry has, and that leads nowhere when it is unpacked.
   * @param {string} given
   */
  #nameOf(given) {
    const plain = given.replace(/[\x00-\x1f\\/]/g, '_').replace(/^\.+$/, '_') || '_';
    const dot = plain.lastIndexOf('.');
    const [stem, extension] = dot > 0 ? [plain.slice(0, dot), plain.slice(dot)] : [plain, ''];
    let name = plain;
    for (let number = 2; this.#names.has(name.toLowerCase()); number += 1) name = `${stem} (${number})${extension}`;
    this.#names.add(name.toLowerCase());
    return name;
  }

  /**
   * @param {string} given
   * @param {number} mtime seconds since the epoch
   * @param {AsyncIterable<Buffer>} data each part may be overwritten when the next is asked for
   * @throws {ZipAborted}
   */
  async add(given, mtime, data) {
    const name = Buffer.from(this.#nameOf(given));
    const { time, day } = dosTime(mtime);
    const offset = this.#offset;
    // Extended timestamp (Info-ZIP 0x5455): MS-DOS times know no zone.
    const unix = Buffer.alloc(9);
    unix.writeUInt16LE(0x5455, 0);
    unix.writeUInt16LE(5, 2);
    unix.writeUInt8(1, 4);
    unix.writeInt32LE(Math.max(-0x80000000, Math.min(0x7fffffff, Math.floor(mtime))), 5);
    const head = Buffer.alloc(30);
    head.writeUInt32LE(LOCAL, 0);
    head.writeUInt16LE(VERSION, 4);
    head.writeUInt16LE(FLAGS, 6);
    head.writeUInt16LE(time, 10);
    head.writeUInt16LE(day, 12);
    head.writeUInt32LE(MOST32, 18);
    head.writeUInt32LE(MOST32, 22);
    head.writeUInt16LE(name.length, 26);
    head.writeUInt16LE(20 + unix.length, 28);
    // ZIP64 in the local header, sizes 0: a reader then knows that those behind the data have 8 bytes.
    const extra = Buffer.alloc(20);
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(16, 2);
    await this.#put(Buffer.concat([head, name, extra, unix]));
    let [crc, size] = [0, 0];
    for await (const part of data) {
      crc = zlib.crc32(part, crc);
      size += part.length;
      await this.#put(part);
    }
    const behind = Buffer.alloc(24);
    behind.writeUInt32LE(BEHIND, 0);
    behind.writeUInt32LE(crc, 4);
    behind.writeBigUInt64LE(BigInt(size), 8);
    behind.writeBigUInt64LE(BigInt(size), 16);
    await this.#put(behind);
    this.#entries.push({ name, time, day, crc, size, offset, unix });
  }

  /** The directory at the end. @throws {ZipAborted} */
  async finish() {
    const begin = this.#offset;
    for (const { name, time, day, crc, size, offset, unix } of this.#entries) {
      const head = Buffer.alloc(46);
      head.writeUInt32LE(CENTRAL, 0);
      head.writeUInt16LE(UNIX | VERSION, 4);
      head.writeUInt16LE(VERSION, 6);
      head.writeUInt16LE(FLAGS, 8);
      head.writeUInt16LE(time, 12);
      head.writeUInt16LE(day, 14);
      head.writeUInt32LE(crc, 16);
      head.writeUInt32LE(MOST32, 20);
      head.writeUInt32LE(MOST32, 24);
      head.writeUInt16LE(name.length, 28);
      head.writeUInt16LE(28 + unix.length, 30);
      head.writeUInt32LE(MODE >>> 0, 38);
      head.writeUInt32LE(MOST32, 42);
      const extra = Buffer.alloc(28);
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(24, 2);
      extra.writeBigUInt64LE(BigInt(size), 4);
      extra.writeBigUInt64LE(BigInt(size), 12);
      extra.writeBigUInt64LE(BigInt(offset), 20);
      await this.#put(Buffer.concat([head, name, extra, unix]));
    }
    const [count, length, at] = [BigInt(this.#entries.length), BigInt(this.#offset - begin), BigInt(this.#offset)];
    const end = Buffer.alloc(56 + 20 + 22);
    end.writeUInt32LE(END64, 0);
    end.writeBigUInt64LE(44n, 4);
    end.writeUInt16LE(UNIX | VERSION, 12);
    end.writeUInt16LE(VERSION, 14);
    end.writeBigUInt64LE(count, 24);
    end.writeBigUInt64LE(count, 32);
    end.writeBigUInt64LE(length, 40);
    end.writeBigUInt64LE(BigInt(begin), 48);
    end.writeUInt32LE(LOCATOR64, 56);
    end.writeBigUInt64LE(at, 64);
    end.writeUInt32LE(1, 72);
    end.writeUInt32LE(END, 76);
    end.writeUInt16LE(Math.min(this.#entries.length, 0xffff), 84);
    end.writeUInt16LE(Math.min(this.#entries.length, 0xffff), 86);
    end.writeUInt32LE(MOST32, 88);
    end.writeUInt32LE(MOST32, 92);
    await this.#put(end);
  }
}

/** Nobody takes the archive any more. */
export class ZipAborted extends Error {}
