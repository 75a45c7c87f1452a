// Node.js with `ws`: the state packed by hand into as few bytes as its ranges need, once per tick for a room, for each
// player in a world with area of interest.
//
//   message: u32 tick, u16 ships, then of each ship    u16 id, u16 x, u16 y, i16 vx, i16 vy, u8 aim, u8 health, u16 score
//                                 then of each shot    u16 id, u16 x, u16 y, i16 vx, i16 vy
import { WebSocketServer } from 'ws'
import { World, asked, atRate } from './world.mjs'

const SHIP_BYTES = 14
const SHOT_BYTES = 10
const HEAD_BYTES = 6

const { port, side, seesAll } = asked()
const world = new World(side, seesAll)
const placeSteps = 65535 / side

function pack(ships, shots) {
  const out = Buffer.allocUnsafe(HEAD_BYTES + ships.length * SHIP_BYTES + shots.length * SHOT_BYTES)
  out.writeUInt32LE(world.ticks, 0)
  out.writeUInt16LE(ships.length, 4)
  let at = HEAD_BYTES
  const common = (entity) => {
    out.writeUInt16LE(entity.id, at)
    out.writeUInt16LE(Math.round((entity.x + world.half) * placeSteps), at + 2)
    out.writeUInt16LE(Math.round((entity.y + world.half) * placeSteps), at + 4)
    out.writeInt16LE(Math.round(entity.vx * 16), at + 6)
    out.writeInt16LE(Math.round(entity.vy * 16), at + 8)
  }
  for (const ship of ships) {
    common(ship)
    out.writeUInt8((ship.aim * 256) & 255, at + 10)
    out.writeUInt8(ship.health, at + 11)
    out.writeUInt16LE(ship.score & 0xffff, at + 12)
    at += SHIP_BYTES
  }
  for (const shot of shots) {
    common(shot)
    at += SHOT_BYTES
  }
  return out
}

const server = new WebSocketServer({ port, host: '127.0.0.1' })
server.on('connection', (socket) => {
  world.join(socket)
  socket.on('message', (bytes) => world.input(socket, bytes))
  socket.on('close', () => world.leave(socket))
  socket.on('error', () => socket.terminate())
})

atRate(() => {
  world.step()
  if (seesAll) {
    const bytes = pack([...world.ships.values()], world.shots)
    for (const socket of server.clients) socket.send(bytes)
    return
  }
  const ships = [], shots = []
  for (const [socket, ship] of world.ships) {
    ships.length = shots.length = 0
    world.inView(ship.x, ship.y, (entity) => (entity.isShip ? ships : shots).push(entity))
    socket.send(pack(ships, shots))
  }
})
