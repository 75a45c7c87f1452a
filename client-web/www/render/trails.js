// Engine trails: a tapering ribbon along the way a ship came. Comes in: the ships' rows, frame by
// frame. Ribbons of one tint are filled in one go.

import { TINTS, alpha, tintOf } from '../palette.js';
import { IS, SHIP } from '../rows.js';

/** Places remembered per ship. */
const POINTS = 22;
/** Time between two places, seconds. */
const STEP = 0.026;
/** Paint of a ribbon. */
const paint = (tint) => alpha(TINTS[tint], tint === 0 ? 0.42 : 0.34);
/** A ship that jumped farther than this between frames, units, starts a new ribbon. */
const JUMP = 150;

class Ribbon {
  xs = new Float32Array(POINTS);
  ys = new Float32Array(POINTS);
  widths = new Float32Array(POINTS);
  count = 0;
  head = 0;
  wait = 0;
  seen = 0;
  tint = 0;
}

/** The ribbons of all ships in view. */
export class Trails {
  #ribbons = new Map();
  #frame = 0;

  /** Notes where ships are now. */
  follow(ships, seconds) {
    this.#frame += 1;
    for (let i = 0; i < ships.length; i += SHIP.STRIDE) {
      const flags = ships[i + SHIP.FLAGS];
      const id = ships[i + SHIP.ID];
      let ribbon = this.#ribbons.get(id);
      if (!ribbon) this.#ribbons.set(id, (ribbon = new Ribbon()));
      ribbon.seen = this.#frame;
      ribbon.tint = tintOf(ships[i + SHIP.PLAYER], flags & IS.OWN);
      const x = ships[i + SHIP.X] - Math.cos(ships[i + SHIP.HEADING]) * 10;
      const y = ships[i + SHIP.Y] - Math.sin(ships[i + SHIP.HEADING]) * 10;
      const last = ribbon.head;
      if (ribbon.count && Math.hypot(x - ribbon.xs[last], y - ribbon.ys[last]) > JUMP) ribbon.count = 0;
      const thrust = ships[i + SHIP.THRUST] >= 0;
      const width = !thrust ? 1.1 : flags & (IS.BOOSTING | IS.OVERDRIVEN) ? 6.2 : 3.9;
      ribbon.wait -= seconds;
      if (ribbon.wait <= 0 || !ribbon.count) {
        ribbon.wait = STEP;
        ribbon.head = (ribbon.head + 1) % POINTS;
        ribbon.count = Math.min(POINTS, ribbon.count + 1);
        ribbon.widths[ribbon.head] = width;
      }
      // The newest place moves along with the ship, so that ribbon and ship never part.
      ribbon.xs[ribbon.head] = x;
      ribbon.ys[ribbon.head] = y;
    }
    for (const [id, ribbon] of this.#ribbons) {
      if (ribbon.seen === this.#frame) continue;
      ribbon.count -= 1;
      if (ribbon.count < 3) this.#ribbons.delete(id);
    }
  }

  /** Draws them. */
  draw(context, camera) {
    camera.world(context);
    context.globalCompositeOperation = 'lighter';
    for (let tint = 0; tint < TINTS.length; tint++) {
      context.beginPath();
      let any = false;
      for (const ribbon of this.#ribbons.values()) {
        if (ribbon.tint !== tint || ribbon.count < 3) continue;
        trace(context, ribbon);
        any = true;
      }
      if (!any) continue;
      context.fillStyle = paint(tint);
      context.fill();
    }
    context.globalCompositeOperation = 'source-over';
  }

  /** Forgets all. */
  clear() {
    this.#ribbons.clear();
  }
}

// Down one side from the ship to the tail's end, and back up the other. Places are half a ship's length
// apart, more where frames are few: the edge runs from middle to middle of them in curves, so that a
// turn is round at every frame rate. Filling closes the shape.
function trace(context, ribbon) {
  const { count } = ribbon;
  findEdge(ribbon, 0, 1);
  context.moveTo(edgeX, edgeY);
  for (let n = 1; n < 2 * count; n++) {
    const fromX = edgeX;
    const fromY = edgeY;
    if (n < count) findEdge(ribbon, n, 1); else findEdge(ribbon, 2 * count - 1 - n, -1);
    context.quadraticCurveTo(fromX, fromY, (fromX + edgeX) / 2, (fromY + edgeY) / 2);
  }
  context.lineTo(edgeX, edgeY);
}

// What `findEdge` found. It runs a thousand times a frame and so makes no objects.
let edgeX = 0;
let edgeY = 0;

// The ribbon's edge at the `k`th place behind the ship, to one side of the way.
function findEdge({ xs, ys, widths, count, head }, k, sign) {
  const here = (head - k + POINTS) % POINTS;
  const before = k === 0 ? here : (here + 1) % POINTS;
  const after = k === count - 1 ? here : (here - 1 + POINTS) % POINTS;
  const dx = xs[before] - xs[after];
  const dy = ys[before] - ys[after];
  const width = (sign * widths[here] * (1 - k / count)) / (Math.sqrt(dx * dx + dy * dy) || 1);
  edgeX = xs[here] - dy * width;
  edgeY = ys[here] + dx * width;
}
