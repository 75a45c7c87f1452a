// Colyseus: one room, its own state with fields as small as their ranges allow, its ordinary WebSocket transport. In a
// world with area of interest every client has a StateView, to which what comes into view is added.
import { Server, Room } from '@colyseus/core'
import { Encoder, StateView, schema, t } from '@colyseus/schema'
import { WebSocketTransport } from '@colyseus/ws-transport'
import { RATE, World, asked } from './world.mjs'

const { port, players, side, seesAll } = asked()
// As its documentation says for large states: else it grows the buffer again and again.
Encoder.BUFFER_SIZE = 1024 * 1024

const Ship = schema({
  x: t.uint16(), y: t.uint16(), vx: t.int16(), vy: t.int16(), aim: t.uint8(), health: t.uint8(), score: t.uint16(),
}, 'Ship')
const Shot = schema({ x: t.uint16(), y: t.uint16(), vx: t.int16(), vy: t.int16() }, 'Shot')
const State = schema(seesAll
  ? { ships: t.map(Ship), shots: t.map(Shot) }
  : { ships: t.map(Ship).view(), shots: t.map(Shot).view() }, 'State')

class Arena extends Room {
  maxClients = players
  patchRate = 1000 / RATE
  autoDispose = false

  onCreate() {
    this.state = new State()
    this.steps = 65535 / side
    this.world = new World(side, seesAll, { make: (entity) => this.make(entity), gone: (entity) => this.gone(entity) })
    this.onMessageBytes(0, (client, bytes) => this.world.input(client, bytes))
    this.setSimulationInterval(() => this.tick(), 1000 / RATE)
  }

  onJoin(client) {
    if (!seesAll) {
      client.view = new StateView()
      client.seen = new Set()
    }
    client.ship = this.world.join(client)
  }

  onLeave(client) {
    this.world.leave(client)
  }

  make(entity) {
    const own = entity.isShip ? new Ship() : new Shot()
    entity.own = own
    this.write(entity)
    ;(entity.isShip ? this.state.ships : this.state.shots).set(String(entity.id), own)
    return own
  }

  gone(entity) {
    entity.isGone = true
    ;(entity.isShip ? this.state.ships : this.state.shots).delete(String(entity.id))
  }

  write({ own, isShip, x, y, vx, vy, aim, health, score }) {
    own.x = Math.round((x + this.world.half) * this.steps)
    own.y = Math.round((y + this.world.half) * this.steps)
    own.vx = Math.round(vx * 16)
    own.vy = Math.round(vy * 16)
    if (isShip) {
      own.aim = (aim * 256) & 255
      own.health = health
      own.score = score & 0xffff
    }
  }

  tick() {
    const { world } = this
    world.step()
    for (const ship of world.ships.values()) this.write(ship)
    for (const shot of world.shots) this.write(shot)
    if (!seesAll) for (const [client, ship] of world.ships) this.look(client, ship)
  }

  /** Adds what has come into view, and removes what has left it. */
  look(client, ship) {
    const seen = new Set()
    this.world.inView(ship.x, ship.y, (entity) => {
      seen.add(entity)
      if (!client.seen.delete(entity)) client.view.add(entity.own)
    })
    // Who is gone for good has left every view already.
    for (const left of client.seen) if (!left.isGone) client.view.remove(left.own)
    client.seen = seen
  }
}

const server = new Server({ transport: new WebSocketTransport(), greet: false })
server.define('arena', Arena)
await server.listen(port, '127.0.0.1')
