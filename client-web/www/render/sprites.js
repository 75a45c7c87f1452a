// Pictures that are drawn once and copied often: glows, shots, hulls, pickups. Comes in: a scale in
// canvas pixels per unit. Goes out: canvases. A sprite's own measure is arena units, its middle is the
// entity's place, and it looks along +x.

import { HOT, PICKUP_COLOURS, TINTS, alpha, mix, palette } from '../palette.js';

/** How many shapes of hull there are; which one a player flies follows from the player's number. */
export const HULLS = 3;

// Outlines of the upper half, nose first, mirrored by `outline`. A ship's radius is 16.
const HULL_SHAPES = [
  [[21, 0], [3, 5.5], [-12, 15], [-16, 12.5], [-10, 4.5], [-13, 0]],
  [[19, 0], [10, 6], [2, 16], [-13, 16.5], [-6, 7], [-15, 3.5], [-14, 0]],
  [[13, 0], [21, 4.5], [7, 7], [3, 15], [-15, 13], [-9, 5], [-14, 0]],
];

/** A canvas of `width` by `height` units with its drawing context, the middle at 0, 0. */
export function sheet(width, height, scale) {
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.ceil(width * scale));
  canvas.height = Math.max(1, Math.ceil(height * scale));
  const context = canvas.getContext('2d');
  context.setTransform(scale, 0, 0, scale, canvas.width / 2, canvas.height / 2);
  return [canvas, context];
}

/** Draws `sprite` so that it covers `width` by `height` of the current measure around its middle. */
export function stamp(context, sprite, width, height) {
  context.drawImage(sprite, -width / 2, -height / 2, width, height);
}

/** A soft ball of light, 2 by 2 units. */
export function glow(colour, heart = colour) {
  const [canvas, context] = sheet(2, 2, 48);
  const light = context.createRadialGradient(0, 0, 0, 0, 0, 1);
  light.addColorStop(0, alpha(heart, 1));
  light.addColorStop(0.16, alpha(mix(heart, colour, 0.5), 0.72));
  light.addColorStop(0.42, alpha(colour, 0.2));
  light.addColorStop(1, alpha(colour, 0));
  context.fillStyle = light;
  context.fillRect(-1, -1, 2, 2);
  return canvas;
}

/** A ring of light, 2 by 2 units. */
export function ring(colour) {
  const [canvas, context] = sheet(2, 2, 64);
  const light = context.createRadialGradient(0, 0, 0.7, 0, 0, 1);
  light.addColorStop(0, alpha(colour, 0));
  light.addColorStop(0.72, alpha(colour, 0.85));
  light.addColorStop(0.8, alpha('#ffffff', 0.9));
  light.addColorStop(1, alpha(colour, 0));
  context.fillStyle = light;
  context.fillRect(-1, -1, 2, 2);
  return canvas;
}

/** A streak: bright head at the right end, fading to the left; 2 by 2 units, to be stretched. */
export function streak(colour, heart) {
  const [canvas, context] = sheet(2, 2, 32);
  const length = context.createLinearGradient(-1, 0, 1, 0);
  length.addColorStop(0, alpha(colour, 0));
  length.addColorStop(0.7, alpha(colour, 0.8));
  length.addColorStop(0.92, alpha(heart, 1));
  length.addColorStop(1, alpha(heart, 0));
  context.fillStyle = length;
  context.fillRect(-1, -1, 2, 2);
  context.globalCompositeOperation = 'destination-in';
  const breadth = context.createLinearGradient(0, -1, 0, 1);
  breadth.addColorStop(0, alpha('#ffffff', 0));
  breadth.addColorStop(0.5, '#ffffff');
  breadth.addColorStop(1, alpha('#ffffff', 0));
  context.fillStyle = breadth;
  context.fillRect(-1, -1, 2, 2);
  return canvas;
}

/** A shot with its tail: `SHOT_LENGTH` by `SHOT_BREADTH` units, the head at the place. */
export const SHOT_LENGTH = 84;
export const SHOT_BREADTH = 22;
function shot(tint, scale) {
  const [canvas, context] = sheet(SHOT_LENGTH, SHOT_BREADTH, Math.max(1, scale));
  const [colour, heart] = [TINTS[tint], HOT[tint]];
  context.globalCompositeOperation = 'lighter';
  context.drawImage(streak(colour, colour), -33, -3.4, 38, 6.8);
  context.drawImage(glow(colour, heart), -11, -11, 22, 22);
  context.fillStyle = heart;
  context.beginPath();
  if (tint === 0) context.ellipse(-2, 0, 7.5, 2.6, 0, 0, 7);
  else context.ellipse(-0.5, 0, 4.6, 3.4, 0, 0, 7);
  context.fill();
  return canvas;
}

/** A plume of an engine: leaves the middle to the left; 2 by 2 units, to be stretched. */
function plume(colour, heart) {
  const [canvas, context] = sheet(2, 2, 32);
  context.globalCompositeOperation = 'lighter';
  for (const [width, paint, strength] of [[1, colour, 0.75], [0.5, heart, 0.9]]) {
    const light = context.createLinearGradient(1, 0, -1, 0);
    light.addColorStop(0, alpha(paint, strength));
    light.addColorStop(0.35, alpha(paint, strength * 0.6));
    light.addColorStop(1, alpha(paint, 0));
    context.fillStyle = light;
    context.beginPath();
    context.moveTo(1, -0.35 * width);
    context.quadraticCurveTo(0.4, -width, -width, 0);
    context.quadraticCurveTo(0.4, width, 1, 0.35 * width);
    context.fill();
  }
  return canvas;
}

function outline(context, half) {
  context.beginPath();
  half.forEach(([x, y]) => context.lineTo(x, y));
  [...half].reverse().forEach(([x, y]) => context.lineTo(x, -y));
  context.closePath();
}

/** A ship's hull, `HULL_SIZE` units square. */
export const HULL_SIZE = 60;
function hull(tint, shape, scale) {
  const [canvas, context] = sheet(HULL_SIZE, HULL_SIZE, scale);
  const [colour, half] = [TINTS[tint], HULL_SHAPES[shape]];
  context.lineJoin = 'round';
  context.globalAlpha = tint === 0 ? 0.75 : 0.5;
  context.drawImage(glow(colour), -29, -29, 58, 58);
  context.globalAlpha = 1;
  outline(context, half);
  context.fillStyle = mix(colour, palette.void, tint === 0 ? 0.5 : 0.66);
  context.fill();
  // One side in the light, a darker belly, a bright edge: facets without a light that would have to
  // turn with the ship.
  context.save();
  context.clip();
  context.fillStyle = alpha(colour, tint === 0 ? 0.5 : 0.36);
  context.fillRect(-30, -30, 60, 30);
  context.fillStyle = alpha(palette.void, 0.42);
  context.beginPath();
  context.moveTo(16, 0);
  context.lineTo(-8, 5.5);
  context.lineTo(-16, 0);
  context.lineTo(-8, -5.5);
  context.fill();
  context.restore();
  outline(context, half);
  context.strokeStyle = colour;
  context.lineWidth = tint === 0 ? 2.3 : 1.7;
  context.stroke();
  context.strokeStyle = alpha(HOT[tint], 0.85);
  context.lineWidth = 0.7;
  context.stroke();
  context.fillStyle = HOT[tint];
  context.beginPath();
  context.ellipse(5, 0, 4.4, 2, 0, 0, 7);
  context.fill();
  return canvas;
}

/** The warm edge around the own hull where its colour is the team's. */
function edge(shape, scale) {
  const [canvas, context] = sheet(HULL_SIZE, HULL_SIZE, scale);
  context.lineJoin = 'round';
  outline(context, HULL_SHAPES[shape]);
  context.strokeStyle = TINTS[0];
  context.lineWidth = 4;
  context.stroke();
  context.strokeStyle = HOT[0];
  context.lineWidth = 1;
  context.stroke();
  return canvas;
}

/** The shield of somebody just back: 48 units square. */
function bubble(colour, scale) {
  const [canvas, context] = sheet(64, 64, scale);
  const light = context.createRadialGradient(0, 0, 14, 0, 0, 28);
  light.addColorStop(0, alpha(colour, 0));
  light.addColorStop(0.9, alpha(colour, 0.26));
  light.addColorStop(1, alpha(colour, 0));
  context.fillStyle = light;
  context.fillRect(-32, -32, 64, 64);
  context.strokeStyle = alpha(colour, 0.9);
  context.lineWidth = 1.6;
  for (let i = 0; i < 6; i++) {
    context.beginPath();
    context.arc(0, 0, 26, (i * Math.PI) / 3, (i * Math.PI) / 3 + 0.72);
    context.stroke();
  }
  return canvas;
}

/** A pickup, `PICKUP_SIZE` units square; each has a colour, a frame and a sign of its own. */
export const PICKUP_SIZE = 72;
export function pickup(what, scale) {
  const [canvas, context] = sheet(PICKUP_SIZE, PICKUP_SIZE, scale);
  const colour = PICKUP_COLOURS[what];
  context.globalAlpha = 0.55;
  context.drawImage(glow(colour), -34, -34, 68, 68);
  context.globalAlpha = 1;
  context.lineJoin = context.lineCap = 'round';
  context.beginPath();
  if (what === 0) context.roundRect(-14, -14, 28, 28, 7);
  else if (what === 1) context.arc(0, 0, 16, 0, 7);
  else for (let i = 0; i < 6; i++) context.lineTo(18 * Math.cos((i * Math.PI) / 3), 18 * Math.sin((i * Math.PI) / 3));
  // A rounded rectangle is closed already; closed again it would leave a dot.
  if (what > 0) context.closePath();
  context.fillStyle = alpha(mix(colour, palette.void, 0.78), 0.92);
  context.fill();
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.stroke();
  context.beginPath();
  if (what === 0) {
    context.lineWidth = 5;
    context.lineCap = 'butt';
    context.moveTo(-8.5, 0); context.lineTo(8.5, 0); context.moveTo(0, -8.5); context.lineTo(0, 8.5);
    context.stroke();
  } else if (what === 1) {
    [[3, -11], [-7, 2], [-1, 2], [-3, 11], [7, -2], [1, -2]].forEach(([x, y]) => context.lineTo(x, y));
    context.closePath();
    context.fillStyle = colour;
    context.fill();
  } else {
    context.lineWidth = 3.4;
    for (const x of [-8, 1]) { context.moveTo(x, -7.5); context.lineTo(x + 7, 0); context.lineTo(x, 7.5); }
    context.stroke();
  }
  return canvas;
}

/** The crown over the leader: 24 by 18 units. */
function crown(scale) {
  const [canvas, context] = sheet(26, 20, scale);
  context.beginPath();
  [[-10, -4], [-5, 1], [0, -8], [5, 1], [10, -4], [8, 7], [-8, 7]].forEach(([x, y]) => context.lineTo(x, y));
  context.closePath();
  context.lineJoin = 'round';
  context.strokeStyle = palette.void;
  context.lineWidth = 3;
  context.stroke();
  context.fillStyle = palette.crown;
  context.fill();
  return canvas;
}

/** A splinter of a hull, 2 by 2 units. */
function shard(colour) {
  const [canvas, context] = sheet(2, 2, 24);
  context.beginPath();
  context.moveTo(0.9, 0); context.lineTo(-0.7, 0.6); context.lineTo(-0.3, -0.7);
  context.closePath();
  context.fillStyle = mix(colour, palette.void, 0.45);
  context.fill();
  context.strokeStyle = colour;
  context.lineWidth = 0.16;
  context.stroke();
  return canvas;
}

/** Everything at `scale`, canvas pixels per unit; made anew when the screen's size changes. */
export function makeSprites(scale) {
  const perTint = (make) => TINTS.map((colour, tint) => make(colour, HOT[tint], tint));
  return {
    glows: perTint((colour, heart) => glow(colour, heart)),
    white: glow('#ffffff'),
    rings: perTint(ring),
    streaks: perTint(streak),
    shards: perTint(shard),
    dust: shard(palette.rockLight),
    plumes: perTint(plume),
    hotPlume: plume(palette.overdrive, '#ffffff'),
    shots: perTint((_c, _h, tint) => shot(tint, scale)),
    hulls: perTint((_c, _h, tint) => Array.from({ length: HULLS }, (_, shape) => hull(tint, shape, scale))),
    edges: Array.from({ length: HULLS }, (_, shape) => edge(shape, scale)),
    bubble: bubble(palette.line, scale),
    aura: glow(palette.overdrive),
    pickups: PICKUP_COLOURS.map((_, what) => pickup(what, scale)),
    pickupGlows: PICKUP_COLOURS.map((colour) => glow(colour)),
    crown: crown(scale),
  };
}
