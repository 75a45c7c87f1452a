// A session from above. Comes in: places of everything, three times a second. Goes out: a canvas to zoom, to drag and to
// follow somebody on. The terrain is never sent: it follows from the session's setup, by the rules of the game, whose
// module is loaded with the first map. Of a game without one the world is as large as what has been seen of it.

import init, { terrainOf } from '../client_web.js';
import { colour } from './plot.js';
import { byId } from './words.js';

/** Numbers of one entity: kind, x, y, owner, heading in degrees. */
const STRIDE = 5;
const ZOOM_MAX = 40;
/** How far an arrow key moves the view, as a share of it. */
const STEP = 0.15;

const canvas = byId('map');
const context = canvas.getContext('2d');
const SHADES = ['other-1', 'other-2', 'other-3', 'other-4'].map(colour);
const state = { setup: '', terrain: [], kinds: [], entities: [], leftOut: 0, names: new Map(), follow: null, box: null, zoom: 1, x: 0, y: 0, size: [0, 0], maps: 0 };

new ResizeObserver(() => {
  state.size = [canvas.clientWidth, canvas.clientHeight];
  draw();
}).observe(canvas);

/** Begins with another session. */
export function clearMap() {
  Object.assign(state, { setup: '', terrain: [], kinds: [], entities: [], leftOut: 0, names: new Map(), follow: null, box: null, zoom: 1, x: 0, y: 0, maps: 0 });
  byId('map-said').textContent = '';
  draw();
}

/** Takes a map. */
export function updateMap({ kinds, entities, left_out: leftOut, setup }) {
  if (setup !== state.setup) takeSetup(setup);
  Object.assign(state, { kinds, entities, leftOut, maps: state.maps + 1 });
  for (let i = 0; i < entities.length; i += STRIDE) {
    const [x, y] = [entities[i + 1], entities[i + 2]];
    const box = state.box ??= { left: x, right: x, top: y, bottom: y };
    Object.assign(box, { left: Math.min(box.left, x), right: Math.max(box.right, x), top: Math.min(box.top, y), bottom: Math.max(box.bottom, y) });
  }
  draw();
}

let module = null;

// Another world, as with each round.
async function takeSetup(setup) {
  Object.assign(state, { setup, terrain: [], box: null });
  try {
    await (module ??= init());
    if (setup !== state.setup) return;
    const bytes = Uint8Array.from(setup.match(/../g) ?? [], (digits) => parseInt(digits, 16));
    const [half, ...rocks] = terrainOf(bytes);
    if (half > 0) Object.assign(state, { terrain: rocks, box: { left: -half, right: half, top: -half, bottom: half } });
    draw();
  } catch (why) {
    // A map without rocks is better than none; where the module did not come, the next world's may have them.
    module = null;
    console.warn('no terrain', why);
  }
}

/** Takes what players are called, by their numbers. */
export function nameOnMap(names) {
  state.names = names;
}

/** Keeps a player in the middle; `null` for nobody. */
export function follow(player) {
  state.follow = player;
  if (player !== null && state.zoom < 3) state.zoom = 3;
  draw();
}

/** Whom it follows. */
export const followed = () => state.follow;
/** How many maps have come, for tests. */
export const mapsSeen = () => state.maps;
/** How many rocks are on it, for tests. */
export const rocksSeen = () => state.terrain.length / 3;

function frame() {
  const box = state.box ?? { left: -1, right: 1, top: -1, bottom: 1 };
  const span = Math.max(box.right - box.left, box.bottom - box.top, 1) * 1.08;
  const [width, height] = state.size;
  return { scale: (Math.min(width, height) / span) * state.zoom, midX: (box.left + box.right) / 2 + state.x, midY: (box.top + box.bottom) / 2 + state.y };
}

function draw() {
  const [width, height] = state.size;
  if (!width || !height) return;
  const ratio = Math.min(2, devicePixelRatio || 1);
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  if (state.follow !== null) centre();
  const { scale, midX, midY } = frame();
  const { entities, kinds } = state;
  drawTerrain(scale, midX, midY);
  const labels = [];
  for (const first of [false, true]) {
    for (let i = 0; i < entities.length; i += STRIDE) {
      const steered = kinds[entities[i]][1];
      if (steered !== first) continue;
      const x = width / 2 + (entities[i + 1] - midX) * scale;
      const y = height / 2 + (entities[i + 2] - midY) * scale;
      if (x < -12 || y < -12 || x > width + 12 || y > height + 12) continue;
      const owner = entities[i + 3];
      if (!steered) {
        context.fillStyle = owner >= 0 ? 'rgb(223 232 255 / 0.5)' : colourOf(entities[i]);
        context.fillRect(x - 1, y - 1, 2.5, 2.5);
        continue;
      }
      const mine = owner === state.follow;
      arrow(x, y, entities[i + 4], mine ? colour('own') : SHADES[owner % SHADES.length], state.zoom >= 3 || mine ? 7 : 4.5);
      if (owner >= 0 && (mine || state.zoom >= 4)) labels.push([state.names.get(owner) ?? String(owner), x, y]);
    }
  }
  context.font = '11px system-ui, sans-serif';
  context.textAlign = 'center';
  context.fillStyle = colour('ink');
  for (const [text, x, y] of labels.slice(0, 80)) context.fillText(text, x, y - 11);
  say();
}

function drawTerrain(scale, midX, midY) {
  const { terrain, box, size: [width, height] } = state;
  const at = (x, y) => [width / 2 + (x - midX) * scale, height / 2 + (y - midY) * scale];
  context.fillStyle = 'rgb(126 138 180 / 0.28)';
  for (let i = 0; i < terrain.length; i += 3) {
    const [x, y] = at(terrain[i], terrain[i + 1]);
    const radius = Math.max(1, terrain[i + 2] * scale);
    if (x < -radius || y < -radius || x > width + radius || y > height + radius) continue;
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.fill();
  }
  if (!terrain.length) return;
  context.strokeStyle = 'rgb(126 138 180 / 0.5)';
  const [left, top] = at(box.left, box.top);
  context.strokeRect(left, top, (box.right - box.left) * scale, (box.bottom - box.top) * scale);
}

const colourOf = (kind) => [colour('repair'), colour('charge'), colour('overdrive'), colour('crown')][kind % 4];

function arrow(x, y, heading, fill, size) {
  context.fillStyle = fill;
  context.beginPath();
  if (heading < 0) {
    context.arc(x, y, size * 0.6, 0, 7);
  } else {
    const angle = (heading * Math.PI) / 180;
    context.moveTo(x + Math.cos(angle) * size, y + Math.sin(angle) * size);
    context.lineTo(x + Math.cos(angle + 2.5) * size, y + Math.sin(angle + 2.5) * size);
    context.lineTo(x + Math.cos(angle - 2.5) * size, y + Math.sin(angle - 2.5) * size);
  }
  context.fill();
}

function centre() {
  const { entities, kinds, box } = state;
  for (let i = 0; i < entities.length; i += STRIDE) {
    if (entities[i + 3] !== state.follow || !kinds[entities[i]][1]) continue;
    state.x = entities[i + 1] - (box.left + box.right) / 2;
    state.y = entities[i + 2] - (box.top + box.bottom) / 2;
    return;
  }
}

function say() {
  const whom = state.follow === null ? '' : `Follows ${state.names.get(state.follow) ?? `player ${state.follow}`}. `;
  const more = state.leftOut ? `, ${state.leftOut} more are left out` : '';
  const text = state.maps ? `${whom}${state.entities.length / STRIDE} things${more}. Drag to move, scroll to zoom, click a ship to follow it.` : 'Waiting for the map.';
  if (byId('map-said').textContent !== text) byId('map-said').textContent = text;
}

function zoom(by, x = state.size[0] / 2, y = state.size[1] / 2) {
  const before = frame();
  state.zoom = Math.min(ZOOM_MAX, Math.max(1, state.zoom * by));
  if (state.zoom === 1) Object.assign(state, { x: 0, y: 0, follow: null });
  const after = frame();
  const [dx, dy] = [x - state.size[0] / 2, y - state.size[1] / 2];
  if (state.zoom > 1) {
    state.x += dx / before.scale - dx / after.scale;
    state.y += dy / before.scale - dy / after.scale;
  }
  draw();
}

function move(dx, dy) {
  const { scale } = frame();
  state.follow = null;
  state.x -= dx / scale;
  state.y -= dy / scale;
  draw();
}

/** The player whose ship is nearest to a point, if one is near. */
function at(px, py) {
  const { scale, midX, midY } = frame();
  let best = null;
  let far = 20;
  for (let i = 0; i < state.entities.length; i += STRIDE) {
    if (!state.kinds[state.entities[i]][1] || state.entities[i + 3] < 0) continue;
    const x = state.size[0] / 2 + (state.entities[i + 1] - midX) * scale;
    const y = state.size[1] / 2 + (state.entities[i + 2] - midY) * scale;
    const distance = Math.hypot(x - px, y - py);
    if (distance < far) [best, far] = [state.entities[i + 3], distance];
  }
  return best;
}

const held = new Map();
let moved = 0;
canvas.addEventListener('pointerdown', (event) => {
  canvas.setPointerCapture(event.pointerId);
  held.set(event.pointerId, [event.offsetX, event.offsetY]);
  moved = held.size > 1 ? Infinity : 0;
  canvas.classList.add('held');
});
canvas.addEventListener('pointermove', (event) => {
  const last = held.get(event.pointerId);
  if (!last) return;
  const next = [event.offsetX, event.offsetY];
  if (held.size === 2) {
    const [, other] = [...held.entries()].find(([id]) => id !== event.pointerId);
    const spread = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
    zoom(spread(next) / Math.max(1, spread(last)), (next[0] + other[0]) / 2, (next[1] + other[1]) / 2);
  } else {
    moved += Math.hypot(next[0] - last[0], next[1] - last[1]);
    if (moved > 5) move(next[0] - last[0], next[1] - last[1]);
  }
  held.set(event.pointerId, next);
});
const release = (event) => {
  if (held.delete(event.pointerId) && event.type === 'pointerup' && moved <= 5) {
    const player = at(event.offsetX, event.offsetY);
    if (player !== null) follow(player);
  }
  canvas.classList.toggle('held', held.size > 0);
};
canvas.addEventListener('pointerup', release);
canvas.addEventListener('pointercancel', release);
canvas.addEventListener('wheel', (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
}, { passive: false });
canvas.addEventListener('keydown', (event) => {
  const [width, height] = state.size;
  const arrows = { ArrowLeft: [STEP * width, 0], ArrowRight: [-STEP * width, 0], ArrowUp: [0, STEP * height], ArrowDown: [0, -STEP * height] }[event.key];
  if (arrows) move(...arrows); else if (event.key === '+') zoom(1.4); else if (event.key === '-') zoom(1 / 1.4); else if (event.key === 'Home') zoom(0); else return;
  event.preventDefault();
});
byId('map-in').addEventListener('click', () => zoom(1.5));
byId('map-out').addEventListener('click', () => zoom(1 / 1.5));
byId('map-fit').addEventListener('click', () => zoom(0));
