// The lobby's chat. Comes in: lines of others and what is typed. Goes out: text, set as text and never as
// anything else.

import { ask } from './api.js';
import { write } from './hud.js';

/** Lines kept. */
const LINES_MAX = 100;

const find = (id) => document.getElementById(id);

/** The chat's tab. */
export class Talk {
  #log = find('talk-log');
  #known = new Set();
  /** The largest number of a line. */
  #newest = 0;
  #unread = 0;
  #shown = false;
  /** Whether a line is under way. */
  #saying = false;
  #on;

  /** `on.nameOf()` gives the name of who speaks, `on.sound(name)` plays. */
  constructor(on) {
    this.#on = on;
    find('talk-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#say();
    });
  }

  /** Whether its tab is the one in front. */
  set shown(on) {
    this.#shown = on;
    if (!on) return;
    this.#unread = 0;
    this.#count();
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  /** Takes lines `{id, name, text, at}`; the same one twice is one, and an older one goes where it belongs. What was
   *  said in the `past`, before one came, is no news. */
  take(lines, past) {
    const news = lines.filter(({ id }) => id > this.#newest);
    this.#newest = Math.max(this.#newest, ...news.map(({ id }) => id));
    for (const line of lines) this.#add(line);
    if (past || this.#shown) return;
    this.#unread += news.length;
    this.#count();
  }

  #add({ id, name, text, at }) {
    if (this.#known.has(id)) return;
    this.#known.add(id);
    const line = document.createElement('p');
    Object.assign(line.dataset, { id, at });
    const [time, who] = [document.createElement('time'), document.createElement('b')];
    const date = new Date(at);
    if (!Number.isNaN(date.getTime())) time.textContent = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    who.textContent = name;
    // Without the blanks these are read as one word.
    line.append(time, ' ', who, ' ', String(text));
    const below = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 40;
    const later = [...this.#log.children].find(({ dataset }) => (dataset.at - at || dataset.id - id) > 0);
    this.#log.insertBefore(line, later ?? null);
    while (this.#log.children.length > LINES_MAX) this.#log.firstElementChild.remove();
    if (below) this.#log.scrollTop = this.#log.scrollHeight;
  }

  #count() {
    write(find('talk-new'), this.#unread ? String(Math.min(99, this.#unread)) : '');
  }

  async #say() {
    const field = find('talk-text');
    const text = field.value.trim();
    if (!text || this.#saying) return;
    this.#saying = true;
    // While the line is under way the next one can be typed.
    field.value = '';
    try {
      await ask('POST', '/chat', { body: { name: this.#on.nameOf(), text } });
      write(find('talk-note'), '');
    } catch (why) {
      if (!field.value) field.value = text;
      write(find('talk-note'), why.message);
      this.#on.sound('refuse');
    }
    this.#saying = false;
  }
}
