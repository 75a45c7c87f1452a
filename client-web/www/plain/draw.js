// The picture: everything that has a place, on a grid. Comes in: the rows of a picture, wheel, fingers and mouse. Goes out: a canvas,
// where on it the followed entity is, what is looked at, and where a spectator has moved the view. Shapes and colours follow from a kind's fields, treatment and place among
// the kinds. It changes nothing but its own view.

import { byId } from '../admin/words.js';
import { alpha, palette } from '../palette.js';
import { roster } from './people.js';
import { colourOf, rowsOf } from './tables.js';

/** More pixels than this for each CSS pixel cost more than they show. */
const RATIO_MAX = 2;
/** This share of what is in view, the nearest, fills so much of the free part of the window. */
const [FITS, FILLED] = [0.9, 0.88];
/** How fast the scale goes to that, out and in, per second: what was in view comes again, so inwards takes its time. */
const [OUT_RATE, IN_RATE] = [1.6, 0.12];
/** Who wants little movement sees the scale change at once, and only when it is off by this factor. */
const OFF_FACTOR = 1.6;
/** Whatever a game's units are, the scale stays between these. */
const [SCALE_MIN, SCALE_MAX] = [1e-4, 1e4];
/** What is followed has jumped when it is this far from where it was, CSS pixels; the middle of all jumps with whatever comes. */
const [JUMP_PX, MIDDLE_PX] = [90, 1];
/** How fast the view catches up after a jump, per second. */
const CATCH_UP = 7;
/** A frame counts as at most this long, seconds. */
const STEP_MAX_S = 0.1;
/** Lines of the grid are at least this far apart, CSS pixels. */
const GRID_PX = 90;
/** A tail shows this much of the past, seconds, but is no longer than so many CSS pixels. */
const [TAIL_S, TAIL_PX] = [0.09, 36];
/** How far those out of view are drawn from the edge of what is free, CSS pixels. */
const AWAY_PX = 26;
/** Names that are written at most: more would hide each other. */
const NAMES_MAX = 100;
/** The owner of what is nobody's. */
const NOBODY = 65_535;
/** How near to an entity, CSS pixels, points at it; fingers are less exact. */
const [NEAR_PX, NEAR_FINGER_PX] = [22, 34];
/** A view that follows is moved by what goes farther than this, CSS pixels. */
const DRAG_PX = 12;
/** What lasts longer or goes farther than this, ms and CSS pixels, is no tap; a second one within these is a double tap. */
const [TAP_MS, TAP_PX, DOUBLE_PX] = [300, 8, 24];
/** What lies under what. */
const LAYERS = ['static', 'plain', 'ballistic', 'steered'];

/** The middle of the view in units, CSS pixels for each of them, and the rows that were tapped and that are pointed at, or null. For
 *  whoever `watches`: whose entity is followed, -1 for nobody's, and whether the view is `free`, as it was moved by hand. */
export const view = { x: 0, y: 0, scale: 1, pinned: null, hovered: null, watches: false, player: -1, free: false };

const canvas = byId('arena');
const context = canvas.getContext('2d');
const calm = matchMedia('(prefers-reduced-motion: reduce)');
/** What is free of panels: its middle and half of its sides, CSS pixels. */
const free = { x: 0, y: 0, halfX: 1, halfY: 1 };
/** `key` says what is followed, null for nothing yet; `behindX` and `behindY` how far the view still has to go, units. */
const followed = { key: null, x: 0, y: 0, behindX: 0, behindY: 0 };
const zoom = { byHand: false, wanted: 0 };
const NEVER = { x: 0, y: 0, at: -Infinity };
const pointing = { pointer: null, near: NEAR_PX, fingers: new Map(), down: NEVER, tapped: NEVER, clicks: true };
/** What moves the view, with where it was last: `{pointerId, x, y}`, CSS pixels; or null. */
let drag = null;
let entities = [];
let tails = new Map();
let drawnAt = 0;

const keyOf = ({ kind, id }) => `${kind.index} ${id}`;
const screenX = (x) => free.x + (x - view.x) * view.scale;
const screenY = (y) => free.y + (y - view.y) * view.scale;
const inRange = (scale) => Math.min(SCALE_MAX, Math.max(SCALE_MIN, scale));

/** Where on the screen the followed entity is, CSS pixels. */
export const followedAt = () => [screenX(followed.x), screenY(followed.y)];

/** Another world: nothing of the last one is followed or looked at. */
export function beginView() {
  followed.key = null;
  zoom.wanted = 0;
  view.pinned = null;
}

/** Closer or farther, by hand. */
export function zoomBy(factor) {
  zoom.byHand = true;
  view.scale = inRange(view.scale * factor);
}

/** So that all can be seen, from now on by itself. */
export function fitView() {
  zoom.byHand = false;
  if (zoom.wanted) view.scale = zoom.wanted;
}

/** Moves the view of whoever watches by hand, CSS pixels. */
export function panBy(x, y) {
  if (!view.watches) return;
  Object.assign(view, { free: true, x: view.x - x / view.scale, y: view.y - y / view.scale });
}

/** Draws a frame, an array of numbers for each kind, and at the edge those who are out of view. */
export function drawRows(kinds, frame, whereabouts, now) {
  const seconds = Math.min(STEP_MAX_S, (now - drawnAt) / 1000);
  drawnAt = now;
  const layers = kinds.filter(({ placed }) => placed).sort((a, b) => LAYERS.indexOf(a.treatment) - LAYERS.indexOf(b.treatment));
  entities = layers.flatMap((kind) => rowsOf(kind, frame));
  if (entities.length) {
    follow(seconds);
    fit(seconds);
  }
  const ratio = Math.min(RATIO_MAX, devicePixelRatio || 1);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  drawGrid(width, height);
  drawTails(seconds);
  entities.forEach(drawEntity);
  drawNames();
  const seen = new Set(steered().map(({ kind, values }) => values[kind.owner]));
  whereabouts.outOfView((player) => seen.has(player), now).forEach(drawAway);
  view.hovered = pointing.pointer && nearest(...pointing.pointer);
  drawLooked();
}

// One's own, or theirs who are watched, first what is steered; without any the middle of all.
function follow(seconds) {
  if (view.free) {
    Object.assign(followed, { key: 'free', x: view.x, y: view.y });
    return;
  }
  const isTheirs = ({ kind, values }) => view.watches && kind.owner >= 0 && values[kind.owner] === view.player;
  const rank = (one) => (one.own || isTheirs(one) ? (one.kind.treatment === 'steered' ? 2 : 1) : 0);
  const best = entities.reduce((found, one) => (rank(one) > (found ? rank(found) : 0) ? one : found), null);
  // Who has nothing in view, for now or not yet, is waited for where the view is.
  if (!best && view.watches && view.player >= 0 && followed.key) return;
  const mean = (axis) => entities.reduce((sum, one) => sum + one[axis], 0) / entities.length;
  const [key, x, y] = best ? [keyOf(best), best.x, best.y] : ['', mean('x'), mean('y')];
  const moved = Math.hypot(x - followed.x, y - followed.y) * view.scale;
  const jumped = key !== followed.key || moved > (best ? JUMP_PX : MIDDLE_PX);
  if (followed.key === null || calm.matches) Object.assign(followed, { behindX: 0, behindY: 0 });
  else if (jumped) Object.assign(followed, { behindX: view.x - x, behindY: view.y - y });
  const left = Math.exp(-CATCH_UP * seconds);
  Object.assign(followed, { key, x, y, behindX: followed.behindX * left, behindY: followed.behindY * left });
  Object.assign(view, { x: x + followed.behindX, y: y + followed.behindY });
}

function fit(seconds) {
  const { x: midX, y: midY } = followed;
  const far = entities.map(({ x, y }) => Math.max(Math.abs(x - midX) / free.halfX, Math.abs(y - midY) / free.halfY)).sort((a, b) => a - b);
  const reach = far[Math.floor(far.length * FITS)];
  const first = !zoom.wanted;
  if (reach > 0) zoom.wanted = inRange(FILLED / reach);
  // Whoever moves the view wants it to stay as large as it is.
  if (!zoom.wanted || zoom.byHand || view.free) return;
  const off = Math.log(zoom.wanted / view.scale);
  if (first || (calm.matches && Math.abs(off) > Math.log(OFF_FACTOR))) view.scale = zoom.wanted;
  else if (!calm.matches) view.scale *= Math.exp(off * (1 - Math.exp(-(off < 0 ? OUT_RATE : IN_RATE) * seconds)));
}

function drawGrid(width, height) {
  const least = GRID_PX / view.scale;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * ([1, 2, 5].find((n) => n * power >= least) ?? 10);
  Object.assign(context, { font: '11px system-ui, sans-serif', textAlign: 'left', textBaseline: 'top' });
  for (const [across, middle, at, length] of [[true, free.x, view.x, width], [false, free.y, view.y, height]]) {
    for (let n = Math.ceil((at - middle / view.scale) / step); n * step < at + (length - middle) / view.scale; n++) {
      const place = Math.round(middle + (n * step - at) * view.scale);
      context.fillStyle = alpha(palette.line, n === 0 ? 0.3 : 0.1);
      if (across) context.fillRect(place, 0, 1, height); else context.fillRect(0, place, width, 1);
      context.fillStyle = alpha(palette.inkSoft, 0.75);
      context.fillText(String(Number((n * step).toPrecision(6))), across ? place + 4 : 4, across ? 4 : place + 3);
    }
  }
}

function drawTails(seconds) {
  const before = tails;
  tails = new Map(entities.filter(({ kind }) => kind.treatment === 'ballistic').map((one) => [keyOf(one), one]));
  context.lineWidth = 2;
  for (const [key, { kind, own, x, y }] of tails) {
    const last = before.get(key);
    if (!last || !seconds) continue;
    const [dx, dy] = [x - last.x, y - last.y].map((units) => (units / seconds) * TAIL_S * view.scale);
    const share = Math.min(1, TAIL_PX / Math.hypot(dx, dy));
    context.strokeStyle = alpha(colourOf(kind, own), 0.45);
    context.beginPath();
    context.moveTo(screenX(x), screenY(y));
    context.lineTo(screenX(x) - dx * share, screenY(y) - dy * share);
    context.stroke();
  }
}

function drawEntity({ kind, own, values, x: unitsX, y: unitsY }) {
  const [x, y, angle] = [screenX(unitsX), screenY(unitsY), values[kind.angle]];
  const corner = (turn, size) => context.lineTo(x + Math.cos(angle + turn) * size, y + Math.sin(angle + turn) * size);
  context.fillStyle = colourOf(kind, own);
  context.beginPath();
  if (kind.shape === 'square') context.rect(x - 5, y - 5, 10, 10);
  else if (kind.shape !== 'triangle') context.arc(x, y, kind.shape === 'dot' ? 2.5 : 6, 0, 7);
  else for (const [turn, size] of [[0, 11], [2.5, 9], [-2.5, 9]]) corner(turn, size);
  context.fill();
}

const steered = () => entities.filter(({ kind, values }) => kind.treatment === 'steered' && kind.owner >= 0 && values[kind.owner] !== NOBODY);

function drawNames() {
  Object.assign(context, { font: '12px system-ui, sans-serif', textAlign: 'center', textBaseline: 'top' });
  // One's own last, over all others.
  const named = steered().sort((a, b) => a.own - b.own);
  for (const { kind, own, values, x, y } of named.slice(-NAMES_MAX)) {
    const player = values[kind.owner];
    context.fillStyle = own ? palette.own : alpha(palette.ink, roster.isComputer(player) ? 0.5 : 0.95);
    context.fillText(roster.nameOf(player), screenX(x), screenY(y) + 13);
  }
}

// On the screen where they are, else as an arrowhead at its edge.
function drawAway({ player, x: unitsX, y: unitsY }) {
  const [dx, dy] = [screenX(unitsX) - free.x, screenY(unitsY) - free.y];
  const [roomX, roomY] = [free.halfX - AWAY_PX, free.halfY - AWAY_PX];
  if (roomX <= 0 || roomY <= 0) return;
  const share = Math.min(1, roomX / Math.abs(dx), roomY / Math.abs(dy));
  const [x, y, way] = [free.x + dx * share, free.y + dy * share, Math.atan2(dy, dx)];
  context.fillStyle = alpha(palette.ink, roster.isComputer(player) ? 0.4 : 0.8);
  context.beginPath();
  if (share < 1) for (const [turn, size] of [[0, 9], [2.5, 8], [-2.5, 8]]) context.lineTo(x + Math.cos(way + turn) * size, y + Math.sin(way + turn) * size);
  else context.arc(x, y, 4, 0, 7);
  context.fill();
  if (!roster.isComputer(player)) context.fillText(roster.nameOf(player), x, y + (dy > 0 ? -24 : 11));
}

function drawLooked() {
  const looked = view.pinned ?? view.hovered;
  const at = looked && entities.find(({ kind, id }) => kind === looked.kind && id === looked.id);
  if (!at) return;
  Object.assign(context, { strokeStyle: view.pinned ? palette.ownHot : alpha(palette.ink, 0.7), lineWidth: 1.5 });
  context.beginPath();
  context.arc(screenX(at.x), screenY(at.y), 15, 0, 7);
  context.stroke();
}

function nearest(x, y) {
  const far = (one) => Math.hypot(screenX(one.x) - x, screenY(one.y) - y);
  return entities.reduce((best, one) => (far(one) < (best ? far(best) : pointing.near) ? one : best), null);
}

/** Binds the pointer and the wheel. With `clicks` a double click fits the view: where clicks play nobody means that by them. */
export function bindView(clicks) {
  pointing.clicks = clicks;
  const stage = byId('stage');
  new ResizeObserver(() => {
    const { left, top, width, height } = stage.getBoundingClientRect();
    Object.assign(free, { x: left + width / 2, y: top + height / 2, halfX: Math.max(1, width / 2), halfY: Math.max(1, height / 2) });
  }).observe(stage);
  canvas.addEventListener('pointerdown', (event) => {
    point(event);
    if (event.pointerType === 'touch') pointing.fingers.set(event.pointerId, pointing.pointer);
    drag = pointing.fingers.size > 1 ? null : { pointerId: event.pointerId, x: event.clientX, y: event.clientY };
    pointing.down = pointing.fingers.size > 1 || event.button ? NEVER : { x: event.clientX, y: event.clientY, at: event.timeStamp };
  });
  canvas.addEventListener('pointermove', (event) => {
    point(event);
    if (pointing.fingers.has(event.pointerId)) pinch(event.pointerId);
    pull(event);
  });
  canvas.addEventListener('pointerup', tap);
  for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, (event) => pointing.fingers.delete(event.pointerId));
  canvas.addEventListener('pointerleave', () => { pointing.pointer = null; });
  // Some browsers scroll or zoom in spite of `touch-action` unless told so here as well.
  canvas.addEventListener('touchstart', (event) => event.preventDefault(), { passive: false });
  canvas.addEventListener('wheel', (event) => { event.preventDefault(); zoomBy(Math.exp(-event.deltaY / 400)); }, { passive: false });
}

function point({ clientX, clientY, pointerType }) {
  Object.assign(pointing, { pointer: [clientX, clientY], near: pointerType === 'touch' ? NEAR_FINGER_PX : NEAR_PX });
}

function pinch(id) {
  const [last, next] = [pointing.fingers.get(id), pointing.pointer];
  const [, other] = [...pointing.fingers].find(([finger]) => finger !== id) ?? [];
  const spread = (from) => Math.max(1, Math.hypot(from[0] - other[0], from[1] - other[1]));
  if (pointing.fingers.size === 2) zoomBy(spread(next) / spread(last));
  pointing.fingers.set(id, next);
}

function pull({ pointerId, clientX, clientY, buttons }) {
  if (!view.watches || pointerId !== drag?.pointerId || !buttons) return;
  const [x, y] = [clientX - drag.x, clientY - drag.y];
  if (!view.free && Math.hypot(x, y) < DRAG_PX) return;
  panBy(x, y);
  Object.assign(drag, { x: clientX, y: clientY });
}

function tap({ clientX, clientY, timeStamp, pointerType }) {
  const follows = ({ x, y, at }, reach) => timeStamp - at < TAP_MS && Math.hypot(clientX - x, clientY - y) < reach;
  if (!follows(pointing.down, TAP_PX)) return;
  if (follows(pointing.tapped, DOUBLE_PX) && (pointing.clicks || pointerType === 'touch')) fitView();
  pointing.tapped = { x: clientX, y: clientY, at: timeStamp };
  const found = nearest(clientX, clientY);
  if (found) view.pinned = view.pinned && keyOf(found) === keyOf(view.pinned) ? null : found;
}
