// One drawn frame, from back to front. Comes in: what the module gave for this moment. Goes out: the
// canvas. It holds pictures and nothing of the game.

import { settings } from '../settings.js';
import { IS, ME, SHIP, VIEW } from '../rows.js';
import { Background } from './background.js';
import { Overlay } from './overlay.js';
import { Rocks } from './rocks.js';
import { onRedraw, redraw } from '../palette.js';
import { Bubbles } from './bubbles.js';
import { drawPickups, drawShips, drawShots } from './ships.js';
import { makeSprites } from './sprites.js';
import { Trails } from './trails.js';

/** Rocks that drift by on the first screen: place and radius in units, shape, share of the speed. */
const SKY_ROCKS = [[-560, -230, 74, 0, 0.7], [520, 240, 118, 1, 1], [-360, 330, 46, 2, 0.5], [640, -260, 38, 3, 0.4], [60, -400, 60, 4, 0.6]];
/** Their speed, units per second. */
const SKY_SPEED = 26;

/** The canvas and everything that is kept for drawing on it. */
export class Scene {
  #canvas;
  #context;
  #camera;
  #background = new Background();
  #overlay = new Overlay();
  #time = 0;
  #stale = false;
  #repaint = false;
  rocks = new Rocks();
  trails = new Trails();
  /** What players show above their ships. */
  bubbles = new Bubbles();
  sprites = null;
  /** Half the arena's width, units; 0 while no arena is known. */
  half = 0;

  constructor(canvas, camera) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d', { alpha: false });
    this.#camera = camera;
    this.#fit();
    new ResizeObserver(() => this.refit()).observe(canvas);
    // A window moved to a denser screen keeps its size.
    addEventListener('resize', () => this.refit());
    // A driver that begins anew gives canvases back empty, those that are kept as well.
    canvas.addEventListener('contextrestored', redraw);
    onRedraw(() => { this.#repaint = true; this.refit(); });
  }

  /** The canvas is to be fitted anew before the next frame. */
  refit() {
    this.#stale = true;
  }

  #fit() {
    this.#stale = false;
    if (!this.#camera.fit(this.#canvas) && this.sprites && !this.#repaint) return;
    this.#repaint = false;
    this.sprites = makeSprites(this.#camera.scale * 1.1);
    this.#background.fit(this.#camera);
    this.#overlay.clear();
  }

  /** Sky and a few rocks, for the first screen. */
  drawSky(seconds) {
    if (this.#stale) this.#fit();
    this.#background.draw(this.#context, this.#camera);
    const span = VIEW.WIDTH + 500;
    this.#time += seconds;
    const drift = settings.breathe ? this.#time * SKY_SPEED : 0;
    this.#camera.world(this.#context);
    for (const [x, y, radius, shape, depth] of SKY_ROCKS) {
      const along = ((((x - drift * depth) % span) + span) % span) - span / 2;
      this.rocks.drawOne(this.#context, shape, this.#camera.x + along, this.#camera.y + y, radius);
    }
  }

  /** A whole frame. `frame` holds the rows; `pointer` is null where nobody aims with a mouse; `away` are
   *  people off the screen. */
  draw(frame, effects, { nameOf, leader, pointer, away }, seconds) {
    if (this.#stale) this.#fit();
    const [context, camera, sprites] = [this.#context, this.#camera, this.sprites];
    const { ships, shots, pickups, me } = frame;
    this.#time += seconds;
    this.#background.draw(context, camera);
    if (this.half) this.#background.drawArena(context, camera, this.half);
    drawPickups(context, camera, sprites, pickups, this.#time, !settings.breathe);
    this.trails.draw(context, camera);
    this.rocks.draw(context, camera);
    drawShots(context, camera, sprites, shots);
    drawShips(context, camera, sprites, ships, effects.flashes, this.#time);
    effects.particles.draw(context, camera);
    this.#overlay.drawLabels(context, camera, sprites, ships, nameOf, leader, settings.names);
    this.bubbles.draw(context, camera, ships, seconds);
    if (me[ME.ALIVE]) {
      for (let i = 0; i < ships.length; i += SHIP.STRIDE) {
        if (!(ships[i + SHIP.FLAGS] & IS.OWN)) continue;
        const [x, y] = [ships[i + SHIP.X], ships[i + SHIP.Y]];
        this.#overlay.drawOwn(context, camera, x, y, ships[i + SHIP.HEADING], me[ME.HP], me[ME.ENERGY]);
        this.#overlay.drawBlows(context, camera, x, y, effects.blows);
        this.#overlay.drawPointers(context, camera, x, y, away, settings.names ? nameOf : null);
      }
    }
    if (pointer) this.#overlay.drawCrosshair(context, camera, pointer.x, pointer.y, effects.landedAge);
  }

  /** Forgets what came from an earlier connection. */
  clear() {
    this.trails.clear();
    this.bubbles.clear();
    this.#overlay.clear();
  }
}
