// Sounds, made by the browser itself: no file is loaded. Comes in: what happened and where. Goes out:
// a little synthesis, panned by where it was on the screen and quieter with distance.

import { onChange, settings } from './settings.js';
import { VIEW } from './rows.js';

/** The most sounds at a time; more would only be noise, so further ones are left out. */
const VOICES_MAX = 22;
/** The same sound is not started again within this time, seconds. */
const APART_S = 0.035;
/** Loudness of everything together at full volume. */
const LOUDNESS = 0.5;

/** Each sound: parts that sound together. A part is a tone that glides (`from`, `to` in Hz) or noise
 *  through a filter that glides, fading over `life` seconds from `gain`, after `wait` seconds. */
const SOUNDS = {
  shot: [{ wave: 'square', from: 880, to: 180, life: 0.11, gain: 0.1 }, { noise: true, from: 5200, to: 900, life: 0.06, gain: 0.09 }],
  otherShot: [{ wave: 'triangle', from: 620, to: 140, life: 0.12, gain: 0.16 }],
  spark: [{ noise: true, from: 3600, to: 700, life: 0.1, gain: 0.16 }],
  landed: [{ wave: 'sine', from: 1480, to: 1320, life: 0.07, gain: 0.2 }, { wave: 'sine', from: 2210, to: 1980, life: 0.05, gain: 0.1 }],
  wounded: [{ noise: true, from: 1400, to: 200, life: 0.2, gain: 0.4 }, { wave: 'sawtooth', from: 170, to: 60, life: 0.18, gain: 0.25 }],
  explosion: [{ noise: true, from: 1800, to: 60, life: 0.95, gain: 0.75 }, { wave: 'sine', from: 130, to: 30, life: 0.6, gain: 0.6 }],
  pickup: [{ wave: 'triangle', from: 660, to: 660, life: 0.12, gain: 0.22 }, { wave: 'triangle', from: 990, to: 990, life: 0.2, gain: 0.2, wait: 0.07 }],
  arrive: [{ wave: 'sine', from: 220, to: 720, life: 0.4, gain: 0.25 }],
  kill: [{ wave: 'triangle', from: 523, to: 523, life: 0.14, gain: 0.25 }, { wave: 'triangle', from: 784, to: 784, life: 0.28, gain: 0.25, wait: 0.1 }],
  dead: [{ wave: 'sawtooth', from: 300, to: 45, life: 0.9, gain: 0.22 }],
};

/** Plays sounds once the browser allows it, which is after the first key press or touch. */
export class Sound {
  #context = null;
  #out = null;
  #noise = null;
  #voices = 0;
  #last = new Map();
  #camera;

  /** Distances are from `camera`. */
  constructor(camera) {
    this.#camera = camera;
    onChange((key) => { if (key === 'sound' || key === 'volume') this.#adjust(); });
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#context?.suspend(); else this.#context?.resume();
    });
  }

  /** To be called from a key press or touch. */
  wake() {
    if (this.#context) { this.#context.resume(); return; }
    if (!globalThis.AudioContext) return;
    const context = new AudioContext({ latencyHint: 'interactive' });
    this.#context = context;
    const soft = context.createDynamicsCompressor();
    this.#out = context.createGain();
    this.#out.connect(soft).connect(context.destination);
    this.#noise = context.createBuffer(1, context.sampleRate, context.sampleRate);
    const samples = this.#noise.getChannelData(0);
    for (let i = 0; i < samples.length; i++) samples[i] = Math.random() * 2 - 1;
    this.#adjust();
  }

  /** Plays `name`; with a place in units it comes from there, else from everywhere. */
  play(name, x, y) {
    const context = this.#context;
    if (!settings.sound || !context || context.state !== 'running' || this.#voices >= VOICES_MAX) return;
    const now = context.currentTime;
    if (now - (this.#last.get(name) ?? -1) < APART_S) return;
    let [loud, side] = [1, 0];
    if (x !== undefined) {
      const [dx, dy] = [x - this.#camera.x, y - this.#camera.y];
      const far = Math.hypot(dx, dy) / (VIEW.WIDTH / 2);
      loud = 1 / (1 + 5 * far * far);
      side = Math.max(-0.85, Math.min(0.85, dx / (VIEW.WIDTH / 2)));
      if (loud < 0.1) return;
    }
    this.#last.set(name, now);
    const out = context.createStereoPanner();
    out.pan.value = side;
    out.connect(this.#out);
    let open = SOUNDS[name].length;
    // Nobody's shots sound alike twice.
    const pitch = 0.95 + Math.random() * 0.1;
    for (const part of SOUNDS[name]) {
      this.#voices += 1;
      this.#sound(part, out, now, loud, pitch).onended = () => {
        this.#voices -= 1;
        open -= 1;
        if (!open) out.disconnect();
      };
    }
  }

  #sound({ wave, noise, from, to, life, gain, wait = 0 }, out, now, loud, pitch) {
    const context = this.#context;
    const start = now + wait;
    const fade = context.createGain();
    fade.gain.setValueAtTime(gain * loud, start);
    fade.gain.exponentialRampToValueAtTime(0.0008, start + life);
    fade.connect(out);
    const source = noise ? context.createBufferSource() : context.createOscillator();
    let glide = source.frequency;
    if (noise) {
      source.buffer = this.#noise;
      source.loop = true;
      const filter = context.createBiquadFilter();
      filter.type = 'lowpass';
      source.connect(filter).connect(fade);
      glide = filter.frequency;
      source.start(start, Math.random() * 0.9);
    } else {
      source.type = wave;
      source.connect(fade);
      source.start(start);
    }
    glide.setValueAtTime(from * pitch, start);
    glide.exponentialRampToValueAtTime(to * pitch, start + life);
    source.stop(start + life);
    return source;
  }

  #adjust() {
    if (!this.#out) return;
    const level = settings.sound ? settings.volume * LOUDNESS : 0;
    this.#out.gain.setTargetAtTime(level, this.#context.currentTime, 0.02);
  }
}
