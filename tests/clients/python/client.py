"""A client in Python, written from docs/protocol.md alone; comments name the page's sections.

    python3 -m venv venv && venv/bin/pip install websockets  # Python 3.11 or newer
    venv/bin/python client.py ws://127.0.0.1:8080/play Ada

It has not the game's rules: it decodes keyframes, of which it asks for one a second, and of a delta
reads the tick and the margin. It flies for some seconds, says a line of chat, and prints what it saw.
"""

import asyncio
import json
import math
import sys

from websockets.asyncio.client import connect

SUB_PROTOCOL = "gamekeeper.7"
# "The arena's tables": what Hello has to give, and the tables themselves.
PROTOCOL = 0x78CDD973BAD82EBE
# Bits of each field; s: signed, g and its order: "usually", p: the entity's place, which follows the record.
SHIP = """aim 10, controls 7, lag 9 g4, vx 16 s, vy 16 s, hp 7, mend 10 g0, x 23 s g20 p, y 23 s g20 p, energy 10,
    heading 12, cooldown 6 g0, shots 5, protect 10 g0, overdrive 10 g0, spark 7, team 3 g0, player 16 g8"""
SHOT = "vx 13 s, vy 13 s, x 19 s g16 p, y 19 s g16 p, ttl 8 g5, lag 9 g4, player 16 g8"
PICKUP = "x 23 s g20 p, y 23 s g20 p, what 3"
PILOT = """respawn 9 g0, score 24 s, kills 14 g6, deaths 14 g6, streak 10 g4, hits 8, hurts 8, hurt_from 8,
    killer 17 g9, x 23 s, y 23 s, player 16 g8"""
PUBLIC, PRIVATE = {"ship": SHIP, "shot": SHOT, "pickup": PICKUP}, {"pilot": PILOT}
PLACE_STEPS_PER_UNIT = 256

EAST, SOUTH, FIRE = 1, 5, 1 << 5
NO_MARGIN = -128
# How early inputs shall come before their tick, in 1/8 tick, and what the first is ahead of the frames, in ticks.
MARGIN_MIN, MARGIN_MAX, AHEAD = 4, 20, 3
LAG_MAX = 511
PLAY_SECONDS, PATIENCE_SECONDS = 4, 20


# "Building blocks"


def unfold(value):
    """0, 1, 2, 3 ... are 0, -1, 1, -2 ..."""
    return value >> 1 if value % 2 == 0 else -(value >> 1) - 1


class Bits:
    """Reads bits, from the lowest of the first byte on."""

    def __init__(self, message):
        self.bits, self.left = int.from_bytes(message, "little"), 8 * len(message)

    def take(self, count):
        if count > self.left:
            raise ValueError("a frame ends too early")
        value = self.bits & ((1 << count) - 1)
        self.bits >>= count
        self.left -= count
        return value

    def golomb(self, order):
        zeros = 0
        while self.take(1) == 0:
            zeros += 1
        return (1 << (zeros + order)) + self.take(zeros + order) - (1 << order)


class Control:
    """Reads a control message."""

    def __init__(self, message):
        self.message, self.at = message, 0

    def take(self, count):
        if self.at + count > len(self.message):
            raise ValueError("a control message ends too early")
        self.at += count
        return self.message[self.at - count : self.at]

    def byte(self):
        return self.take(1)[0]

    def varint(self):
        first = self.byte()
        width = {251: 2, 252: 4, 253: 8}.get(first)
        return int.from_bytes(self.take(width), "little") if width else first

    def text(self):
        return self.take(self.varint()).decode()

    def option(self, read):
        return read() if self.byte() else None


# What is sent: "Control messages to the server", "Input"


def text(value):
    data = value.encode()
    assert len(data) < 251, "longer needs more of a varint than this client writes"
    return bytes([len(data)]) + data


def hello(name):
    nobody = bytes(16)
    return b"\0\0" + b"\xfd" + PROTOCOL.to_bytes(8, "little") + text(name) + b"\0" + nobody + b"\0" + b"\0"


def chat(line):
    return b"\0\1" + b"\0" + text(line)


def resync(tick):
    return b"\0\2" + b"\xfc" + tick.to_bytes(4, "little") + b"\0"


def golomb(value, order):
    """A code of an order as its bits and their number."""
    value += 1 << order
    zeros = value.bit_length() - 1 - order
    low = value - (1 << (zeros + order))
    return (1 | low << 1) << zeros, 2 * zeros + 1 + order


def controls(tick, decoded, aim, pressed, lag):
    code, width = golomb(lag, 4)
    record = aim | pressed << 10 | code << 17
    return b"\1" + tick.to_bytes(4, "little") + bytes([decoded % 256]) + record.to_bytes((17 + width + 7) // 8, "little")


# What comes: "Frames"


def table(text):
    fields = []
    for name, bits, *marks in (field.split() for field in text.split(",")):
        usually = next((int(mark[1:]) for mark in marks if mark[0] == "g"), None)
        fields.append((name, int(bits), "s" in marks, usually, "p" in marks))
    return fields


def value(bits, width, signed, usually):
    if usually is not None:
        coded = bits.golomb(usually)
        return unfold(coded) if signed else coded
    plain = bits.take(width)
    return plain - (1 << width) if signed and plain >> (width - 1) else plain


def entity(bits, fields, first):
    """A record and its place, which is told from that of the kind's first entity."""
    row = {name: value(bits, *how) for name, *how, place in fields if not place}
    for name, _, _, usually, place in fields:
        if place and first is None:
            row[name] = unfold(bits.golomb(usually))
        elif place:
            row[name] = first[name] + unfold(bits.golomb(usually - 2))
    return row


def keyframe(message):
    """Its tick, its margin, and the rows of every kind by their ids."""
    bits = Bits(message)
    bits.take(8)
    tick, margin = bits.take(32), value(bits, 8, True, None)
    rows = {name: {} for name in PUBLIC | PRIVATE}
    for kinds in PUBLIC, PRIVATE:
        enters = bits.take(1)
        for name, text in kinds.items() if enters else []:
            fields, first, last = table(text), None, None
            for _ in range(bits.golomb(0)):
                last = bits.golomb(12) if last is None else last + 1 + bits.golomb(5)
                rows[name][last] = entity(bits, fields, first)
                first = first or rows[name][last]
    if bits.take(1):
        bits.take(32)  # the checksum
    if bits.left >= 8 or bits.bits:
        raise ValueError("a keyframe is longer than its rows")
    return tick, margin, rows


class Player:
    """What this client knows, and what it says about it in the end."""

    def __init__(self, name):
        self.name, self.number, self.tick_rate, self.phase, self.listed = name, None, None, None, False
        # The tick of the newest message's first frame, and that of its last as far as one can tell.
        self.tick, self.decoded = None, None
        self.keyframed, self.first, self.asked, self.sent = None, None, None, None
        self.ahead, self.steered = AHEAD, 0
        self.ship, self.start, self.moved = None, None, 0.0
        self.keyframes = self.deltas = self.inputs = 0
        self.heard, self.line = False, f"{name} says hello"

    def control(self, message):
        """ "Control messages to the client"; those that are of no use here are skipped."""
        told = Control(message)
        told.byte()
        variant = told.varint()
        if variant == 0:
            self.number, self.name, told_tick = told.varint(), told.text(), told.varint()
            setup = Control(told.take(told.varint()))
            size = setup.varint()
            setup.take(4 + 4 + 1)  # rock_density, pickup_density, friendly_fire
            seed, self.tick_rate = setup.varint(), setup.varint()
            print(f"player {self.number} at tick {told_tick}, an arena of {size} units, seed {seed}", file=sys.stderr)
        elif variant == 1:
            told.byte()  # everybody
            for _ in range(told.varint()):
                number, name, _, _, _, _, _ = told.varint(), told.text(), *(told.byte() for _ in range(5))
                self.listed |= (number, name) == (self.number, self.name)
        elif variant == 3:
            sender, _, line = told.option(told.varint), told.byte(), told.text()
            self.heard |= (sender, line) == (self.number, self.line)
        elif variant == 8:
            self.phase = told.byte()

    def frame(self, message):
        """Whether this is a new tick's frame. Without the rules a delta is just another tick."""
        if message[0] & 7 == 3:
            self.tick, margin, rows = keyframe(message)
            self.decoded = self.tick
            self.keyframes += 1
            self.keyframed = self.tick
            self.see(rows)
        elif self.tick is not None:
            # "Without the game's rules": as many frames as the message before had.
            frames = (message[0] >> 3) - self.tick & 31
            self.tick += frames
            self.decoded = self.tick + frames - 1
            margin = int.from_bytes(message[1:2], "little", signed=True)
            self.deltas += 1
        self.first = self.first if self.first is not None else self.tick
        self.steer(margin)

    def see(self, rows):
        """How far the own ship is from where it was first seen, as long as it is the same ship."""
        for number, ship in rows["ship"].items():
            if ship["player"] == self.number:
                at = (ship["x"] / PLACE_STEPS_PER_UNIT, ship["y"] / PLACE_STEPS_PER_UNIT)
                if number != self.ship:
                    self.ship, self.start = number, at
                self.moved = max(self.moved, math.dist(at, self.start))

    def steer(self, margin):
        """Later or earlier by a tick, and then no more until that can have shown: half a second."""
        if margin == NO_MARGIN or self.tick - self.steered < self.tick_rate // 2:
            return
        change = (margin < MARGIN_MIN) - (margin > MARGIN_MAX)
        if change:
            self.ahead += change
            self.steered = self.tick

    def answers(self):
        """What to send after a frame: an input, and each second the wish for a keyframe."""
        played = self.tick - self.first
        tick = self.tick + self.ahead
        if self.sent is None or tick > self.sent:
            east = played < self.tick_rate * PLAY_SECONDS * 5 // 8
            lag = min(4 * (tick - self.keyframed), LAG_MAX)
            yield controls(tick, self.decoded, 256, EAST if east else SOUTH | FIRE, lag)
            self.sent = tick
            self.inputs += 1
        if self.asked is None:
            yield chat(self.line)
            self.asked = self.tick
        # From the last keyframe on, as a wish that comes within a second of a granted one is forgotten.
        if self.tick - max(self.asked, self.keyframed) >= self.tick_rate:
            yield resync(self.tick)
            self.asked = self.tick

    def told(self):
        """The line in which the client says how it went."""
        names = ("name", "keyframes", "deltas", "moved", "heard", "inputs")
        return {"player": self.number} | {name: getattr(self, name) for name in names}


async def play(address, name):
    player = Player(name)
    async with connect(address, subprotocols=[SUB_PROTOCOL]) as socket:
        await socket.send(hello(name))
        async for message in socket:
            if message[0] & 7 == 0:
                player.control(message)
                continue
            player.frame(message)
            for answer in player.answers():
                await socket.send(answer)
            if player.tick - player.first >= player.tick_rate * PLAY_SECONDS:
                break
        # "Closing": a goodbye, which frees the seat.
        await socket.close(code=1000)
    if socket.close_code != 1000:
        raise ValueError(f"closed with {socket.close_code}: {socket.close_reason}")
    if not player.listed or player.phase is None:
        raise ValueError("neither the roster nor the phase may be missing")
    return player.told()


async def main(address, name):
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            print(json.dumps(await play(address, name)))
    except Exception as failure:
        print(f"{type(failure).__name__}: {failure}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
