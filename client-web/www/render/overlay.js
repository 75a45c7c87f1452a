// What is written over the arena: names, bars and the crown by the ships, the own nose's line, the
// crosshair, where blows came from and where people are who are off the screen. Sizes here are CSS pixels, so that they stay readable.

import { palette, tintOf, TINTS, alpha, mix } from '../palette.js';
import { IS, SHIP, SHIP_RADIUS } from '../rows.js';

/** Names are drawn once each and kept; beyond this many the one kept longest is forgotten. */
const NAMES_MAX = 500;
/** At most so many names are written in one frame, since writing is dear; more wait for the next one. */
const NAMES_PER_FRAME = 1;
/** Size of names, CSS pixels. */
const NAME_PIXELS = 12;
/** At most so many people off the screen are pointed to, the nearest ones. */
const POINTERS_MAX = 3;
/** How far from the own ship pointers are, as a share of the screen's smaller side. */
const POINTERS_FAR = 0.36;
/** Ground of the hull bars. */
const BAR_GROUND = alpha(palette.void, 0.75);

/** Names, bars, crosshair. */
export class Overlay {
  #names = new Map();
  #written = 0;

  /** Forgets pictures of names: the screen's ratio or a name changed. */
  clear() {
    this.#names.clear();
  }

  /** Draws names, bars and the crown. `nameOf(player)` gives text; `leader` is a player or -1. */
  drawLabels(context, camera, sprites, rows, nameOf, leader, showNames) {
    const { ratio } = camera;
    this.#written = 0;
    context.setTransform(1, 0, 0, 1, 0, 0);
    for (let i = 0; i < rows.length; i += SHIP.STRIDE) {
      const flags = rows[i + SHIP.FLAGS];
      const [x, y] = [rows[i + SHIP.X], rows[i + SHIP.Y]];
      if (!camera.sees(x, y, 60)) continue;
      const player = rows[i + SHIP.PLAYER];
      const px = Math.round(camera.toX(x));
      let py = Math.round(camera.toY(y + SHIP_RADIUS * 1.75));
      if (player === leader) {
        const size = 26 * camera.scale;
        context.drawImage(sprites.crown, px - size / 2, camera.toY(y - SHIP_RADIUS * 2.35) - size * 0.38, size, size * 0.77);
      }
      if (flags & IS.OWN) continue;
      const hp = rows[i + SHIP.HP];
      if (hp < 0.995) {
        const width = Math.round(34 * ratio);
        const height = Math.round(3 * ratio);
        context.fillStyle = BAR_GROUND;
        context.fillRect(px - width / 2 - ratio, py - ratio, width + 2 * ratio, height + 2 * ratio);
        context.fillStyle = hp < 0.35 ? palette.hurt : TINTS[tintOf(player, false)];
        context.fillRect(px - width / 2, py, Math.max(ratio, width * hp), height);
        py += 5 * ratio;
      }
      if (!showNames) continue;
      const name = this.#name(player, nameOf(player), ratio);
      if (name) context.drawImage(name, px - Math.round(name.width / 2), py);
    }
  }

  /** Around the own ship: hull on the left and energy on the right, where the eyes are anyway, and a
   *  faint line where the nose points, as shots leave along it and not towards the mouse. */
  drawOwn(context, camera, x, y, heading, hp, energy) {
    camera.place(context, x, y, 0);
    context.lineWidth = 2.4;
    for (const [share, colour, middle, turn] of [[hp, palette.own, Math.PI, 1], [energy, TINTS[1], 0, -1]]) {
      context.strokeStyle = alpha(colour, 0.17);
      context.beginPath();
      context.arc(0, 0, 33, middle - 1, middle + 1);
      context.stroke();
      if (share <= 0) continue;
      // Both fill from the bottom up.
      const bottom = middle - turn;
      context.strokeStyle = alpha(colour, 0.7);
      context.beginPath();
      context.arc(0, 0, 33, bottom, bottom + 2 * turn * share, turn < 0);
      context.stroke();
    }
    camera.place(context, x, y, heading);
    context.strokeStyle = palette.own;
    context.lineWidth = 1.3;
    for (let k = 0; k < 5; k++) {
      context.globalAlpha = 0.5 - k * 0.09;
      context.beginPath();
      context.moveTo(42 + k * 22, 0);
      context.lineTo(52 + k * 22, 0);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  /** The crosshair at the mouse, CSS pixels; it snaps open when a shot landed. */
  drawCrosshair(context, camera, x, y, landedAge) {
    const { ratio } = camera;
    context.setTransform(ratio, 0, 0, ratio, x * ratio, y * ratio);
    const hit = landedAge < 0.22 ? 1 - landedAge / 0.22 : 0;
    for (const [width, colour] of [[4, alpha(palette.void, 0.55)], [1.8, palette.ownHot]]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.beginPath();
      context.arc(0, 0, 9, 0, 7);
      for (let k = 0; k < 4; k++) {
        const [c, s] = [Math.cos((k * Math.PI) / 2), Math.sin((k * Math.PI) / 2)];
        context.moveTo(c * 6, s * 6);
        context.lineTo(c * 13, s * 13);
      }
      context.stroke();
    }
    if (!hit) return;
    context.lineWidth = 2.6;
    context.strokeStyle = alpha('#ffffff', hit);
    context.beginPath();
    for (let k = 0; k < 4; k++) {
      const angle = Math.PI / 4 + (k * Math.PI) / 2;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      context.moveTo(c * (11 + 5 * hit), s * (11 + 5 * hit));
      context.lineTo(c * (19 + 7 * hit), s * (19 + 7 * hit));
    }
    context.stroke();
  }

  /** Arcs around the own ship that point to where blows came from. */
  drawBlows(context, camera, x, y, blows) {
    if (!blows.length) return;
    context.lineCap = 'round';
    for (const { from, age } of blows) {
      camera.place(context, x, y, from);
      const strength = Math.max(0, 1 - age / 1.1);
      context.globalAlpha = strength;
      context.strokeStyle = mix(palette.hurt, '#ffffff', 0.25);
      context.lineWidth = 6;
      context.beginPath();
      context.arc(0, 0, 76 + age * 10, -0.42, 0.42);
      context.stroke();
      context.fillStyle = context.strokeStyle;
      context.beginPath();
      context.moveTo(94 + age * 10, 0);
      context.lineTo(84 + age * 10, 8);
      context.lineTo(84 + age * 10, -8);
      context.fill();
    }
    context.globalAlpha = 1;
    context.lineCap = 'butt';
  }

  /** Arrowheads around the own ship that point to people who are `away`, with their names unless `nameOf` is null. */
  drawPointers(context, camera, x, y, away, nameOf) {
    const { ratio } = camera;
    const distance = (one) => Math.hypot(one.x - x, one.y - y);
    const nearest = [...away].sort((a, b) => distance(a) - distance(b)).slice(0, POINTERS_MAX);
    const far = POINTERS_FAR * Math.min(camera.width, camera.height);
    context.globalAlpha = 0.85;
    for (const { player, x: theirX, y: theirY } of nearest) {
      const way = Math.atan2(theirY - y, theirX - x);
      const [c, s] = [Math.cos(way), Math.sin(way)];
      const [px, py] = [camera.toX(x) + c * far, camera.toY(y) + s * far];
      context.setTransform(ratio * c, ratio * s, -ratio * s, ratio * c, px, py);
      context.fillStyle = TINTS[tintOf(player, false)];
      context.beginPath();
      context.moveTo(9, 0);
      context.lineTo(-6, 7);
      context.lineTo(-2, 0);
      context.lineTo(-6, -7);
      context.fill();
      const name = nameOf && this.#name(player, nameOf(player), ratio);
      if (!name) continue;
      // On the inner side, where the screen has room for it.
      const [nameX, nameY] = [px - c * (name.width / 2 + 10 * ratio), py - s * (name.height / 2 + 10 * ratio)];
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.drawImage(name, Math.round(nameX - name.width / 2), Math.round(nameY - name.height / 2));
    }
    context.globalAlpha = 1;
  }

  // Writing text is dear, copying a picture is not.
  #name(player, text, ratio) {
    const known = this.#names.get(player);
    const tint = tintOf(player, false);
    if (known?.text === text && known.tint === tint) return known.canvas;
    if (this.#written >= NAMES_PER_FRAME) return null;
    this.#written += 1;
    this.#names.delete(player);
    if (this.#names.size >= NAMES_MAX) this.#names.delete(this.#names.keys().next().value);
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d');
    const font = `500 ${NAME_PIXELS * ratio}px system-ui, "Segoe UI", Roboto, sans-serif`;
    context.font = font;
    canvas.width = Math.ceil(context.measureText(text).width + 8 * ratio);
    canvas.height = Math.ceil(NAME_PIXELS * 1.5 * ratio);
    context.font = font;
    context.textBaseline = 'middle';
    context.lineJoin = 'round';
    context.lineWidth = 3 * ratio;
    context.strokeStyle = alpha(palette.void, 0.75);
    context.strokeText(text, 4 * ratio, canvas.height / 2);
    context.fillStyle = mix(TINTS[tint], palette.ink, 0.55);
    context.fillText(text, 4 * ratio, canvas.height / 2);
    this.#names.set(player, { text, tint, canvas });
    return canvas;
  }
}
