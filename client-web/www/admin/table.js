// Tables that are kept up to date in place. Comes in: rows with a key each. Goes out: a table whose cells change only
// where their text does, sorted by the column that was chosen. Of a thousand rows a second nothing is built anew.

import { arrange } from '../order.js';
import { made } from './words.js';

const ORDER = new Intl.Collator();

/** A table. `columns`: `{ title, number, text(row), value(row), tone(row), link(row), buttons }`; `buttons` are
 *  `{ text(row), label(row), press(row), danger, shown(row) }`. `keyOf(row)` names a row for good; `same(a, b)` says that
 *  two states of a row look the same, but for `rowClass(row)`. */
export class Table {
  #table;
  #body;
  #columns;
  #keyOf;
  #kept = new Map();
  #sort;
  #rows = [];
  #rowClass;
  #pressed;
  #same;
  /** Rows that are shown at most; the rest is not even built. */
  most = Infinity;

  constructor(table, { caption, columns, keyOf, sort = [0, 1], rowClass = () => '', pressed = null, same = () => false }) {
    [this.#table, this.#columns, this.#keyOf, this.#sort] = [table, columns, keyOf, sort];
    [this.#rowClass, this.#pressed, this.#same] = [rowClass, pressed, same];
    const head = made('thead');
    const line = made('tr');
    columns.forEach((column, index) => {
      const cell = made('th', '', column.number ? 'number' : '');
      cell.scope = 'col';
      if (column.value || column.text) {
        const button = made('button', column.title);
        button.type = 'button';
        button.addEventListener('click', () => this.#sortBy(index));
        cell.append(button);
      } else {
        cell.append(made('span', column.title));
      }
      line.append(cell);
    });
    head.append(line);
    this.#body = made('tbody');
    table.append(made('caption', caption, 'unseen'), head, this.#body);
    this.#showSort();
  }

  /** Shows these rows, and none beside. */
  update(rows) {
    this.#rows = rows;
    const [index, way] = this.#sort;
    const column = this.#columns[index];
    const value = column.value ?? column.text;
    const decorated = rows.map((row, place) => [value(row), place, row]);
    decorated.sort(([a, at], [b, bt]) => compare(a, b, way) || at - bt);
    const before = this.#kept;
    this.#kept = new Map();
    for (const [, , row] of decorated.slice(0, this.most)) {
      const key = this.#keyOf(row);
      const kept = before.get(key) ?? this.#build();
      this.#kept.set(key, kept);
      this.#fill(kept, row);
    }
    arrange(this.#body, [...this.#kept.values()].map(({ line }) => line));
  }

  /** Forgets all rows. */
  clear() {
    this.update([]);
  }

  #build() {
    const line = made('tr');
    const kept = { line, cells: [], texts: [], tones: [], links: [], className: '', row: null };
    for (const column of this.#columns) {
      const cell = made('td', '', column.number ? 'number' : column.buttons ? 'actions' : '');
      let target = cell;
      if (column.link) cell.append(target = made('a'));
      for (const one of column.buttons ?? []) {
        const button = made('button', '', one.danger ? 'plain danger' : 'plain');
        button.type = 'button';
        button.addEventListener('click', (event) => { event.stopPropagation(); one.press(kept.row); });
        cell.append(button);
      }
      line.append(cell);
      kept.cells.push(column.buttons ? [...cell.children] : target);
    }
    if (this.#pressed) line.addEventListener('click', () => this.#pressed(kept.row));
    return kept;
  }

  #fill(kept, row) {
    const last = kept.row;
    kept.row = row;
    const className = this.#rowClass(row);
    if (kept.className !== className) kept.line.className = kept.className = className;
    if (last && this.#same(last, row)) return;
    this.#columns.forEach((column, index) => {
      if (column.buttons) return this.#label(column.buttons, kept, index, row);
      const text = column.text(row);
      const cell = kept.cells[index];
      if (kept.texts[index] !== text) cell.textContent = kept.texts[index] = text;
      if (column.link) {
        const to = column.link(row);
        if (kept.links[index] !== to) cell.setAttribute('href', kept.links[index] = to);
      }
      const tone = column.tone?.(row) ?? '';
      if ((kept.tones[index] ?? '') !== tone) {
        cell.className = `${column.number ? 'number ' : ''}${tone}`;
        kept.tones[index] = tone;
      }
    });
  }

  #label(buttons, kept, index, row) {
    const said = kept.texts[index] ??= [];
    buttons.forEach((one, place) => {
      const [text, label, shown] = [one.text(row), one.label(row), one.shown?.(row) ?? true];
      const last = said[place];
      if (last && last.text === text && last.label === label && last.shown === shown) return;
      said[place] = { text, label, shown };
      const button = kept.cells[index][place];
      button.hidden = !shown;
      button.textContent = text;
      button.setAttribute('aria-label', label);
    });
  }

  #sortBy(index) {
    const [last, way] = this.#sort;
    this.#sort = [index, last === index ? -way : this.#columns[index].number ? -1 : 1];
    this.#showSort();
    this.update(this.#rows);
  }

  #showSort() {
    const [index, way] = this.#sort;
    [...this.#table.tHead.rows[0].cells].forEach((cell, place) => {
      if (place === index) cell.setAttribute('aria-sort', way > 0 ? 'ascending' : 'descending'); else cell.removeAttribute('aria-sort');
    });
  }
}

/** Who has no value comes last, whichever way. */
function compare(a, b, way) {
  if (a == null || b == null) return (a == null) - (b == null);
  if (typeof a === 'number') return (a - b) * way;
  return ORDER.compare(a, b) * way;
}
