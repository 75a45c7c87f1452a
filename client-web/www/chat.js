// Chat. Comes in: the module's news and what the player types. Goes out: lines of text, set as text
// and never as anything else.

import { Said } from './said.js';
import { limitToLine } from './words.js';

/** Lines kept. */
const LINES_MAX = 40;
/** How long a line stays while the chat is closed, ms. */
const LINE_MS = 12_000;

const find = (id) => document.getElementById(id);

/** The chat's log and its line. */
export class Chat {
  #roster;
  #box = find('chat');
  #log = find('chat-log');
  #form = find('chat-form');
  #input = find('chat-input');
  #team = find('chat-team');
  #toTeam = false;
  #said = new Said();

  /** `say(text, team)` sends a line, to the own team or to all, and says whether that could be; `onOpen(open)` is told
   *  when the line opens and closes. */
  constructor(roster, say, onOpen) {
    this.#roster = roster;
    this.#onOpen = onOpen;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = this.#input.value.trim();
      // What nobody would hear stays, to be sent again.
      if (!text || say(text, this.#toTeam)) this.close();
    });
    limitToLine(this.#input);
    this.#input.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close();
      if (event.key === 'Tab' && !this.#team.hidden) {
        this.#toggle();
        event.preventDefault();
      }
      event.stopPropagation();
    });
    // Whoever goes to another window, or touches the game in the middle of a line, finds it again.
    this.#input.addEventListener('blur', () => { if (document.hasFocus()) this.#hide(); });
    // The line keeps the keyboard.
    this.#team.addEventListener('pointerdown', (event) => { event.preventDefault(); this.#toggle(); });
  }

  #onOpen;

  /** Opens the line to type in. */
  open() {
    this.#team.hidden = !this.#roster.myTeam;
    if (this.#team.hidden) this.#toTeam = false;
    this.#form.hidden = false;
    this.#box.classList.add('open');
    this.#onOpen(true);
    this.#input.focus();
    // Before the first picture there is nothing to type into, and the keyboard stays where it is.
    if (document.activeElement !== this.#input) this.#hide();
  }

  /** Closes it and forgets what was typed. */
  close() {
    this.#input.value = '';
    this.#hide();
  }

  #hide() {
    if (this.#form.hidden) return;
    this.#form.hidden = true;
    this.#box.classList.remove('open');
    this.#onOpen(false);
  }

  /** Takes a `chat` item of news. */
  take({ from, team, text }) {
    const name = from === null ? null : this.#roster.nameOf(from);
    if (from !== null && !team) this.#said.hear(name, text);
    if (from !== null && this.#roster.isSilenced(from)) return;
    this.#add(name, text, { mine: from === this.#roster.me, team });
  }

  /** Takes a `history` item: what was said before one came, or came back. */
  takeHistory({ lines }) {
    for (const [name, text] of this.#said.newIn(lines)) {
      if (!this.#roster.isNameSilenced(name)) this.#add(name, text, { mine: false, team: false });
    }
  }

  /** The texts of all lines that are kept. */
  get texts() {
    return [...this.#log.children].map((line) => line.textContent);
  }

  /** Forgets all lines, as after leaving. */
  clear() {
    this.#log.replaceChildren();
    this.#said = new Said();
  }

  #toggle() {
    this.#toTeam = !this.#toTeam;
    this.#team.setAttribute('aria-pressed', String(this.#toTeam));
    this.#team.textContent = this.#toTeam ? 'Team' : 'All';
  }

  #add(from, text, { mine, team }) {
    const line = document.createElement('li');
    if (from === null) {
      line.className = 'server';
    } else {
      const name = document.createElement('b');
      const who = document.createElement('bdi');
      who.textContent = from;
      name.append(who, team ? ' to the team' : '');
      // Without the blank it is read as one word with what follows.
      line.append(name, ' ');
      line.classList.toggle('mine', mine);
      line.classList.toggle('team', Boolean(team));
    }
    line.append(text);
    this.#log.append(line);
    while (this.#log.children.length > LINES_MAX) this.#log.firstElementChild.remove();
    setTimeout(() => line.classList.add('old'), LINE_MS);
  }
}
