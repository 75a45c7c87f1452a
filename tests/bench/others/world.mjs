// The world of the contenders that run on Node.js: ships that fly as inputs say, shots, hits and points. It is simpler
// than the arena's rules (no rocks, no bounces, no energy, no pickups, nobody is judged in the past), which favours
// those that use it. What changes is the same: places and velocities in every tick, aims, now and then health and points.

export const RATE = 30
/** Bytes of an input: count of ticks, aim in turns as a float, keys, and nothing; little-endian. */
export const INPUT_BYTES = 16
/** What a player sees of a world: half of the width and height, as in the arena. */
export const VIEW_HALF_WIDTH = 880
export const VIEW_HALF_HEIGHT = 530

const THRUST = 820 // u/s²
const DRAG = 2 // per second
const SHOT_SPEED = 820 // u/s
const SHOT_TICKS = 30
const SHOT_PAUSE_TICKS = 5
const HIT_REACH = 20 // u
const DAMAGE = 15
const RESPAWN_TICKS = 90
const FIRE = 32
const CELL = 512 // u
const SAMPLE = 40 // ships at which one looks to learn what is in view

/** mulberry32: the same numbers from the same seed. */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Entities by place. */
class Grid {
  constructor(side) {
    this.half = side / 2
    this.across = Math.ceil(side / CELL) + 1
    this.cells = Array.from({ length: this.across * this.across }, () => [])
  }

  clear() {
    for (const cell of this.cells) cell.length = 0
  }

  column(x) {
    return Math.min(this.across - 1, Math.max(0, Math.floor((x + this.half) / CELL)))
  }

  add(entity) {
    this.cells[this.column(entity.y) * this.across + this.column(entity.x)].push(entity)
  }

  /** Calls `tell` for every entity in the rectangle around a place. */
  around(x, y, halfWidth, halfHeight, tell) {
    const left = this.column(x - halfWidth), right = this.column(x + halfWidth)
    const top = this.column(y - halfHeight), bottom = this.column(y + halfHeight)
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        for (const entity of this.cells[row * this.across + column]) {
          if (Math.abs(entity.x - x) <= halfWidth && Math.abs(entity.y - y) <= halfHeight) tell(entity)
        }
      }
    }
  }
}

/** `make` and `gone` let a contender keep something of its own for an entity, as `entity.own`. */
export class World {
  constructor(side, seesAll, { make = () => undefined, gone = () => {} } = {}) {
    this.half = side / 2
    this.seesAll = seesAll
    this.random = random(2026)
    this.ships = new Map()
    this.shots = []
    this.shipGrid = new Grid(side)
    this.shotGrid = new Grid(side)
    this.ids = 0
    this.ticks = 0
    this.told = performance.now()
    this.make = make
    this.gone = gone
  }

  place() {
    return (this.random() * 2 - 1) * this.half
  }

  join(player) {
    const ship = {
      id: ++this.ids & 0xffff, isShip: true, x: this.place(), y: this.place(), vx: 0, vy: 0, aim: 0,
      health: 100, score: 0, keys: 0, pause: 0, away: 0, own: undefined,
    }
    ship.own = this.make(ship)
    this.ships.set(player, ship)
    return ship
  }

  leave(player) {
    const ship = this.ships.get(player)
    if (ship) this.gone(ship)
    this.ships.delete(player)
  }

  /** An input came: `bytes` is a Buffer or Uint8Array. */
  input(player, bytes) {
    const ship = this.ships.get(player)
    if (!ship || bytes.length < INPUT_BYTES) return
    const view = new DataView(bytes.buffer, bytes.byteOffset, INPUT_BYTES)
    ship.aim = view.getFloat32(4, true)
    ship.keys = view.getUint32(8, true)
  }

  step() {
    this.ticks++
    const dt = 1 / RATE, fade = Math.exp(-DRAG * dt)
    this.shipGrid.clear()
    this.shotGrid.clear()
    for (const ship of this.ships.values()) {
      if (ship.away > 0 && --ship.away === 0) {
        ship.x = this.place()
        ship.y = this.place()
        ship.vx = ship.vy = 0
        ship.health = 100
      }
      const thrust = ship.keys & 31
      if (thrust > 0 && thrust <= 16) {
        const angle = ((thrust - 1) / 16) * 2 * Math.PI
        ship.vx += Math.cos(angle) * THRUST * dt
        ship.vy += Math.sin(angle) * THRUST * dt
      }
      ship.vx *= fade
      ship.vy *= fade
      this.move(ship, dt)
      if (ship.pause > 0) ship.pause--
      if (ship.keys & FIRE && ship.pause === 0 && ship.away === 0) {
        ship.pause = SHOT_PAUSE_TICKS
        this.fire(ship)
      }
      this.shipGrid.add(ship)
    }
    let kept = 0
    for (const shot of this.shots) {
      shot.x += shot.vx * dt
      shot.y += shot.vy * dt
      if (--shot.left > 0 && Math.abs(shot.x) < this.half && Math.abs(shot.y) < this.half && !this.hits(shot)) {
        this.shots[kept++] = shot
        this.shotGrid.add(shot)
      } else {
        this.gone(shot)
      }
    }
    this.shots.length = kept
    if (performance.now() - this.told >= 1000) this.tell()
  }

  move(ship, dt) {
    ship.x += ship.vx * dt
    ship.y += ship.vy * dt
    if (Math.abs(ship.x) > this.half) {
      ship.x = Math.sign(ship.x) * this.half
      ship.vx = -ship.vx / 2
    }
    if (Math.abs(ship.y) > this.half) {
      ship.y = Math.sign(ship.y) * this.half
      ship.vy = -ship.vy / 2
    }
  }

  fire(ship) {
    const angle = ship.aim * 2 * Math.PI
    const shot = {
      id: ++this.ids & 0xffff, isShip: false, x: ship.x, y: ship.y, left: SHOT_TICKS, ship,
      vx: ship.vx + Math.cos(angle) * SHOT_SPEED, vy: ship.vy + Math.sin(angle) * SHOT_SPEED, own: undefined,
    }
    shot.own = this.make(shot)
    this.shots.push(shot)
  }

  hits(shot) {
    let hit
    this.shipGrid.around(shot.x, shot.y, HIT_REACH, HIT_REACH, (ship) => {
      if (ship !== shot.ship && ship.away === 0) hit = ship
    })
    if (!hit) return false
    hit.health -= DAMAGE
    shot.ship.score += 5
    if (hit.health <= 0) {
      hit.health = 0
      hit.away = RESPAWN_TICKS
      shot.ship.score += 100
    }
    return true
  }

  /** Calls `tell` for every entity that is in view from a place. */
  inView(x, y, tell) {
    this.shipGrid.around(x, y, VIEW_HALF_WIDTH, VIEW_HALF_HEIGHT, tell)
    this.shotGrid.around(x, y, VIEW_HALF_WIDTH, VIEW_HALF_HEIGHT, tell)
  }

  /** Once a second: how many entities a player has in view, in the mean. */
  tell() {
    this.told = performance.now()
    if (this.seesAll) {
      console.log(`view ${this.ships.size + this.shots.length}`)
      return
    }
    let seen = 0, views = 0
    const ships = [...this.ships.values()], every = Math.max(1, Math.floor(ships.length / SAMPLE))
    for (let i = 0; i < ships.length; i += every) {
      this.inView(ships[i].x, ships[i].y, () => seen++)
      views++
    }
    if (views > 0) console.log(`view ${(seen / views).toFixed(2)}`)
  }
}

/** Calls `step` at the rate, however late the timer is; what is missed is left out. */
export function atRate(step) {
  const period = 1000 / RATE
  let due = performance.now() + period
  const turn = () => {
    step()
    due += period
    if (performance.now() > due) due = performance.now()
    setTimeout(turn, Math.max(0, due - performance.now()))
  }
  setTimeout(turn, period)
}

/** From the command line: port, players, side of the world, and `all` or `view`. */
export function asked() {
  const [port, players, side, sight] = process.argv.slice(2)
  return { port: +port, players: +players, side: +side, seesAll: sight === 'all' }
}
