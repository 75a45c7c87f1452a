// Sounds, made by the browser itself: no file is loaded. Comes in: what happened and where. Goes out:
// a little synthesis, panned by where it was on the screen and quieter with distance.

import { onChange, settings } from './settings.js';
import { VIEW } from './rows.js';
import { SIGNALS, SOUNDS } from './sounds.js';

/** The most sounds at a time; more would only be noise, so further ones are left out. */
const VOICES_MAX = 22;
/** The same sound is not started again within this time, seconds. */
const APART_S = 0.035;
/** Loudness of everything together at full volume. */
const LOUDNESS = 0.5;

/** Plays sounds once the browser allows it, which is after the first key press or touch. */
export class Sound {
  #context = null;
  #arena = null;
  #signals = null;
  #noise = null;
  #voices = 0;
  #last = new Map();
  #camera;

  /** Distances are from `camera`. */
  constructor(camera) {
    this.#camera = camera;
    onChange((key) => { if (['sound', 'volume', 'effects'].includes(key)) this.#adjust(); });
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#context?.suspend(); else this.#context?.resume();
    });
  }

  /** To be called from every key press and touch: a browser may take away what it allowed, as when a call comes. */
  wake() {
    if (this.#context?.state === 'running') return;
    if (this.#context) { this.#context.resume(); return; }
    if (!globalThis.AudioContext) return;
    const context = new AudioContext({ latencyHint: 'interactive' });
    this.#context = context;
    const soft = context.createDynamicsCompressor();
    soft.connect(context.destination);
    [this.#arena, this.#signals] = [context.createGain(), context.createGain()];
    this.#arena.connect(soft);
    this.#signals.connect(soft);
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
    const parts = SIGNALS[name] ?? SOUNDS[name];
    out.connect(SIGNALS[name] ? this.#signals : this.#arena);
    let open = parts.length;
    // Nobody's shots sound alike twice; what is a tune keeps its notes.
    const pitch = SIGNALS[name] ? 1 : 0.95 + Math.random() * 0.1;
    for (const part of parts) {
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
    if (!this.#arena) return;
    const level = settings.sound ? settings.volume * LOUDNESS : 0;
    this.#arena.gain.setTargetAtTime(level * settings.effects, this.#context.currentTime, 0.02);
    this.#signals.gain.setTargetAtTime(level, this.#context.currentTime, 0.02);
  }
}
