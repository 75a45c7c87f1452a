// What lies behind the arena: nebula, three depths of stars, the arena's floor and its walls. Comes
// in: the camera. Everything is drawn once into tiles and then only shifted; depths move at shares of
// the camera's speed.

import { alpha, channels, palette } from '../palette.js';
import { sheet } from './sprites.js';

/** Side of the nebula's tile before it is stretched, pixels. */
const CLOUD_PIXELS = 192;
/** Side of the nebula's tile on the screen, in view widths. */
const CLOUD_STRETCH = 1.7;
/** The nebula moves at this share of the camera's speed. */
const CLOUD_DEPTH = 0.08;
/** Stars: side of a tile in CSS pixels, how many in it, share of the camera's speed, size, brightness. */
const STARS = [
  { side: 640, count: 150, depth: 0.14, size: 0.75, light: 0.5 },
  { side: 760, count: 60, depth: 0.28, size: 1.15, light: 0.75 },
  { side: 980, count: 22, depth: 0.46, size: 1.7, light: 1 },
];
/** Distance of the marks on the arena's floor, units. */
const GRID = 160;

/** A generator of numbers from 0 to 1 that gives the same ones every time (mulberry32). */
export function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The backdrop for one size of screen. */
export class Background {
  #cloud = cloudTile();
  #layers = [];

  /** Makes the tiles for a screen of `ratio` canvas pixels per CSS pixel. */
  fit(ratio) {
    this.#layers = STARS.map((layer, i) => ({ ...layer, tile: starTile(layer, ratio, i + 1) }));
  }

  /** Fills the screen. */
  draw(context, camera) {
    const { width, height } = camera;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalCompositeOperation = 'source-over';
    context.globalAlpha = 1;
    const cloudSide = Math.round(Math.max(width, height) * CLOUD_STRETCH);
    tile(context, this.#cloud, cloudSide, camera, CLOUD_DEPTH);
    context.globalCompositeOperation = 'lighter';
    for (const layer of this.#layers) tile(context, layer.tile, layer.tile.width, camera, layer.depth);
    context.globalCompositeOperation = 'source-over';
  }

  /** Marks on the floor, which show how one moves, and the walls of an arena of half width `half`. */
  drawArena(context, camera, half) {
    const { width, height, scale } = camera;
    const [left, right] = [camera.x - width / 2 / scale, camera.x + width / 2 / scale];
    const [top, bottom] = [camera.y - height / 2 / scale, camera.y + height / 2 / scale];
    camera.world(context);
    const arm = 4;
    context.beginPath();
    const first = (low) => Math.ceil(Math.max(low, -half + 1) / GRID) * GRID;
    for (let x = first(left); x < Math.min(right, half); x += GRID) {
      for (let y = first(top); y < Math.min(bottom, half); y += GRID) {
        context.moveTo(x - arm, y); context.lineTo(x + arm, y);
        context.moveTo(x, y - arm); context.lineTo(x, y + arm);
      }
    }
    context.strokeStyle = alpha(palette.line, 0.2);
    context.lineWidth = 1.2;
    context.stroke();
    if (left > -half && right < half && top > -half && bottom < half) return;

    // Beyond the walls: darkness with hatching, then the wall's glow, then its bright edge.
    const far = 4000;
    context.beginPath();
    context.rect(-far - half, -far - half, 2 * (far + half), 2 * (far + half));
    context.rect(-half, -half, 2 * half, 2 * half);
    context.fillStyle = alpha(palette.void, 0.82);
    context.fill('evenodd');
    context.save();
    context.clip('evenodd');
    context.beginPath();
    const step = 44;
    for (let d = Math.floor((left - (bottom - top)) / step) * step; d < right + step; d += step) {
      const shift = top - Math.floor(top / step) * step;
      context.moveTo(d - shift, top);
      context.lineTo(d - shift + (bottom - top), bottom);
    }
    context.strokeStyle = alpha(palette.line, 0.09);
    context.lineWidth = 8;
    context.stroke();
    context.restore();
    for (const [breadth, strength] of [[26, 0.07], [12, 0.13], [3, 0.85]]) {
      context.strokeStyle = alpha(palette.line, strength);
      context.lineWidth = breadth;
      context.strokeRect(-half, -half, 2 * half, 2 * half);
    }
  }
}

function tile(context, image, side, camera, depth) {
  const wrap = (v) => ((v % side) + side) % side;
  const x0 = -wrap(camera.x * camera.scale * depth);
  const y0 = -wrap(camera.y * camera.scale * depth);
  for (let x = x0; x < camera.width; x += side) {
    for (let y = y0; y < camera.height; y += side) context.drawImage(image, x, y, side, side);
  }
}

function starTile({ side, count, size, light }, ratio, seed) {
  const random = dice(seed * 977);
  const pixels = Math.round(side * ratio);
  const [canvas, context] = sheet(pixels, pixels, 1);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const hues = [palette.star, palette.star, '#b9d4ff', '#ffe3c2', '#cfc3ff'];
  for (let i = 0; i < count; i++) {
    // Kept off the edges, so that no star is cut where tiles meet.
    const x = 8 + random() * (side - 16);
    const y = 8 + random() * (side - 16);
    const radius = size * (0.55 + random() * 0.7);
    const colour = hues[Math.floor(random() * hues.length)];
    const strength = light * (0.35 + random() * 0.65);
    if (size > 1.5) {
      const halo = context.createRadialGradient(x, y, 0, x, y, 7);
      halo.addColorStop(0, alpha(colour, strength * 0.4));
      halo.addColorStop(1, alpha(colour, 0));
      context.fillStyle = halo;
      context.fillRect(x - 7, y - 7, 14, 14);
    }
    context.fillStyle = alpha(colour, strength);
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.fill();
  }
  return canvas;
}

// Two clouds of layered value noise that repeat at the tile's edge, over a dark ground.
function cloudTile() {
  const n = CLOUD_PIXELS;
  const [canvas, context] = sheet(n, n, 1);
  const picture = context.createImageData(n, n);
  const ground = channels(palette.void);
  const clouds = [palette.nebulaA, palette.nebulaB].map(channels);
  const noises = [noise(11), noise(23), noise(37)];
  for (let y = 0; y < n; y++) {
    for (let x = 0; x < n; x++) {
      const [a, b, dim] = noises.map((at) => at(x / n, y / n));
      const weights = [Math.max(0, a - 0.4) * 3.4, Math.max(0, b - 0.44) * 3];
      const shade = Math.max(0.12, 2.2 * dim - 0.6);
      const at = (y * n + x) * 4;
      for (let c = 0; c < 3; c++) {
        picture.data[at + c] = ground[c] + shade * (weights[0] * clouds[0][c] + weights[1] * clouds[1][c]);
      }
      picture.data[at + 3] = 255;
    }
  }
  context.putImageData(picture, 0, 0);
  return canvas;
}

function noise(seed) {
  const random = dice(seed);
  const octaves = [3, 6, 12, 24].map((cells, i) => ({
    cells, weight: 0.5 ** i, values: Float32Array.from({ length: cells * cells }, random),
  }));
  const total = octaves.reduce((sum, o) => sum + o.weight, 0);
  const smooth = (t) => t * t * (3 - 2 * t);
  return (u, v) => {
    let sum = 0;
    for (const { cells, weight, values } of octaves) {
      const [x, y] = [u * cells, v * cells];
      const [i, j] = [Math.floor(x), Math.floor(y)];
      const [fx, fy] = [smooth(x - i), smooth(y - j)];
      const at = (p, q) => values[(q % cells) * cells + (p % cells)];
      const upper = at(i, j) + (at(i + 1, j) - at(i, j)) * fx;
      const lower = at(i, j + 1) + (at(i + 1, j + 1) - at(i, j + 1)) * fx;
      sum += weight * (upper + (lower - upper) * fy);
    }
    return sum / total;
  };
}
