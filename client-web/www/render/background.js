// What lies behind the arena: nebula, three depths of stars, the arena's floor and its walls. Comes
// in: the camera. Everything is drawn once into tiles and then only shifted; depths move at shares of
// the camera's speed.

import { alpha, channels, onRedraw, palette } from '../palette.js';
import { sheet } from './sprites.js';

/** Side of the nebula's noise before it is stretched, pixels. */
const CLOUD_PIXELS = 192;
/** Side of the far tile in longer sides of the screen. The arena is so small beside it that the tile
 *  is hardly ever seen to repeat. */
const FAR_STRETCH = 1.25;
/** Nebula and farthest stars move at this share of the camera's speed. */
const FAR_DEPTH = 0.09;
/** Stars: side of a tile in CSS pixels, how many in it, size and brightness. */
const FAR_STARS = { side: 640, count: 150, size: 0.75, light: 0.5 };
/** Nearer stars, with their share of the camera's speed. They are drawn one by one: few as they are,
 *  that is less to fill than tiles over the whole screen. */
const NEAR_STARS = [
  { side: 760, count: 56, depth: 0.24, size: 1.15, light: 0.8 },
  { side: 980, count: 22, depth: 0.42, size: 1.7, light: 1 },
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
  #far = null;
  #near = [];

  constructor() {
    onRedraw(() => { this.#cloud = cloudTile(); });
  }

  /** Makes the tiles for the camera's size of screen. */
  fit({ width, height, ratio }) {
    this.#far = farTile(this.#cloud, Math.ceil(Math.max(width, height) * FAR_STRETCH), ratio);
    this.#near = NEAR_STARS.map((layer, i) => ({
      side: layer.side * ratio, depth: layer.depth, stars: scatter(layer, ratio, i + 2),
    }));
  }

  /** Fills the screen. */
  draw(context, camera) {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalCompositeOperation = 'source-over';
    context.globalAlpha = 1;
    const side = this.#far.width;
    const [x0, y0] = shift(camera, side, FAR_DEPTH);
    for (let x = Math.round(x0); x < camera.width; x += side) {
      for (let y = Math.round(y0); y < camera.height; y += side) context.drawImage(this.#far, x, y);
    }
    for (const layer of this.#near) drawStars(context, camera, layer);
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

// Where a pattern that repeats every `side` pixels starts, at or before the screen's corner. The
// camera's zoom is left out of it: the sky does not slide when the ship changes its speed.
function shift(camera, side, depth) {
  const wrap = (v) => ((v % side) + side) % side;
  return [-wrap(camera.x * camera.base * depth), -wrap(camera.y * camera.base * depth)];
}

function drawStars(context, camera, { side, depth, stars }) {
  const [x0, y0] = shift(camera, side, depth);
  for (const { x, y, picture } of stars) {
    const half = picture.width / 2;
    for (let px = x0 + x - half; px < camera.width; px += side) {
      if (px < -2 * half) continue;
      for (let py = y0 + y - half; py < camera.height; py += side) {
        if (py > -2 * half) context.drawImage(picture, px, py);
      }
    }
  }
}

function farTile(cloud, side, ratio) {
  const [canvas, context] = sheet(side, side, 1);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.imageSmoothingQuality = 'high';
  context.drawImage(cloud, 0, 0, side, side);
  // The stars' own tile is stretched a little so that whole ones fit.
  const tiles = Math.max(1, Math.round(side / (FAR_STARS.side * ratio)));
  const step = side / tiles;
  for (const { x, y, picture } of scatter(FAR_STARS, ratio, 1)) {
    const share = step / (FAR_STARS.side * ratio);
    for (let i = 0; i < tiles; i++) {
      for (let j = 0; j < tiles; j++) {
        context.drawImage(picture, i * step + x * share - picture.width / 2, j * step + y * share - picture.height / 2);
      }
    }
  }
  return canvas;
}

// Stars within a tile, canvas pixels; a handful of pictures, shared.
function scatter({ side, count, size, light }, ratio, seed) {
  const random = dice(seed * 977);
  const hues = [palette.star, palette.star, '#b9d4ff', '#ffe3c2', '#cfc3ff'];
  const pictures = hues.flatMap((colour) => [0.5, 0.75, 1].map((share) => star(colour, size * (0.5 + 0.7 * share), light * share, size > 1.5, ratio)));
  return Array.from({ length: count }, () => ({
    // Kept off the edges, so that no star is cut where tiles meet.
    x: (8 + random() * (side - 16)) * ratio,
    y: (8 + random() * (side - 16)) * ratio,
    picture: pictures[Math.floor(random() * pictures.length)],
  }));
}

function star(colour, radius, light, halo, ratio) {
  const reach = halo ? 8 : Math.ceil(radius) + 1;
  const [canvas, context] = sheet(2 * reach, 2 * reach, ratio);
  if (halo) {
    const shine = context.createRadialGradient(0, 0, 0, 0, 0, 7);
    shine.addColorStop(0, alpha(colour, light * 0.4));
    shine.addColorStop(1, alpha(colour, 0));
    context.fillStyle = shine;
    context.fillRect(-8, -8, 16, 16);
  }
  context.fillStyle = alpha(colour, light);
  context.beginPath();
  context.arc(0, 0, radius, 0, 7);
  context.fill();
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
