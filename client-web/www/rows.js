// Where what stands in the module's draw lists. The module hands over flat arrays of numbers, one
// stride per row; these are the places within a stride. Lengths are in the arena's units, times in
// seconds, angles in radians from +x (east) towards +y (south).

/** A ship. `THRUST` is the direction of thrust, or -1 for none. Hull and energy go from 0 to 1.
 *  `TEAM` is 1 to 4, 0 without teams. */
export const SHIP = {
  STRIDE: 13, ID: 0, PLAYER: 1, X: 2, Y: 3, VX: 4, VY: 5, HEADING: 6, AIM: 7, THRUST: 8, FLAGS: 9,
  HP: 10, ENERGY: 11, TEAM: 12,
};

/** Bits of a ship's flags. `WAITING`: it stands still for lack of news from the server. */
export const IS = { OWN: 1, FIRING: 2, BOOSTING: 4, OVERDRIVEN: 8, PROTECTED: 16, WAITING: 32 };

/** A shot. `FLAGS` knows only `IS.OWN`. */
export const SHOT = { STRIDE: 8, ID: 0, PLAYER: 1, X: 2, Y: 3, VX: 4, VY: 5, TTL: 6, FLAGS: 7 };

/** A pickup. `WHAT`: 0 repair, 1 charge, 2 overdrive. */
export const PICKUP = { STRIDE: 4, ID: 0, WHAT: 1, X: 2, Y: 3 };

/** A rock; these never change within a session. */
export const ROCK = { STRIDE: 3, X: 0, Y: 1, RADIUS: 2 };

/** The one row about oneself. `KILLER` is a player or -1; `HITS` and `HURTS` wrap round at 256. */
export const ME = {
  ALIVE: 0, X: 1, Y: 2, HP: 3, ENERGY: 4, SCORE: 5, KILLS: 6, DEATHS: 7, STREAK: 8, HITS: 9,
  HURTS: 10, HURT_FROM: 11, RESPAWN: 12, KILLER: 13, PLAYER: 14,
};

/** Places in the module's statistics. Times in ms unless the name says otherwise. */
export const STATS = {
  PING: 0, JITTER: 1, FRAME_AGE: 2, INPUT_MARGIN: 3, CORRECTIONS: 4, KEYFRAMES: 5, MISMATCHES: 6,
  FRAMES: 7, BYTES: 8, INTERPOLATION: 9, TICK_RATE: 10, LATE_INPUTS: 11, REFUSED: 12, INPUTS: 13,
  HEAD_BYTES: 14, DROP_BYTES: 15, STEERING_BYTES: 16, CHANGE_BYTES: 17, ENTER_BYTES: 18,
  CHECKSUM_BYTES: 19, TOGETHER: 20, INPUT_EVERY: 21,
};

/** The part of the arena that is ever shown, in units: the screen covers at most this. */
export const VIEW = { WIDTH: 1600, HEIGHT: 900 };

/** A ship's radius in units, for things drawn around it. */
export const SHIP_RADIUS = 16;
