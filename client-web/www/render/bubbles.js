// What players show each other: an emote in a bubble above the ship. Comes in: who shows which. Goes out:
// the canvas. A bubble whose ship is not in view is kept until its time is over.

import { EMOTES } from '../emotes.js';
import { TINTS, alpha, mix, onRedraw, palette, tintOf } from '../palette.js';
import { IS, SHIP, SHIP_RADIUS } from '../rows.js';
import { sheet } from './sprites.js';

/** How long a bubble stays, seconds, and how long it takes to come and to go. */
const STAY_S = 3;
const POP_S = 0.16;
const FADE_S = 0.35;
/** Its size, CSS pixels. */
const SIZE = 46;
/** Canvas pixels per CSS pixel of the pictures that are kept. */
const FINE = 2;

/** The bubbles. */
export class Bubbles {
  #shown = new Map();
  #pictures = new Map();

  constructor() {
    onRedraw(() => this.#pictures.clear());
  }

  /** A player shows an emote; an earlier one of theirs goes. */
  show(player, emote) {
    if (EMOTES[emote]) this.#shown.set(player, { emote, age: 0 });
  }

  /** Which are shown now: `[[player, emote]]`. */
  get all() {
    return [...this.#shown].map(([player, { emote }]) => [player, emote]);
  }

  /** Draws them and lets `seconds` pass. */
  draw(context, camera, ships, seconds) {
    if (!this.#shown.size) return;
    for (const [player, bubble] of this.#shown) {
      bubble.age += seconds;
      if (bubble.age > STAY_S) this.#shown.delete(player);
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    for (let i = 0; i < ships.length; i += SHIP.STRIDE) {
      const player = ships[i + SHIP.PLAYER];
      const bubble = this.#shown.get(player);
      if (!bubble || !camera.sees(ships[i + SHIP.X], ships[i + SHIP.Y], 60)) continue;
      const { age, emote } = bubble;
      // It pops out a little too far and settles.
      const grow = age < POP_S ? 1.15 * (age / POP_S) : 1 + 0.15 * Math.max(0, 1 - (age - POP_S) / POP_S);
      const size = SIZE * camera.ratio * grow;
      const x = camera.toX(ships[i + SHIP.X]);
      const y = camera.toY(ships[i + SHIP.Y] - SHIP_RADIUS * 3.1);
      context.globalAlpha = Math.min(1, (STAY_S - age) / FADE_S);
      context.drawImage(this.#picture(emote, tintOf(player, ships[i + SHIP.FLAGS] & IS.OWN)), x - size / 2, y - size, size, size);
    }
    context.globalAlpha = 1;
  }

  /** Forgets all. */
  clear() {
    this.#shown.clear();
  }

  #picture(emote, tint) {
    const key = emote * TINTS.length + tint;
    if (!this.#pictures.has(key)) this.#pictures.set(key, picture(emote, TINTS[tint]));
    return this.#pictures.get(key);
  }
}

// A round bubble with a tip at its foot, 46 by 46.
function picture(emote, colour) {
  const [canvas, context] = sheet(SIZE, SIZE, FINE);
  context.lineJoin = context.lineCap = 'round';
  context.beginPath();
  context.arc(0, -3, 17, Math.PI * 0.62, Math.PI * 2.38);
  context.lineTo(0, 20);
  context.closePath();
  context.fillStyle = alpha(mix(palette.deep, colour, 0.12), 0.94);
  context.fill();
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.stroke();
  context.translate(-11, -14);
  context.scale(22 / 24, 22 / 24);
  context.strokeStyle = context.fillStyle = mix(colour, palette.ink, 0.5);
  context.stroke(new Path2D(EMOTES[emote].line));
  context.fill(new Path2D(EMOTES[emote].solid));
  return canvas;
}
