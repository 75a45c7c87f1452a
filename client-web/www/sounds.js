// Every sound there is, as numbers for sound.js to make. Nothing comes in.

/** Each sound: parts that sound together. A part is a tone that glides (`from`, `to` in Hz) or noise
 *  through a filter that glides, fading over `life` seconds from `gain`, after `wait` seconds. */
export const SOUNDS = {
  shot: [{ wave: 'square', from: 880, to: 180, life: 0.11, gain: 0.1 }, { noise: true, from: 5200, to: 900, life: 0.06, gain: 0.09 }],
  otherShot: [{ wave: 'triangle', from: 620, to: 140, life: 0.12, gain: 0.16 }],
  spark: [{ noise: true, from: 3600, to: 700, life: 0.1, gain: 0.16 }],
  landed: [{ wave: 'sine', from: 1480, to: 1320, life: 0.07, gain: 0.2 }, { wave: 'sine', from: 2210, to: 1980, life: 0.05, gain: 0.1 }],
  wounded: [{ noise: true, from: 1400, to: 200, life: 0.2, gain: 0.4 }, { wave: 'sawtooth', from: 170, to: 60, life: 0.18, gain: 0.25 }],
  explosion: [{ noise: true, from: 1800, to: 60, life: 0.95, gain: 0.75 }, { wave: 'sine', from: 130, to: 30, life: 0.6, gain: 0.6 }],
  pickup: [{ wave: 'triangle', from: 660, to: 660, life: 0.12, gain: 0.22 }, { wave: 'triangle', from: 990, to: 990, life: 0.2, gain: 0.2, wait: 0.07 }],
  arrive: [{ wave: 'sine', from: 220, to: 720, life: 0.4, gain: 0.25 }],
  emote: [{ wave: 'sine', from: 520, to: 940, life: 0.12, gain: 0.2 }, { wave: 'sine', from: 780, to: 1240, life: 0.12, gain: 0.12, wait: 0.07 }],
};

// A tune: notes in Hz, one after the other, each `life` seconds long and `step` seconds after the last.
const tune = (notes, { wave = 'triangle', step = 0.09, life = 0.24, gain = 0.2 } = {}) =>
  notes.map((note, at) => ({ wave, from: note, to: note, life, gain, wait: at * step }));

const [C4, G4, C5, D5, E5, G5, A5, C6, E6] = [262, 392, 523, 587, 659, 784, 880, 1047, 1319];

/** What is said to the player, in the same way as `SOUNDS` but with a loudness of its own. One family of
 *  notes, so that the page and the arena are one piece. */
export const SIGNALS = {
  kill: tune([C5, G5], { step: 0.1, gain: 0.25 }),
  dead: [{ wave: 'sawtooth', from: 300, to: 45, life: 0.9, gain: 0.22 }],
  streak: tune([C5, E5, G5, C6], { step: 0.07, gain: 0.22 }),
  streakBig: tune([C5, E5, G5, C6, E6], { step: 0.075, life: 0.4, gain: 0.24 }),
  lead: tune([G5, C6, E6], { step: 0.1, life: 0.42, gain: 0.2 }),
  leadLost: tune([G5, E5, C5], { step: 0.1, gain: 0.14 }),
  tick: [{ wave: 'sine', from: A5, to: A5, life: 0.09, gain: 0.24 }],
  begin: tune([C5, C5, G5], { step: 0.13, life: 0.34, gain: 0.24 }),
  over: tune([C6, G5, E5, C5, G4, C4], { step: 0.13, life: 0.6, gain: 0.2 }),
  won: tune([C5, E5, G5, C6, G5, C6, E6], { step: 0.12, life: 0.5, gain: 0.22 }),
  chat: tune([E5, A5], { wave: 'sine', step: 0.06, life: 0.1, gain: 0.13 }),
  joined: tune([G4, D5], { wave: 'sine', step: 0.08, life: 0.16, gain: 0.12 }),
  left: tune([D5, G4], { wave: 'sine', step: 0.08, life: 0.16, gain: 0.1 }),
  press: [{ wave: 'sine', from: 660, to: 740, life: 0.06, gain: 0.1 }],
  open: tune([G4, C5], { wave: 'sine', step: 0.04, life: 0.09, gain: 0.1 }),
  dry: [{ noise: true, from: 2800, to: 1900, life: 0.05, gain: 0.12 }],
  refuse: tune([C5, G4], { wave: 'square', step: 0.08, life: 0.12, gain: 0.06 }),
};
