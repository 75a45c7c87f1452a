// The network panel. Comes in: the module's figures, and what is chosen in the developers' part. Goes
// out: figures and a graph, twice a second; what the made-up line is like; what helps the picture.
// Nothing of it outlives the page.

import { CONTENT, Graph, SAMPLES, rateText } from './graph.js';
import { write } from './hud.js';
import { STATS } from './rows.js';

/** How often figures and graph are renewed, ms: with `SAMPLES` of these the graph shows a minute. */
const EVERY_MS = 500;
/** What rises and falls with every tick, and is shown as its mean. */
const UNEVEN = [STATS.FRAME_AGE, STATS.INTERPOLATION];
/** A stall of the made-up line begins after every so many ms. */
const STALL_EVERY_MS = 10_000;

const find = (id) => document.getElementById(id);
const ms = (value) => `${Math.round(value)} ms`;
const count = (value) => String(value);

/** What the panel shows: a word, what it means, and the text for a row of statistics. */
const FIGURES = [
  ['Ping', 'The last round trip', (s) => ms(s[STATS.PING])],
  ['Jitter', 'How much the arrival of frames varies', (s) => ms(s[STATS.JITTER])],
  ['Frame age', 'How old the newest known state of the world is', (s) => ms(s[STATS.FRAME_AGE])],
  ['Input margin', 'How early inputs reach the server; below 0 they are late', (s) => ms(s[STATS.INPUT_MARGIN])],
  ['Interpolation', 'How far behind the newest state others are drawn; below 0: ahead of it', (s) => ms(s[STATS.INTERPOLATION])],
  ['Late inputs', 'Inputs that came too late for their tick', (s) => count(s[STATS.LATE_INPUTS])],
  ['Corrections', 'How often your ship was not where it was predicted', (s) => count(s[STATS.CORRECTIONS])],
  ['Keyframes', 'Frames that needed nothing before them: one per connection, more when the line fell behind', (s) => count(s[STATS.KEYFRAMES])],
  ['Ticks a message', 'Ticks that come in one message: more than 1 on a line too slow for the stream, which then shows less around you', (s) => count(s[STATS.TOGETHER])],
  ['Ticks an input', 'An input is sent in every so many ticks: more than 1 where the way to the server is too slow', (s) => count(s[STATS.INPUT_EVERY])],
  ['Refused', 'Messages that could not be read', (s) => count(s[STATS.REFUSED])],
  ['Mismatches', 'Checksums that differed; more than 0 is a bug', (s) => count(s[STATS.MISMATCHES])],
];

/** The bytes so far, in the order of `CONTENT`. */
function bytesSoFar(s) {
  const frames = s[STATS.HEAD_BYTES] + s[STATS.CHECKSUM_BYTES];
  const [steering, changes] = [s[STATS.STEERING_BYTES], s[STATS.CHANGE_BYTES]];
  const [enters, drops] = [s[STATS.ENTER_BYTES], s[STATS.DROP_BYTES]];
  return [frames, steering, changes, enters, drops, s[STATS.BYTES] - frames - steering - changes - enters - drops];
}

/** The panel. */
export class Network {
  #panel = find('network');
  #graph = new Graph(find('bytes-graph'));
  #figures = [];
  #legend = [];
  #bytes = null;
  #client = null;
  #at = 0;
  #sums = UNEVEN.map(() => 0);
  #summed = 0;
  #rates = CONTENT.map(() => 0);
  #line = null;
  #preset = null;
  #sliders = [];
  #prediction = find('help-prediction');
  #interpolation = find('help-interpolation');

  /** `on.drop()` cuts the connection; `on.help(helps)` is told what helps the picture from now on. */
  constructor(on) {
    const figure = (word, title) => {
      const [box, term, value] = ['div', 'dt', 'dd'].map((tag) => document.createElement(tag));
      Object.assign(box, { title });
      term.textContent = word;
      box.append(term, value);
      find('figures').append(box);
      return value;
    };
    this.#figures = [...FIGURES.map(([word, title]) => figure(word, title)),
      figure('Bytes in', 'All messages together, per second'),
      figure('Frames in', 'Frames per second'),
      figure('Reconnects', 'How often the connection was lost and sought again')];
    this.#legend = CONTENT.map(({ label, colour, title }) => {
      const item = document.createElement('li');
      const [dot, value] = [document.createElement('i'), document.createElement('span')];
      dot.style.background = colour;
      item.title = title;
      item.append(dot, label, value);
      find('bytes-legend').append(item);
      return value;
    });
    this.#sliders = [
      ['line-delay', ms, ([delay]) => 2 * delay],
      ['line-jitter', ms, ([, jitter]) => jitter],
      ['line-loss', (value) => `${value} %`, ([, , loss]) => 100 * loss],
      ['line-stall', ms, ([, , , , stall]) => stall],
      ['line-rate', (value) => (value ? rateText(value) : 'none'), ([, , , , , rate]) => rate],
    ].map(([id, text, from]) => ({ input: find(id), text, from }));
    for (const { input } of this.#sliders) input.addEventListener('input', () => this.#setLine());
    for (const box of [this.#prediction, this.#interpolation]) {
      box.checked = true;
      box.addEventListener('change', () => on.help(this.helps));
    }
    find('drop').addEventListener('click', () => on.drop());
    // The panel stays open in play, so a control that was clicked gives the keyboard back to the ship.
    this.#panel.addEventListener('pointerup', () => setTimeout(() => {
      if (this.#panel.contains(document.activeElement)) document.activeElement.blur();
    }));
  }

  /** The module is there: its `line` is the one to make worse, `preset(name)` gives known bad ones. */
  use(line, preset) {
    this.#line = line;
    for (const button of this.#presets()) {
      button.addEventListener('click', () => this.#take(preset(button.dataset.preset)));
    }
    this.#preset = preset;
    this.#take(preset('perfect'));
  }

  /** To be called in every frame of a game. */
  show(now, client, reconnects) {
    const due = now - this.#at >= EVERY_MS;
    if (!due && this.#panel.hidden) return;
    const stats = client.stats();
    this.#summed += 1;
    UNEVEN.forEach((place, i) => { this.#sums[i] += stats[place]; });
    if (!due) return;
    UNEVEN.forEach((place, i) => { stats[place] = this.#sums[i] / this.#summed; });
    this.#sums.fill(0);
    this.#summed = 0;
    const gap = now - this.#at;
    this.#at = now;
    const frames = stats[STATS.FRAMES];
    const bytes = bytesSoFar(stats);
    if (this.#client !== client) this.#graph.clear();
    const known = this.#client === client;
    const before = this.#bytes;
    this.#client = client;
    this.#bytes = { bytes, frames };
    if (!known) return;
    this.#rates = bytes.map((value, i) => ((value - before.bytes[i]) * 1000) / gap);
    // A hidden tab draws nothing: the time it slept is as wide in the graph as any other.
    for (let n = Math.min(SAMPLES, Math.round(gap / EVERY_MS)); n > 0; n--) this.#graph.add(this.#rates);
    if (this.#panel.hidden) return;
    const rate = this.#rates.reduce((sum, one) => sum + one, 0);
    const rest = [rateText(rate), `${Math.round(((frames - before.frames) * 1000) / gap)} /s`, count(reconnects)];
    [...FIGURES.map(([, , text]) => text(stats)), ...rest].forEach((text, i) => write(this.#figures[i], text));
    this.#legend.forEach((value, i) => write(value, rateText(this.#rates[i])));
    this.#graph.draw();
  }

  /** Bytes a second by what they are for, over the last half second. */
  get bytesIn() {
    return Object.fromEntries(CONTENT.map(({ name }, i) => [name, this.#rates[i]]));
  }

  /** What the made-up line is like, each way. */
  get line() {
    const [delayMs, jitterMs, loss, stallEveryMs, stallMs, bytesPerSecond] = this.#line?.conditions() ?? [];
    return { delayMs, jitterMs, loss, stallEveryMs, stallMs, bytesPerSecond };
  }

  /** What helps the picture. */
  get helps() {
    return { prediction: this.#prediction.checked, interpolation: this.#interpolation.checked };
  }

  #presets() {
    return find('presets').querySelectorAll('button');
  }

  #take(conditions) {
    for (const { input, from } of this.#sliders) input.value = from(conditions);
    this.#setLine();
  }

  #setLine() {
    const [delay, jitter, loss, stall, rate] = this.#sliders.map(({ input }) => Number(input.value));
    this.#line?.set([delay / 2, jitter, loss / 100, stall ? STALL_EVERY_MS : 0, stall, rate]);
    for (const { input, text } of this.#sliders) write(input.nextElementSibling, text(Number(input.value)));
    const now = String(this.#line?.conditions());
    for (const button of this.#presets()) {
      button.setAttribute('aria-pressed', String(String(this.#preset?.(button.dataset.preset)) === now));
    }
  }
}
