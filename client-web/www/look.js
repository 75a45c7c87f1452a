// What a spectator asks the server to show. Comes in: what is watched now. Goes out: wishes to the module, when they
// change.

/** How often the server is told of a place that moves, ms. */
const TELL_MS = 110;

/** What the server was asked to show. */
export class Look {
  #told = '';
  #toldAt = 0;

  /** Forgets it: a new seat looks at the leader. */
  forget() {
    this.#told = '';
  }

  /** Asks for what is watched: `mode` 'leader', 'player', or 'free' for a place. */
  tell(client, { mode, player, x, y }, now) {
    const wish = { leader: 'leader', player: `player ${player}` }[mode] ?? `${Math.round(x)} ${Math.round(y)}`;
    if (wish === this.#told || (mode === 'free' && now - this.#toldAt < TELL_MS)) return;
    this.#told = wish;
    this.#toldAt = now;
    if (mode === 'leader') client.lookAtLeader();
    else if (mode === 'player') client.lookAtPlayer(player);
    else client.lookAtPlace(x, y);
  }
}
