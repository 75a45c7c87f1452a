// Where those are whom one does not see and may know of all the same. Comes in: their places, once a second.
// Goes out: where to draw them.

/** For how long a place is good, ms: on a slow line they come every four seconds, more or less. */
const GOOD_MS = 9000;
/** For how long a dot glides to its new place, ms: until the next one is due. */
const GLIDE_MS = 1000;

/** Those out of view. */
export class Whereabouts {
  /** By player: where from, where to, and when that was told, ms. */
  #known = new Map();
  #leap;

  /** Two places that are `leap` units or more apart for each second between them are not of one way: somebody has a new
   *  ship. */
  constructor(leap) {
    this.#leap = leap;
  }

  /** Takes what was told at `now`, ms: lists of player, x and y, in units. */
  take(places, now) {
    const before = this.#known;
    this.#known = new Map(places.map(([player, x, y]) => {
      const last = before.get(player);
      const [fromX, fromY] = last ? placeAt(last, now) : [x, y];
      // What a stall held back comes together, though the places are a second apart.
      const seconds = last ? Math.max(1, (now - last.at) / 1000) : 1;
      const leapt = last && Math.hypot(x - last.x, y - last.y) >= this.#leap * seconds;
      return [player, { x, y, fromX: leapt ? x : fromX, fromY: leapt ? y : fromY, at: now }];
    }));
  }

  /** Those of whom `isSeen(player)` does not hold, as `{player, x, y}`. */
  outOfView(isSeen, now) {
    const out = [];
    for (const [player, known] of this.#known) {
      if (now - known.at > GOOD_MS || isSeen(player)) continue;
      const [x, y] = placeAt(known, now);
      out.push({ player, x, y });
    }
    return out;
  }

  /** Somebody is nowhere any more. */
  forget(player) {
    this.#known.delete(player);
  }

  /** Forgets everybody. */
  clear() {
    this.#known.clear();
  }
}

function placeAt({ x, y, fromX, fromY, at }, now) {
  const share = Math.max(0, Math.min(1, (now - at) / GLIDE_MS));
  return [fromX + (x - fromX) * share, fromY + (y - fromY) * share];
}
