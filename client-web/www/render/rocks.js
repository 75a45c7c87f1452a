// Rocks: a few shapes with facets, lit from the upper left, drawn once and copied at each rock's size.

import { alpha, mix, onRedraw, palette } from '../palette.js';
import { ROCK } from '../rows.js';
import { dice } from './background.js';
import { sheet } from './sprites.js';

/** How many shapes there are. */
const SHAPES = 7;
/** Pixels across a shape's picture; rocks on large screens are about this big. */
const PIXELS = 420;
/** A shape reaches this far beyond the circle that ships bounce off. */
const REACH = 1.04;
/** How much of the picture is the rock, the rest being its shadow's room. */
const ROOM = 1.16;

/** The rocks of a session. */
export class Rocks {
  #shapes = shapes();
  #rows = new Float32Array(0);

  constructor() {
    onRedraw(() => { this.#shapes = shapes(); });
  }

  /** Takes the session's rocks, strides of `ROCK`. */
  set rows(rows) {
    this.#rows = rows;
  }

  /** Draws those on the screen. */
  draw(context, camera) {
    const rows = this.#rows;
    camera.world(context);
    for (let i = 0, n = 0; i < rows.length; i += ROCK.STRIDE, n++) {
      const radius = rows[i + ROCK.RADIUS];
      const [x, y] = [rows[i + ROCK.X], rows[i + ROCK.Y]];
      if (!camera.sees(x, y, radius * ROOM)) continue;
      this.drawOne(context, n, x, y, radius);
    }
  }

  /** Draws one, in units. */
  drawOne(context, shape, x, y, radius) {
    const reach = radius * ROOM;
    context.drawImage(this.#shapes[shape % SHAPES], x - reach, y - reach, 2 * reach, 2 * reach);
  }
}

const shapes = () => Array.from({ length: SHAPES }, (_, i) => shape(i));

function shape(seed) {
  const random = dice(seed * 131 + 7);
  const [canvas, context] = sheet(2 * ROOM, 2 * ROOM, PIXELS / (2 * ROOM));
  const rim = corners(random, 15, 0.95, REACH);
  const belt = corners(random, 10, 0.62, 0.78);
  const heart = corners(random, 5, 0.22, 0.36);
  context.lineJoin = 'round';

  const shadow = context.createRadialGradient(0.05, 0.07, 0.8, 0.05, 0.07, ROOM - 0.03);
  shadow.addColorStop(0, alpha('#000000', 0.6));
  shadow.addColorStop(1, alpha('#000000', 0));
  context.fillStyle = shadow;
  context.fillRect(-ROOM, -ROOM, 2 * ROOM, 2 * ROOM);

  // A dome of three rings of corners, higher towards the middle, cut into triangles and lit.
  strip(context, random, rim, 0, belt, 0.5);
  strip(context, random, belt, 0.5, heart, 0.78);
  heart.forEach((corner, i) => {
    facet(context, random, [[...corner, 0.78], [...heart[(i + 1) % heart.length], 0.78], [0, 0, 0.86]]);
  });

  path(context, rim);
  context.save();
  context.clip();
  const dusk = context.createLinearGradient(-0.8, -0.8, 0.8, 0.8);
  dusk.addColorStop(0.25, alpha(palette.void, 0));
  dusk.addColorStop(1, alpha(palette.void, 0.72));
  context.fillStyle = dusk;
  context.fillRect(-ROOM, -ROOM, 2 * ROOM, 2 * ROOM);
  for (let i = 0; i < 4; i++) crater(context, random);
  context.restore();
  // A line all round tells exactly where the rock ends, in the dark as well.
  path(context, rim);
  context.strokeStyle = alpha(mix(palette.rockLight, palette.line, 0.35), 0.6);
  context.lineWidth = 0.016;
  context.stroke();
  return canvas;
}

function corners(random, count, low, high) {
  const turn = random() * 7;
  return Array.from({ length: count }, (_, i) => {
    const angle = turn + ((i + (random() - 0.5) * 0.55) / count) * Math.PI * 2;
    const radius = low + random() * (high - low);
    return [Math.cos(angle) * radius, Math.sin(angle) * radius];
  });
}

// Triangles between two rings of corners, always advancing on the ring that lags behind in angle.
function strip(context, random, outer, outerHeight, inner, innerHeight) {
  const angle = ([x, y]) => Math.atan2(y, x);
  const sorted = (list) => [...list].sort((a, b) => angle(a) - angle(b));
  const [a, b] = [sorted(outer), sorted(inner)];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const at = (list, k) => angle(list[k % list.length]) + (k >= list.length ? Math.PI * 2 : 0);
    const lift = (list, k, height) => [...list[k % list.length], height];
    const outerNext = j >= b.length || (i < a.length && at(a, i + 1) <= at(b, j + 1));
    const third = outerNext ? lift(a, i + 1, outerHeight) : lift(b, j + 1, innerHeight);
    facet(context, random, [lift(a, i, outerHeight), lift(b, j, innerHeight), third]);
    if (outerNext) i += 1; else j += 1;
  }
}

function facet(context, random, [p, q, r]) {
  const [ux, uy, uz] = [q[0] - p[0], q[1] - p[1], q[2] - p[2]];
  const [vx, vy, vz] = [r[0] - p[0], r[1] - p[1], r[2] - p[2]];
  let [nx, ny, nz] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
  if (nz < 0) [nx, ny, nz] = [-nx, -ny, -nz];
  const length = Math.hypot(nx, ny, nz) || 1;
  const light = Math.max(0, (-0.55 * nx - 0.62 * ny + 0.56 * nz) / length);
  const shade = Math.min(1, 0.1 + 0.72 * light + (random() - 0.5) * 0.09);
  const colour = mix(palette.rockDark, palette.rockLight, Math.max(0, shade));
  context.beginPath();
  for (const [x, y] of [p, q, r]) context.lineTo(x, y);
  context.closePath();
  context.fillStyle = context.strokeStyle = colour;
  context.lineWidth = 0.008;
  context.fill();
  context.stroke();
}

function crater(context, random) {
  const [angle, far, size] = [random() * 7, 0.25 + random() * 0.5, 0.06 + random() * 0.09];
  const [x, y] = [Math.cos(angle) * far, Math.sin(angle) * far];
  context.fillStyle = alpha(palette.void, 0.3);
  context.beginPath();
  context.ellipse(x, y, size, size * 0.85, angle, 0, 7);
  context.fill();
  context.strokeStyle = alpha(palette.rockLight, 0.3);
  context.lineWidth = 0.014;
  context.beginPath();
  context.ellipse(x, y, size, size * 0.85, angle, 0.4 - angle, 2.4 - angle);
  context.stroke();
}

function path(context, ring) {
  const sorted = [...ring].sort((a, b) => Math.atan2(a[1], a[0]) - Math.atan2(b[1], b[0]));
  context.beginPath();
  sorted.forEach(([x, y]) => context.lineTo(x, y));
  context.closePath();
}
