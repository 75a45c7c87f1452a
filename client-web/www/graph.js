// Bytes a second over the last minute, stacked by what they are for. Comes in: rates, at an even pace.
// Goes out: a picture on a canvas.

import { TINTS, alpha, palette } from './palette.js';

/** Samples that are kept and drawn. */
export const SAMPLES = 120;
/** Room for the scale's text at the left and for the time's below, CSS pixels. */
const LEFT = 52;
const BELOW = 15;
/** Height of the text, CSS pixels. */
const TEXT = 11;
/** The scale ends at least here, bytes a second. */
const TOP_MIN = 200;

/** What bytes are for, from the bottom of the stack up: a word, its colour, what it means. */
export const CONTENT = [
  { name: 'frames', colour: palette.rockLight, label: 'heads, sums', title: 'Heads and checksums of frames' },
  { name: 'steering', colour: TINTS[0], label: 'steering', title: 'Inputs that steer ships, and corrections of these' },
  { name: 'changes', colour: TINTS[3], label: 'changes', title: 'Changes of everything else' },
  { name: 'enters', colour: TINTS[1], label: 'entering', title: 'What comes into view, whole; keyframes are mostly this' },
  { name: 'drops', colour: TINTS[4], label: 'leaving', title: 'What has left the view' },
  { name: 'talk', colour: palette.overdrive, label: 'talk', title: 'Players, standings, chat, events, pings' },
];

/** A number of bytes a second, as text. */
export function rateText(value) {
  return value < 1000 ? `${Math.round(value)} B/s` : `${(value / 1000).toFixed(value < 10_000 ? 1 : 0)} kB/s`;
}

/** The graph. */
export class Graph {
  #canvas;
  #context;
  #width = 0;
  #height = 0;
  /** Rows of `CONTENT.length` rates, a ring; `#next` is the oldest. */
  #rates = new Float32Array(SAMPLES * CONTENT.length);
  #next = 0;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d');
    new ResizeObserver(() => {
      [this.#width, this.#height] = [canvas.clientWidth, canvas.clientHeight];
      this.draw();
    }).observe(canvas);
  }

  /** Takes one sample: rates in the order of `CONTENT`. */
  add(rates) {
    this.#rates.set(rates, this.#next * CONTENT.length);
    this.#next = (this.#next + 1) % SAMPLES;
  }

  /** Forgets everything. */
  clear() {
    this.#rates.fill(0);
  }

  /** Draws all of it. */
  draw() {
    const [width, height] = [this.#width, this.#height];
    if (!width || !height) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.#canvas.width !== wide || this.#canvas.height !== high) {
      Object.assign(this.#canvas, { width: wide, height: high });
    }
    const context = this.#context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const top = scaleTop(this.#most());
    const floor = height - BELOW;
    const span = floor - TEXT / 2;
    this.#scale(width, floor, span, top);
    const step = (width - LEFT) / SAMPLES;
    for (let n = 0; n < SAMPLES; n++) {
      const row = ((this.#next + n) % SAMPLES) * CONTENT.length;
      let y = floor;
      for (let i = 0; i < CONTENT.length; i++) {
        const share = (this.#rates[row + i] / top) * span;
        if (share <= 0) continue;
        y -= share;
        context.fillStyle = CONTENT[i].colour;
        context.fillRect(LEFT + n * step, y, Math.max(0.5, step - 0.5), share);
      }
    }
  }

  #most() {
    let most = 0;
    for (let n = 0; n < SAMPLES; n++) {
      let sum = 0;
      for (let i = 0; i < CONTENT.length; i++) sum += this.#rates[n * CONTENT.length + i];
      most = Math.max(most, sum);
    }
    return most;
  }

  #scale(width, floor, span, top) {
    const context = this.#context;
    context.font = `${TEXT}px system-ui, sans-serif`;
    context.fillStyle = palette.inkSoft;
    context.strokeStyle = alpha(palette.line, 0.18);
    context.lineWidth = 1;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    for (const share of [0, 0.5, 1]) {
      const y = Math.round(floor - span * share) + 0.5;
      context.beginPath();
      context.moveTo(LEFT, y);
      context.lineTo(width, y);
      context.stroke();
      if (share > 0) context.fillText(rateText(top * share), LEFT - 5, y);
    }
    context.textBaseline = 'bottom';
    context.fillText('now', width, floor + BELOW);
    context.textAlign = 'left';
    context.fillText('60 s ago', LEFT, floor + BELOW);
  }
}

/** The next of 1, 2 and 5 times a power of ten. */
function scaleTop(most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, TOP_MIN)));
  return power * [1, 2, 5, 10].find((n) => n * power >= Math.max(most, TOP_MIN));
}
