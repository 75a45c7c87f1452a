// The session's panel: what it is, teams, watching, and for the host everything a host may do. Comes in: the
// module's news about the session and what is pressed. Goes out: wishes to the module, actions to the API. It knows
// no game: the page gives what the form of settings has of one.

import { ask } from './api.js';
import { SessionForm } from './form.js';
import { hostSecret, keepHostSecret } from './here.js';
import { write } from './hud.js';
import { teamName } from './words.js';

/** Nobody reads a question faster than this, ms. */
const READ_MS = 700;

const find = (id) => document.getElementById(id);

/** The session this page is in. */
export class Session {
  #roster;
  #on;
  #form;
  #shown = '';
  /** When whoever wants to end it was asked whether they do. */
  #askedAt = 0;
  /** Its code, or null before it is known. */
  code = null;
  /** The newest `about` item of news, or null. */
  about = null;

  /** `on.wish(say)` has the client say something, `on.toast(text)`, `on.teams()` how many there are, `on.lobby()` leaves, `on.invite()`; `on.game` is
   *  the game's part of the form, see form.js. */
  constructor(roster, on) {
    this.#roster = roster;
    this.#on = on;
    find('session-watch').addEventListener('click', () => on.wish((to) => to.watch(!roster.watching)));
    find('session-invite').addEventListener('click', () => on.invite());
    find('session-lobby').addEventListener('click', () => on.lobby());
    find('host-name').addEventListener('submit', (event) => {
      event.preventDefault();
      this.act({ action: 'rename', name: find('host-name-text').value.trim() });
    });
    find('host-lock').addEventListener('click', () => this.act({ action: 'lock', locked: !this.about?.locked }));
    find('host-next').addEventListener('click', () => this.act({ action: 'next_round' }));
    find('host-end').addEventListener('click', (event) => this.#end(event.target));
    find('host-more').addEventListener('toggle', () => { if (find('host-more').open) this.#load(); });
    this.#form = new SessionForm(find('host-settings'), 'Keep for the next round', async (settings) => {
      await this.#ask({ action: 'change', settings });
      return 'These hold from the next round on.';
    }, on.game);
  }

  /** Whether this browser is its host. */
  get isHost() {
    return this.code !== null && (this.#roster.entry(this.#roster.me)?.host ?? false) && hostSecret(this.code) !== null;
  }

  /** Takes an `about` item of news. */
  takeAbout(about) {
    const field = find('host-name-text');
    // What the host has begun to type stays.
    if (about.name !== this.about?.name && document.activeElement !== field) field.value = about.name;
    this.about = about;
  }

  /** Takes a `host` item of news: this browser is the host now. */
  takeHost({ secret }) {
    const had = hostSecret(this.code);
    keepHostSecret(this.code, secret);
    if (had !== secret) this.#on.toast('You are the host now');
  }

  /** Does something as the host; what goes wrong is said. */
  async act(action) {
    try {
      await this.#ask(action);
      write(find('host-note'), '');
    } catch (why) {
      write(find('host-note'), why.message);
      this.#on.toast(why.message);
    }
  }

  /** Shows what has changed, where the panel is open. */
  show() {
    if (find('session').hidden) return;
    const { about } = this;
    const [me, host, teams] = [this.#roster.entry(this.#roster.me), this.isHost, this.#on.teams()];
    const state = JSON.stringify([about, me, host, teams, this.code]);
    if (state === this.#shown) return;
    this.#shown = state;
    write(find('session-title'), about?.name ?? 'Session');
    const parts = [about?.public ? 'In the public list' : 'Private', about?.locked && 'locked', about?.delayS && `spectators see it ${about.delayS} s later`, teams > 1 && 'who changes team begins there with 0 points'];
    write(find('session-about'), parts.filter(Boolean).join(', '));
    write(find('session-watch'), this.#roster.watching ? 'Play' : 'Watch');
    this.#showTeams(teams > 1 && !this.#roster.watching ? teams : 0, me?.team);
    find('host').hidden = !host;
    find('host-lock').setAttribute('aria-pressed', String(Boolean(about?.locked)));
    write(find('host-lock'), about?.locked ? 'Unlock' : 'Lock');
  }

  /** Forgets all, as after leaving. */
  clear() {
    this.about = null;
    this.#shown = '';
    find('host-more').open = false;
    write(find('host-note'), '');
  }

  // Buttons are kept, so that who has just pressed one still has the keyboard there.
  #showTeams(count, mine) {
    const box = find('session-teams');
    while (box.children.length > count) box.lastChild.remove();
    while (box.children.length < count) box.append(this.#team(box.children.length + 1));
    for (const button of box.children) {
      const own = Number(button.dataset.team) === mine;
      button.setAttribute('aria-pressed', String(own));
      button.disabled = !own && this.about?.switchTeams === false;
    }
  }

  #team(team) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'plain';
    button.dataset.team = team;
    button.textContent = teamName(team);
    button.addEventListener('click', () => this.#on.wish((to) => to.team(team)));
    return button;
  }

  // Pressed, read and pressed again, which a double click or a key that is held is not: so nobody ends everybody's game
  // by a slip.
  #end(button) {
    const now = performance.now();
    if (button.dataset.sure) {
      if (now - this.#askedAt > READ_MS) this.act({ action: 'end' });
      return;
    }
    this.#askedAt = now;
    button.dataset.sure = '1';
    write(button, 'Really end it?');
    setTimeout(() => { delete button.dataset.sure; write(button, 'End the session'); }, 4000);
  }

  async #load() {
    try {
      const asked = [ask('GET', `/sessions/${encodeURIComponent(this.code)}`), ask('GET', '/settings')];
      const [{ settings }, { usual, most }] = await Promise.all(asked);
      this.#form.bounds = most;
      // Of the game's own settings a session names those that somebody chose.
      this.#form.fill({ ...settings, game: { ...usual.game, ...settings.game } });
    } catch (why) {
      write(find('host-note'), why.message);
    }
  }

  #ask(body) {
    return ask('POST', `/sessions/${encodeURIComponent(this.code)}/actions`, { secret: hostSecret(this.code), body });
  }
}
