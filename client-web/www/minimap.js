// The map in the corner: rocks, the part in view, ships and pickups in it, and rings for who is told of beyond it.
// Comes in: rows and places.
// What does not move is drawn once.

import { IS, PICKUP, ROCK, SHIP, VIEW } from './rows.js';
import { PICKUP_COLOURS, TINTS, alpha, onRedraw, palette, tintOf } from './palette.js';

/** How often the map is drawn, ms. */
const EVERY_MS = 66;
/** Room between the arena's wall and the map's edge, CSS pixels. */
const MARGIN = 7;

/** The map. */
export class Minimap {
  #canvas = document.getElementById('minimap');
  #context = this.#canvas.getContext('2d');
  #ground = document.createElement('canvas');
  #rocks = new Float32Array(0);
  #half = 0;
  #side = 0;
  #ratio = 1;
  #last = 0;
  #width = this.#canvas.clientWidth;

  constructor() {
    // Asking an element for its width in every frame would lay out the page in every frame.
    new ResizeObserver(() => { this.#width = this.#canvas.clientWidth; }).observe(this.#canvas);
    onRedraw(() => { this.#side = 0; });
    this.#canvas.addEventListener('click', () => this.toggle());
  }

  /** Whether it is shown large, over the arena. */
  get large() { return this.#canvas.classList.contains('large'); }

  /** Makes it large, or small again. */
  toggle() {
    this.#canvas.classList.toggle('large');
  }

  /** Makes it small; true when it was large. */
  close() {
    const was = this.large;
    this.#canvas.classList.remove('large');
    return was;
  }

  /** Takes the session's rocks and the arena's half width, units. */
  setArena(rocks, half) {
    this.#rocks = rocks;
    this.#half = half;
    this.#side = 0;
  }

  /** Draws, if it is time; what is in view lies around `x`, `y`, those out of it are `away`, and `leader` wears a crown. */
  draw({ ships, pickups }, away, x, y, leader, now) {
    if (now - this.#last < EVERY_MS || !this.#half || !this.#width) return;
    this.#last = now;
    this.#fit();
    const context = this.#context;
    const scale = this.#scale();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.#side, this.#side);
    context.drawImage(this.#ground, 0, 0);
    context.setTransform(scale, 0, 0, scale, this.#side / 2, this.#side / 2);
    const dot = (this.#ratio * (this.large ? 3.6 : 2.1)) / scale;
    const [width, height] = [VIEW.WIDTH, VIEW.HEIGHT];
    context.fillStyle = alpha(palette.line, 0.07);
    context.strokeStyle = alpha(palette.line, 0.35);
    context.lineWidth = this.#ratio / scale;
    context.fillRect(x - width / 2, y - height / 2, width, height);
    context.strokeRect(x - width / 2, y - height / 2, width, height);
    for (let i = 0; i < pickups.length; i += PICKUP.STRIDE) {
      context.fillStyle = PICKUP_COLOURS[pickups[i + PICKUP.WHAT]] ?? palette.ink;
      context.fillRect(pickups[i + PICKUP.X] - dot * 0.7, pickups[i + PICKUP.Y] - dot * 0.7, dot * 1.4, dot * 1.4);
    }
    context.lineWidth = (this.#ratio * 1.3) / scale;
    for (const { player, x: farX, y: farY } of away) {
      if (player === leader) this.#dot(palette.crown, farX, farY, dot * 1.8);
      context.strokeStyle = TINTS[tintOf(player, false)];
      context.beginPath();
      context.arc(farX, farY, dot, 0, 7);
      context.stroke();
    }
    for (let i = 0; i < ships.length; i += SHIP.STRIDE) {
      const own = ships[i + SHIP.FLAGS] & IS.OWN;
      if (own) continue;
      const first = ships[i + SHIP.PLAYER] === leader;
      if (first) this.#dot(palette.crown, ships[i + SHIP.X], ships[i + SHIP.Y], dot * 1.8);
      this.#dot(TINTS[tintOf(ships[i + SHIP.PLAYER], false)], ships[i + SHIP.X], ships[i + SHIP.Y], dot);
    }
    for (let i = 0; i < ships.length; i += SHIP.STRIDE) {
      if (ships[i + SHIP.FLAGS] & IS.OWN) {
        this.#arrow(ships[i + SHIP.X], ships[i + SHIP.Y], ships[i + SHIP.HEADING], dot * 2.6);
      }
    }
  }

  #dot(colour, x, y, radius) {
    this.#context.fillStyle = colour;
    this.#context.beginPath();
    this.#context.arc(x, y, radius, 0, 7);
    this.#context.fill();
  }

  #arrow(x, y, heading, size) {
    const context = this.#context;
    const tip = (turn, far) => [x + Math.cos(heading + turn) * size * far, y + Math.sin(heading + turn) * size * far];
    context.fillStyle = TINTS[0];
    context.beginPath();
    context.moveTo(...tip(0, 1.2));
    context.lineTo(...tip(2.5, 1));
    context.lineTo(...tip(Math.PI, 0.35));
    context.lineTo(...tip(-2.5, 1));
    context.fill();
  }

  #scale() {
    return (this.#side - 2 * MARGIN * this.#ratio) / (2 * this.#half);
  }

  #fit() {
    const ratio = Math.min(2, devicePixelRatio || 1);
    const side = Math.round(this.#width * ratio);
    if (side === this.#side) return;
    this.#side = side;
    this.#ratio = ratio;
    for (const canvas of [this.#canvas, this.#ground]) canvas.width = canvas.height = side;
    const ground = this.#ground.getContext('2d');
    const scale = this.#scale();
    ground.setTransform(scale, 0, 0, scale, side / 2, side / 2);
    ground.strokeStyle = alpha(palette.line, 0.5);
    ground.lineWidth = ratio / scale;
    ground.strokeRect(-this.#half, -this.#half, 2 * this.#half, 2 * this.#half);
    ground.fillStyle = alpha(palette.rockLight, 0.5);
    for (let i = 0; i < this.#rocks.length; i += ROCK.STRIDE) {
      ground.beginPath();
      ground.arc(this.#rocks[i + ROCK.X], this.#rocks[i + ROCK.Y], this.#rocks[i + ROCK.RADIUS], 0, 7);
      ground.fill();
    }
  }
}
