// What is called out loud to the player: streaks, the crown, the next round. Comes in: kills and standings.
// Goes out: large letters and signals.

import { write } from './hud.js';

/** What a streak of so many is called; longer ones have the name of the last. */
const STREAKS = [[3, 'Three in a row'], [5, 'Unstoppable: 5 in a row'], [8, 'Untouchable: 8 in a row'], [12, 'A legend: 12 in a row'], [20, 'Beyond words: 20 in a row']];
/** From this streak on the larger signal sounds. */
const BIG = 5;
/** How long a call stays, ms. */
const CALL_MS = 1900;

/** Calls. */
export class Callouts {
  #box = document.getElementById('callout');
  #sound;
  #timer = 0;
  #leader = null;

  /** `sound(name)` plays. */
  constructor(sound) {
    this.#sound = sound;
  }

  /** Says something large. */
  say = (text) => {
    write(this.#box, text);
    this.#box.classList.remove('shown');
    // Asking for a size makes the browser notice, so that the movement starts anew.
    void this.#box.offsetWidth;
    this.#box.classList.add('shown');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#box.classList.remove('shown'), CALL_MS);
  };

  /** One's own streak has become `streak`. */
  streak(streak) {
    const call = STREAKS.find(([from]) => from === streak);
    if (!call) return;
    this.say(call[1]);
    this.#sound(streak >= BIG ? 'streakBig' : 'streak');
  }

  /** `leader` leads now, -1 for nobody; `me` is one's own number. */
  lead(leader, me) {
    const before = this.#leader;
    this.#leader = leader;
    if (before === null || before === leader) return;
    if (leader === me) {
      this.say('The crown is yours');
      this.#sound('lead');
    } else if (before === me && leader >= 0) {
      this.say('The crown is lost');
      this.#sound('leadLost');
    }
  }

  /** Forgets who led. */
  clear() {
    this.#leader = null;
    this.#box.classList.remove('shown');
  }
}
