// A host in the loop with an emulated chip, for Node.js alone: a socket, and as much of msgpack as it takes.
//
//     neuroport hil serve sal_sampling --at plain://127.0.0.1:5556
//     node examples/client.mjs 127.0.0.1 5556 [NAME VALUE]
//
// It opens a session, exchanges a hundred times, one step each, and says what spiked; each exchange writes the value to
// the port or variable of that name, where one is given. docs/hil.md describes the protocol.

import net from "node:net";

// ------------------------------------------------------------------------------------------------------------ msgpack

function sized(head, size, ...parts) {
  const start = Buffer.alloc(5);
  start[0] = head;
  start.writeUInt32BE(size, 1);
  return Buffer.concat([start, ...parts]);
}

function pack(value) {
  if (value === null) return Buffer.from([0xc0]);
  if (typeof value === "boolean") return Buffer.from([value ? 0xc3 : 0xc2]);
  if (typeof value === "number") {
    const bytes = Buffer.alloc(9);
    if (Number.isSafeInteger(value)) {
      bytes[0] = 0xd3;
      bytes.writeBigInt64BE(BigInt(value), 1);
    } else {
      bytes[0] = 0xcb;
      bytes.writeDoubleBE(value, 1);
    }
    return bytes;
  }
  if (typeof value === "string") return sized(0xdb, Buffer.byteLength(value), Buffer.from(value));
  if (Buffer.isBuffer(value)) return sized(0xc6, value.length, value);
  if (Array.isArray(value)) return sized(0xdd, value.length, ...value.map(pack));
  const entries = Object.entries(value);
  return sized(0xdf, entries.length, ...entries.flatMap(([key, item]) => [pack(key), pack(item)]));
}

function unpack(frame) {
  let at = 0;
  const take = (size) => frame.subarray(at, (at += size));
  const whole = (size) => take(size).readUIntBE(0, size);
  const several = {
    map: (size) => {
      const made = {};
      for (let k = 0; k < size; k++) made[value()] = value();
      return made;
    },
    list: (size) => Array.from({ length: size }, value),
    text: (size) => take(size).toString(),
    bytes: (size) => take(size),
  };
  const numbers = {
    0xca: () => take(4).readFloatBE(),
    0xcb: () => take(8).readDoubleBE(),
    0xcc: () => whole(1),
    0xcd: () => whole(2),
    0xce: () => whole(4),
    0xcf: () => Number(take(8).readBigUInt64BE()),
    0xd0: () => take(1).readInt8(),
    0xd1: () => take(2).readInt16BE(),
    0xd2: () => take(4).readInt32BE(),
    0xd3: () => Number(take(8).readBigInt64BE()),
  };
  const lengths = {
    0xc4: ["bytes", 1], 0xc5: ["bytes", 2], 0xc6: ["bytes", 4],
    0xd9: ["text", 1], 0xda: ["text", 2], 0xdb: ["text", 4],
    0xdc: ["list", 2], 0xdd: ["list", 4],
    0xde: ["map", 2], 0xdf: ["map", 4],
  };
  function value() {
    const head = whole(1);
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 256;
    if (head < 0x90) return several.map(head & 0x0f);
    if (head < 0xa0) return several.list(head & 0x0f);
    if (head < 0xc0) return several.text(head & 0x1f);
    if (head in numbers) return numbers[head]();
    if (head in lengths) return several[lengths[head][0]](whole(lengths[head][1]));
    return { 0xc0: null, 0xc2: false, 0xc3: true }[head];
  }
  return value();
}

// --------------------------------------------------------------------------------------------------------- connection

class Connection {
  constructor(host, port) {
    this.got = Buffer.alloc(0);
    this.socket = net.connect({ host, port, noDelay: true });
    this.socket.on("data", (piece) => {
      this.got = Buffer.concat([this.got, piece]);
      this.deliver();
    });
    this.socket.on("error", (error) => this.fail?.(error));
    this.socket.on("close", () => this.fail?.(new Error("the server closed the connection")));
  }

  deliver() {
    if (this.got.length < 4) return;
    const size = this.got.readUInt32LE(0);
    if (this.got.length < 4 + size) return;
    const frame = this.got.subarray(4, 4 + size);
    this.got = this.got.subarray(4 + size);
    this.done?.(unpack(frame));
  }

  async ask(message) {
    const frame = pack(message);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(frame.length);
    const answer = await new Promise((done, fail) => {
      this.done = done;
      this.fail = fail;
      this.socket.write(Buffer.concat([size, frame]));
    });
    if (!answer.ok) throw new Error(`refused: ${answer.error.code}: ${answer.error.text}`);
    return answer;
  }

  close() {
    this.fail = null;
    this.socket.destroy();
  }
}

// --------------------------------------------------------------------------------------------------------------- host

const given = process.argv.slice(2);
const [host, port, name, value] = given;
if (![2, 4].includes(given.length) || !/^\d+$/.test(port) || (name && !Number.isFinite(Number(value)))) {
  console.error("usage: node examples/client.mjs HOST PORT [NAME VALUE]");
  process.exit(2);
}
process.on("uncaughtException", (error) => {
  console.error(error.code ? `nobody answers at ${host}:${port}: ${error.message}` : error.message);
  process.exit(1);
});
const writes = name ? [{ port: name, values: Number(value) }] : [];
const server = new Connection(host, Number(port));
const hello = await server.ask({ id: 1, op: "hello", protocol: [1], client: "node" });
const opened = await server.ask({ id: 2, op: "open" });
server.close();
console.log(`${hello.server}: ${opened.describe.kind} of ${opened.describe.network}`);

const session = new Connection(host, Number(opened.address.split(":").pop()));
await session.ask({ id: 0, op: "hello", token: opened.token });
const output = opened.describe.recorded[0];
let spikes = 0;
let step = 0;
for (let id = 1; id <= 100; id++) {
  const answer = await session.ask({ id, op: "exchange", in: writes, run: 1, out: [output] });
  spikes += answer.out[output].steps.n[0];
  step = answer.step;
}
const { digest } = await session.ask({ id: 101, op: "digest" });
await session.ask({ id: 102, op: "bye" });
session.close();
console.log(`${spikes} spikes of ${output} in ${step} steps, digest ${digest}`);
