// Ships with their engines, shields and flashes; shots; pickups. Comes in: rows and sprites. One
// function per kind, each drawing all of its kind, so that the drawing state changes seldom.

import { IS, PICKUP, SHIP, SHOT } from '../rows.js';
import { teamOf, tintOf, tintOfTeam } from '../palette.js';
import { HULLS, HULL_SIZE, PICKUP_SIZE, SHOT_BREADTH, SHOT_LENGTH, stamp } from './sprites.js';

/** Pickups hover: up and down by so many units, once in `HOVER_S` seconds. */
const HOVER = 3;
const HOVER_S = 2.6;

/** Draws pickups; `time` in seconds. */
export function drawPickups(context, camera, sprites, rows, time, calm) {
  for (let i = 0; i < rows.length; i += PICKUP.STRIDE) {
    const [x, y] = [rows[i + PICKUP.X], rows[i + PICKUP.Y]];
    if (!camera.sees(x, y, PICKUP_SIZE / 2)) continue;
    const phase = calm ? 0 : (time / HOVER_S + rows[i + PICKUP.ID] * 0.37) * Math.PI * 2;
    camera.place(context, x, y + Math.sin(phase) * HOVER, 0, 1 + 0.04 * Math.sin(phase * 2));
    stamp(context, sprites.pickups[rows[i + PICKUP.WHAT]] ?? sprites.pickups[0], PICKUP_SIZE, PICKUP_SIZE);
  }
}

/** Draws shots. */
export function drawShots(context, camera, sprites, rows) {
  context.globalCompositeOperation = 'lighter';
  for (let i = 0; i < rows.length; i += SHOT.STRIDE) {
    const [x, y] = [rows[i + SHOT.X], rows[i + SHOT.Y]];
    if (!camera.sees(x, y, SHOT_LENGTH / 2)) continue;
    const tint = tintOf(rows[i + SHOT.PLAYER], rows[i + SHOT.FLAGS] & IS.OWN);
    // A shot that is about to end fades, so that its range can be seen.
    context.globalAlpha = Math.min(1, 0.25 + rows[i + SHOT.TTL] * 6);
    camera.place(context, x, y, Math.atan2(rows[i + SHOT.VY], rows[i + SHOT.VX]));
    stamp(context, sprites.shots[tint], SHOT_LENGTH, SHOT_BREADTH);
  }
  context.globalAlpha = 1;
  context.globalCompositeOperation = 'source-over';
}

/** Draws ships. `flashes` tells by id which were hit a moment ago. */
export function drawShips(context, camera, sprites, rows, flashes, time) {
  context.globalCompositeOperation = 'lighter';
  for (let i = 0; i < rows.length; i += SHIP.STRIDE) drawEngine(context, camera, sprites, rows, i, time);
  context.globalCompositeOperation = 'source-over';
  for (let i = 0; i < rows.length; i += SHIP.STRIDE) {
    const [x, y] = [rows[i + SHIP.X], rows[i + SHIP.Y]];
    const flags = rows[i + SHIP.FLAGS];
    if (!camera.sees(x, y, HULL_SIZE)) continue;
    const player = rows[i + SHIP.PLAYER];
    // In a team the own hull is the team's, with the own warm edge around it.
    const ownTeam = flags & IS.OWN ? teamOf(player) : 0;
    const tint = ownTeam ? tintOfTeam(ownTeam) : tintOf(player, flags & IS.OWN);
    camera.place(context, x, y, rows[i + SHIP.HEADING]);
    // A ship whose news are overdue is drawn faint: nobody knows where it really is.
    context.globalAlpha = flags & IS.WAITING ? 0.45 : 1;
    stamp(context, sprites.hulls[tint][player % HULLS], HULL_SIZE, HULL_SIZE);
    if (ownTeam) stamp(context, sprites.edges[player % HULLS], HULL_SIZE, HULL_SIZE);
    context.globalAlpha = 1;
    if (flags & IS.OVERDRIVEN) drawLight(context, sprites.aura, 68, 0.55 + 0.2 * Math.sin(time * 9));
    if (flashes.has(rows[i + SHIP.ID])) drawLight(context, sprites.white, 64, 0.75);
    if (flags & IS.PROTECTED) {
      camera.place(context, x, y, time * 1.3);
      stamp(context, sprites.bubble, 64, 64);
    }
  }
}

function drawLight(context, sprite, size, strength) {
  context.globalCompositeOperation = 'lighter';
  context.globalAlpha = strength;
  stamp(context, sprite, size, size);
  context.globalAlpha = 1;
  context.globalCompositeOperation = 'source-over';
}

function drawEngine(context, camera, sprites, rows, i, time) {
  const thrust = rows[i + SHIP.THRUST];
  const flags = rows[i + SHIP.FLAGS];
  const [x, y] = [rows[i + SHIP.X], rows[i + SHIP.Y]];
  if (thrust < 0 || flags & IS.WAITING || !camera.sees(x, y, HULL_SIZE)) return;
  const tint = tintOf(rows[i + SHIP.PLAYER], flags & IS.OWN);
  const strong = flags & (IS.BOOSTING | IS.OVERDRIVEN);
  const flicker = 0.85 + 0.15 * Math.sin(time * 61 + rows[i + SHIP.ID] * 1.7);
  const length = (strong ? 44 : 25) * flicker;
  const breadth = strong ? 15 : 10.5;
  // The plume's root sits at the rim of the hull that lies away from the thrust.
  camera.place(context, x - Math.cos(thrust) * 8, y - Math.sin(thrust) * 8, thrust);
  context.drawImage(flags & IS.OVERDRIVEN ? sprites.hotPlume : sprites.plumes[tint], -length, -breadth / 2, length, breadth);
}
