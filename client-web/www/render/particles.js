// Particles: a fixed pool of short-lived pictures. Comes in: what to throw where. Goes out: drawing.
// The pool never grows; when it is full the oldest are overwritten, which nobody sees in a crowd.

/** The most particles at a time. */
const POOL = 900;
/** Numbers per particle. */
const STRIDE = 11;
const [X, Y, VX, VY, AGE, LIFE, SIZE, GROW, ANGLE, SPIN, DRAG] = Array(STRIDE).keys();

/** How a particle is drawn. `STREAK` is stretched along its motion; a `BALL` looks the same however it is
 *  turned; a `SOLID` hides what is behind it. */
export const LOOK = { STREAK: 0, BALL: 1, SOLID: 2 };

/** The pool. */
export class Particles {
  #numbers = new Float32Array(POOL * STRIDE);
  #sprites = new Array(POOL).fill(null);
  #looks = new Uint8Array(POOL);
  #next = 0;
  /** How many live, as of the last `step`. */
  alive = 0;

  /** Adds one. `size` in units, changing by `grow` units per second; `life` in seconds; `drag` is the
   *  share of speed lost per second. */
  add(look, sprite, x, y, vx, vy, life, size, { grow = 0, angle = 0, spin = 0, drag = 1.5 } = {}) {
    const i = this.#next;
    this.#next = (i + 1) % POOL;
    this.#sprites[i] = sprite;
    this.#looks[i] = look;
    const n = this.#numbers;
    const at = i * STRIDE;
    n[at + X] = x; n[at + Y] = y; n[at + VX] = vx; n[at + VY] = vy;
    n[at + AGE] = 0; n[at + LIFE] = life; n[at + SIZE] = size; n[at + GROW] = grow;
    n[at + ANGLE] = angle; n[at + SPIN] = spin; n[at + DRAG] = drag;
  }

  /** Lets `seconds` pass. */
  step(seconds) {
    const n = this.#numbers;
    this.alive = 0;
    for (let i = 0, at = 0; i < POOL; i++, at += STRIDE) {
      if (!this.#sprites[i]) continue;
      n[at + AGE] += seconds;
      if (n[at + AGE] >= n[at + LIFE]) { this.#sprites[i] = null; continue; }
      this.alive += 1;
      const keep = Math.max(0, 1 - n[at + DRAG] * seconds);
      n[at + VX] *= keep;
      n[at + VY] *= keep;
      n[at + X] += n[at + VX] * seconds;
      n[at + Y] += n[at + VY] * seconds;
      n[at + SIZE] += n[at + GROW] * seconds;
      n[at + ANGLE] += n[at + SPIN] * seconds;
    }
  }

  /** Draws the solid ones, then the glowing ones on top. */
  draw(context, camera) {
    if (!this.alive) return;
    context.globalCompositeOperation = 'source-over';
    this.#pass(context, camera, LOOK.SOLID);
    context.globalCompositeOperation = 'lighter';
    this.#pass(context, camera, LOOK.STREAK);
    context.setTransform(1, 0, 0, 1, 0, 0);
    this.#pass(context, camera, LOOK.BALL);
    context.globalCompositeOperation = 'source-over';
    context.globalAlpha = 1;
  }

  // A pass for each look: balls, which are the most, need no transform of their own.
  #pass(context, camera, look) {
    const n = this.#numbers;
    for (let i = 0, at = 0; i < POOL; i++, at += STRIDE) {
      const sprite = this.#sprites[i];
      if (!sprite || this.#looks[i] !== look) continue;
      const size = n[at + SIZE];
      if (size <= 0 || !camera.sees(n[at + X], n[at + Y], size * 2)) continue;
      const left = 1 - n[at + AGE] / n[at + LIFE];
      context.globalAlpha = left < 0.6 ? left / 0.6 : 1;
      if (look === LOOK.BALL) {
        const radius = size * camera.scale;
        context.drawImage(sprite, camera.toX(n[at + X]) - radius, camera.toY(n[at + Y]) - radius, 2 * radius, 2 * radius);
      } else if (look === LOOK.STREAK) {
        const speed = Math.hypot(n[at + VX], n[at + VY]);
        camera.place(context, n[at + X], n[at + Y], Math.atan2(n[at + VY], n[at + VX]), size);
        const length = 1 + speed * 0.012;
        context.drawImage(sprite, -2 * length, -0.5, 2 * length, 1);
      } else {
        camera.place(context, n[at + X], n[at + Y], n[at + ANGLE], size);
        context.drawImage(sprite, -1, -1, 2, 2);
      }
    }
  }

  /** Forgets all. */
  clear() {
    this.#sprites.fill(null);
    this.alive = 0;
  }
}
