// A client in JavaScript, written from docs/protocol.md alone; comments name the page's sections. It runs in
// any page and, by way of ../node/client.mjs, in Node.js:
//
//     await play(WebSocket, "ws://127.0.0.1:8080/play", "Ada")
//
// It has not the game's rules: it decodes keyframes, of which it asks for one a second, and of a delta
// reads the tick and the margin. It flies for some seconds, says a line of chat, and returns what it saw.

const SUB_PROTOCOL = "gamekeeper.7";
// "The arena's tables": what Hello has to give, and the tables themselves.
const PROTOCOL = 0x78cdd973bad82eben;
// Bits of each field; s: signed, g and its order: "usually", p: the entity's place, which follows the record.
const SHIP = `aim 10, controls 7, lag 9 g4, vx 16 s, vy 16 s, hp 7, mend 10 g0, x 23 s g20 p, y 23 s g20 p, energy 10,
    heading 12, cooldown 6 g0, shots 5, protect 10 g0, overdrive 10 g0, spark 7, team 3 g0, player 16 g8`;
const SHOT = "vx 13 s, vy 13 s, x 19 s g16 p, y 19 s g16 p, ttl 8 g5, lag 9 g4, player 16 g8";
const PICKUP = "x 23 s g20 p, y 23 s g20 p, what 3";
const PILOT = `respawn 9 g0, score 24 s, kills 14 g6, deaths 14 g6, streak 10 g4, hits 8, hurts 8, hurt_from 8,
    killer 17 g9, x 23 s, y 23 s, player 16 g8`;
const PUBLIC = { ship: table(SHIP), shot: table(SHOT), pickup: table(PICKUP) }, PRIVATE = { pilot: table(PILOT) };
const PLACE_STEPS_PER_UNIT = 256;

const EAST = 1, SOUTH = 5, FIRE = 1 << 5;
const NO_MARGIN = -128;
// How early inputs shall come before their tick, in 1/8 tick, and what the first is ahead of the frames, in ticks.
const MARGIN_MIN = 4, MARGIN_MAX = 20, AHEAD = 3;
const LAG_MAX = 511;
const PLAY_SECONDS = 4, PATIENCE_SECONDS = 20;

// "Building blocks"

/** 0, 1, 2, 3 ... are 0, -1, 1, -2 ... */
function unfold(value) {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Reads bits, from the lowest of the first byte on. */
class Bits {
  constructor(message) {
    this.message = message;
    this.at = 0;
  }

  left() {
    return 8 * this.message.length - this.at;
  }

  take(count) {
    if (count > this.left()) throw new Error("a frame ends too early");
    let value = 0;
    // Not with shifts: these end at 31 bits.
    for (let i = 0; i < count; i += 1, this.at += 1) {
      value += ((this.message[this.at >> 3] >> (this.at & 7)) & 1) * 2 ** i;
    }
    return value;
  }

  golomb(order) {
    let zeros = 0;
    while (this.take(1) === 0) zeros += 1;
    return 2 ** (zeros + order) + this.take(zeros + order) - 2 ** order;
  }
}

/** Reads a control message. */
class Control {
  constructor(message) {
    this.message = message;
    this.at = 0;
  }

  take(count) {
    if (this.at + count > this.message.length) throw new Error("a control message ends too early");
    this.at += count;
    return this.message.subarray(this.at - count, this.at);
  }

  byte() {
    return this.take(1)[0];
  }

  varint() {
    const first = this.byte();
    const width = { 251: 2, 252: 4, 253: 8 }[first];
    return width ? this.take(width).reduceRight((value, byte) => value * 256 + byte, 0) : first;
  }

  text() {
    return new TextDecoder().decode(this.take(this.varint()));
  }

  option(read) {
    return this.byte() ? read() : null;
  }
}

// What is sent: "Control messages to the server", "Input"

/** Bytes of a number, the lowest first. */
function bytes(value, count) {
  return Array.from({ length: count }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 255n));
}

function text(value) {
  const data = new TextEncoder().encode(value);
  if (data.length >= 251) throw new Error("longer needs more of a varint than this client writes");
  return [data.length, ...data];
}

function hello(name) {
  const nobody = bytes(0, 16);
  return Uint8Array.from([0, 0, 253, ...bytes(PROTOCOL, 8), ...text(name), 0, ...nobody, 0, 0]);
}

function chat(line) {
  return Uint8Array.from([0, 1, 0, ...text(line)]);
}

function resync(tick) {
  return Uint8Array.from([0, 2, 252, ...bytes(tick, 4), 0]);
}

/** A code of an order as its bits and their number. */
function golomb(value, order) {
  const zeros = Math.floor(Math.log2(value + 2 ** order)) - order;
  const low = value + 2 ** order - 2 ** (zeros + order);
  return [(1 + low * 2) * 2 ** zeros, 2 * zeros + 1 + order];
}

function controls(tick, decoded, aim, pressed, lag) {
  const [code, width] = golomb(lag, 4);
  const record = aim + pressed * 2 ** 10 + code * 2 ** 17;
  return Uint8Array.from([1, ...bytes(tick, 4), decoded & 255, ...bytes(record, Math.ceil((17 + width) / 8))]);
}

// What comes: "Frames"

function table(text) {
  return text.split(",").map((field) => {
    const [name, bits, ...marks] = field.trim().split(" ");
    const usually = marks.find((mark) => mark.startsWith("g"))?.slice(1);
    const order = usually === undefined ? null : Number(usually);
    return { name, bits: Number(bits), signed: marks.includes("s"), usually: order, place: marks.includes("p") };
  });
}

function value(bits, { bits: width, signed, usually }) {
  if (usually !== null) {
    const coded = bits.golomb(usually);
    return signed ? unfold(coded) : coded;
  }
  const plain = bits.take(width);
  return signed && plain >= 2 ** (width - 1) ? plain - 2 ** width : plain;
}

/** A record and its place, which is told from that of the kind's first entity. */
function entity(bits, fields, first) {
  const row = {};
  for (const field of fields.filter(({ place }) => !place)) row[field.name] = value(bits, field);
  for (const { name, usually } of fields.filter(({ place }) => place)) {
    row[name] = first ? first[name] + unfold(bits.golomb(usually - 2)) : unfold(bits.golomb(usually));
  }
  return row;
}

/** Its tick, its margin, and the rows of every kind by their ids. */
function keyframe(message) {
  const bits = new Bits(message);
  bits.take(8);
  const tick = bits.take(32);
  const margin = value(bits, { bits: 8, signed: true, usually: null });
  const rows = Object.fromEntries(Object.keys({ ...PUBLIC, ...PRIVATE }).map((name) => [name, new Map()]));
  for (const kinds of [PUBLIC, PRIVATE]) {
    const enters = bits.take(1);
    for (const [name, fields] of enters ? Object.entries(kinds) : []) {
      let first = null, last = null;
      for (let count = bits.golomb(0); count > 0; count -= 1) {
        last = last === null ? bits.golomb(12) : last + 1 + bits.golomb(5);
        const row = entity(bits, fields, first);
        rows[name].set(last, row);
        first ??= row;
      }
    }
  }
  if (bits.take(1)) bits.take(32); // the checksum
  if (bits.left() >= 8 || bits.take(bits.left()) !== 0) throw new Error("a keyframe is longer than its rows");
  return { tick, margin, rows };
}

/** What this client knows, and what it says about it in the end. */
class Player {
  constructor(name) {
    Object.assign(this, { name, number: null, tickRate: null, phase: null, listed: false });
    // The tick of the newest message's first frame, and that of its last as far as one can tell.
    Object.assign(this, { tick: null, decoded: null });
    Object.assign(this, { keyframed: null, first: null, asked: null, sent: null });
    Object.assign(this, { ahead: AHEAD, steered: 0, ship: null, start: null, moved: 0 });
    Object.assign(this, { keyframes: 0, deltas: 0, inputs: 0, heard: false, line: `${name} says hello` });
  }

  /** "Control messages to the client"; those that are of no use here are skipped. */
  control(message) {
    const told = new Control(message);
    told.byte();
    const variant = told.varint();
    if (variant === 0) {
      this.number = told.varint();
      this.name = told.text();
      told.varint(); // the tick
      const setup = new Control(told.take(told.varint()));
      setup.varint(); // size
      setup.take(4 + 4 + 1); // rock_density, pickup_density, friendly_fire
      setup.varint(); // seed
      this.tickRate = setup.varint();
    } else if (variant === 1) {
      told.byte(); // everybody
      for (let count = told.varint(); count > 0; count -= 1) {
        const number = told.varint(), name = told.text();
        told.take(5); // computer, team, watching, host, muted
        this.listed ||= number === this.number && name === this.name;
      }
    } else if (variant === 3) {
      const sender = told.option(() => told.varint());
      told.byte(); // team
      this.heard ||= told.text() === this.line && sender === this.number;
    } else if (variant === 8) {
      this.phase = told.byte();
    }
  }

  /** A new tick. Without the rules a delta is no more than that. */
  frame(message) {
    let margin = NO_MARGIN;
    if ((message[0] & 7) === 3) {
      const told = keyframe(message);
      this.tick = this.decoded = this.keyframed = told.tick;
      margin = told.margin;
      this.keyframes += 1;
      this.see(told.rows);
    } else if (this.tick !== null) {
      // "Without the game's rules": as many frames as the message before had.
      const frames = ((message[0] >> 3) - this.tick) & 31;
      this.tick += frames;
      this.decoded = this.tick + frames - 1;
      margin = (message[1] << 24) >> 24;
      this.deltas += 1;
    }
    this.first ??= this.tick;
    this.steer(margin);
  }

  /** How far the own ship is from where it was first seen, as long as it is the same ship. */
  see(rows) {
    for (const [number, ship] of rows.ship) {
      if (ship.player !== this.number) continue;
      const at = [ship.x / PLACE_STEPS_PER_UNIT, ship.y / PLACE_STEPS_PER_UNIT];
      if (number !== this.ship) [this.ship, this.start] = [number, at];
      this.moved = Math.max(this.moved, Math.hypot(at[0] - this.start[0], at[1] - this.start[1]));
    }
  }

  /** Later or earlier by a tick, and then no more until that can have shown: half a second. */
  steer(margin) {
    if (margin === NO_MARGIN || this.tick - this.steered < this.tickRate / 2) return;
    const change = Number(margin < MARGIN_MIN) - Number(margin > MARGIN_MAX);
    if (change === 0) return;
    this.ahead += change;
    this.steered = this.tick;
  }

  /** What to send after a frame: an input, and each second the wish for a keyframe. */
  *answers() {
    const played = this.tick - this.first;
    const tick = this.tick + this.ahead;
    if (this.sent === null || tick > this.sent) {
      const east = played < this.tickRate * PLAY_SECONDS * 5 / 8;
      const lag = Math.min(4 * (tick - this.keyframed), LAG_MAX);
      yield controls(tick, this.decoded, 256, east ? EAST : SOUTH | FIRE, lag);
      this.sent = tick;
      this.inputs += 1;
    }
    if (this.asked === null) {
      yield chat(this.line);
      this.asked = this.tick;
    }
    // From the last keyframe on, as a wish that comes within a second of a granted one is forgotten.
    if (this.tick - Math.max(this.asked, this.keyframed) >= this.tickRate) {
      yield resync(this.tick);
      this.asked = this.tick;
    }
  }

  /** The line in which the client says how it went. */
  told() {
    const { number: player, name, keyframes, deltas, moved, heard, inputs } = this;
    return { player, name, keyframes, deltas, moved, heard, inputs };
  }
}

/** Plays for some seconds over a WebSocket of a kind, and returns what the player saw. */
export async function play(WebSocket, address, name) {
  const player = new Player(name);
  const socket = new WebSocket(address, SUB_PROTOCOL);
  socket.binaryType = "arraybuffer";
  let failure = null, patience;
  const closed = new Promise((resolve, reject) => {
    socket.onclose = resolve;
    patience = setTimeout(() => reject(new Error(`no end after ${PATIENCE_SECONDS} s`)), 1000 * PATIENCE_SECONDS);
  });
  socket.onopen = () => socket.send(hello(name));
  socket.onerror = (event) => (failure ??= new Error(event.message ?? "the connection failed"));
  socket.onmessage = ({ data }) => {
    if (socket.readyState !== WebSocket.OPEN) return;
    try {
      const message = new Uint8Array(data);
      if ((message[0] & 7) === 0) return player.control(message);
      player.frame(message);
      for (const answer of player.answers()) socket.send(answer);
      // "Closing": a goodbye, which frees the seat.
      if (player.tick - player.first >= player.tickRate * PLAY_SECONDS) socket.close(1000);
    } catch (wrong) {
      failure ??= wrong;
      socket.close(1000);
    }
  };
  const { code, reason } = await closed.finally(() => clearTimeout(patience));
  if (failure) throw failure;
  if (code !== 1000) throw new Error(`closed with ${code}: ${reason}`);
  if (!player.listed || player.phase === null) throw new Error("neither the roster nor the phase may be missing");
  return player.told();
}
