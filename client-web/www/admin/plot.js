// Curves of the last ten minutes. Comes in: samples, the time first, one a second. Goes out: a picture on a canvas, and
// what the pointer or the arrow keys point at.

import { timeText } from './words.js';

/** What is kept and drawn, ms. */
export const SPAN_MS = 600_000;
/** What is drawn at least: a server that has just started fills it soon. */
const SPAN_MS_MIN = 60_000;
/** Room for the scale's text, CSS pixels. */
const LEFT = 54;
const BELOW = 16;
/** Longer pauses between two samples are gaps, ms. */
const GAP_MS = 5000;

const style = getComputedStyle(document.documentElement);
/** A colour of the palette. */
export const colour = (name) => style.getPropertyValue(`--${name}`).trim();

/** Samples of the last ten minutes, oldest first. */
export class Past {
  samples = [];

  /** All of them anew. */
  fill(samples) {
    this.samples = samples;
  }

  /** One more. Where the server's clock was set back, those that it now says are yet to come are gone. */
  add(sample) {
    const { samples } = this;
    while (samples.length && samples[samples.length - 1][0] >= sample[0]) samples.pop();
    samples.push(sample);
    while (samples[0][0] < sample[0] - SPAN_MS) samples.shift();
  }
}

/** One canvas. `series` are columns of the samples: `{ index, colour, label, fill }`; `text` says a value; a `small` one
 *  has no scale. `say(text)` hears what is pointed at, or the newest. */
export class Plot {
  #canvas;
  #past;
  #series;
  #text;
  #small;
  #least;
  #say;
  #label;
  #at = null;
  #size = [0, 0];
  #spanned = SPAN_MS_MIN;

  constructor(canvas, past, { series, text, small = false, least = 1, label, say }) {
    [this.#canvas, this.#past, this.#series, this.#text] = [canvas, past, series, text];
    [this.#small, this.#least, this.#say, this.#label] = [small, least, say, label];
    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'img');
    new ResizeObserver(() => {
      this.#size = [canvas.clientWidth, canvas.clientHeight];
      this.draw();
    }).observe(canvas);
    canvas.addEventListener('pointermove', (event) => this.#point(this.#timeAt(event.offsetX)));
    canvas.addEventListener('pointerleave', () => this.#point(null));
    canvas.addEventListener('blur', () => this.#point(null));
    canvas.addEventListener('keydown', (event) => this.#key(event));
  }

  /** Draws all of it. */
  draw() {
    const [width, height] = this.#size;
    const { samples } = this.#past;
    this.#spanned = this.#span();
    this.#tell(samples);
    if (!width || !height) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    const canvas = this.#canvas;
    if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const top = nice(Math.max(this.#least, ...this.#series.map(({ index }) => most(samples, index))));
    const floor = this.#small ? height - 1 : height - BELOW;
    const roof = this.#small ? 4 : 8;
    const y = (value) => floor - (value / top) * (floor - roof);
    if (!this.#small) this.#scale(context, width, top, y, floor);
    if (samples.length) for (const series of this.#series) this.#curve(context, samples, series, y, floor);
    const picked = this.#picked(samples);
    if (picked && this.#at !== null) this.#mark(context, picked, y, roof, floor);
  }

  /** How long ago the left edge is, ms: whole minutes. */
  #span() {
    const { samples } = this.#past;
    const known = samples.length ? samples[samples.length - 1][0] - samples[0][0] : 0;
    return Math.min(SPAN_MS, Math.max(SPAN_MS_MIN, Math.ceil(known / 60_000) * 60_000));
  }

  #x(at) {
    const { samples } = this.#past;
    const newest = samples.length ? samples[samples.length - 1][0] : Date.now();
    const left = this.#small ? 0 : LEFT;
    return left + (1 - (newest - at) / this.#spanned) * (this.#size[0] - left);
  }

  #timeAt(x) {
    const { samples } = this.#past;
    if (!samples.length) return null;
    const left = this.#small ? 0 : LEFT;
    return samples[samples.length - 1][0] - (1 - (x - left) / (this.#size[0] - left)) * this.#spanned;
  }

  #curve(context, samples, { index, colour: stroke, fill }, y, floor) {
    const trace = () => {
      let last = null;
      for (const sample of samples) {
        const x = this.#x(sample[0]);
        if (last === null || sample[0] - last > GAP_MS) context.moveTo(x, y(sample[index])); else context.lineTo(x, y(sample[index]));
        last = sample[0];
      }
    };
    if (fill) {
      context.beginPath();
      context.moveTo(this.#x(samples[0][0]), floor);
      for (const sample of samples) context.lineTo(this.#x(sample[0]), y(sample[index]));
      context.lineTo(this.#x(samples[samples.length - 1][0]), floor);
      context.globalAlpha = 0.16;
      context.fillStyle = stroke;
      context.fill();
      context.globalAlpha = 1;
    }
    context.beginPath();
    trace();
    context.strokeStyle = stroke;
    context.lineWidth = 1.5;
    context.lineJoin = 'round';
    context.stroke();
  }

  #scale(context, width, top, y, floor) {
    context.font = '11px system-ui, sans-serif';
    context.fillStyle = colour('ink-soft');
    context.strokeStyle = 'rgb(148 178 255 / 0.16)';
    context.lineWidth = 1;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    for (const share of [0, 0.5, 1]) {
      const line = Math.round(y(top * share)) + 0.5;
      context.beginPath();
      context.moveTo(LEFT, line);
      context.lineTo(width, line);
      context.stroke();
      if (share > 0) context.fillText(this.#text(top * share).replace(/\.0+(?= |$)/, ''), LEFT - 5, line);
    }
    context.textBaseline = 'bottom';
    context.fillText('now', width, floor + BELOW);
    context.textAlign = 'left';
    context.fillText(`${this.#spanned / 60_000} min ago`, LEFT, floor + BELOW);
  }

  #mark(context, sample, y, roof, floor) {
    const x = Math.round(this.#x(sample[0])) + 0.5;
    context.strokeStyle = 'rgb(223 232 255 / 0.5)';
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, roof);
    context.lineTo(x, floor);
    context.stroke();
    for (const { index, colour: fill } of this.#series) {
      context.beginPath();
      context.arc(x, y(sample[index]), 3, 0, 7);
      context.fillStyle = fill;
      context.fill();
    }
  }

  #picked(samples) {
    if (this.#at === null) return samples[samples.length - 1];
    let best = null;
    for (const sample of samples) {
      if (!best || Math.abs(sample[0] - this.#at) < Math.abs(best[0] - this.#at)) best = sample;
    }
    return best;
  }

  #point(at) {
    if (this.#at === at) return;
    this.#at = at;
    this.draw();
  }

  #key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30 }[event.key];
    const { samples } = this.#past;
    if (!samples.length || (!steps && event.key !== 'Escape')) return;
    event.preventDefault();
    if (!steps) return void this.#point(null);
    const now = samples.indexOf(this.#picked(samples));
    this.#point(samples[Math.min(samples.length - 1, Math.max(0, now + steps))][0]);
  }

  #tell(samples) {
    const sample = this.#picked(samples);
    const values = sample ? this.#series.map(({ index, label }) => `${label ? `${label} ` : ''}${this.#text(sample[index])}`).join(', ') : '–';
    const when = sample && this.#at !== null ? timeText(sample[0]) : '';
    const said = when ? `${when}: ${values}` : values;
    this.#canvas.setAttribute('aria-label', `${this.#label}, the last ten minutes: ${said}`);
    this.#say?.(said, when !== '');
  }
}

function most(samples, index) {
  let value = 0;
  for (const sample of samples) if (sample[index] > value) value = sample[index];
  return value;
}

/** The next even number of a few times a power of ten, so that its half is a round number too. */
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 4, 6, 8, 10].find((n) => n * power >= value * 0.999);
}
