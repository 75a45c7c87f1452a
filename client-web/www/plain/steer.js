// What the hands do, as the integers of the input. Comes in: the input's field table, keys, mouse, fingers, and where on the screen the
// followed entity is. Goes out: one integer per field, and on the screen a control for each that shows what is held. What a field means
// to the rules it does not know: an angle points, what is signed is pushed, short counts are buttons, bit by bit, anything else is a
// slider. A lag is the client's business.

import { byId, made } from '../admin/words.js';
import { isForgotten } from '../forgotten.js';
import { Held } from '../held.js';
import { write } from '../hud.js';
import { keyName, onRelabelled } from '../keys.js';

/** Counts of up to this many bits are buttons. */
const BUTTON_BITS_MAX = 4;
/** Keys of the buttons, in their order; further ones have none. */
const BUTTON_KEYS = ['Space', 'Shift', 'KeyE', 'KeyQ', 'KeyR', 'KeyF', ...Array.from('123456789', (digit) => `Digit${digit}`)];
/** The mouse's buttons for the first of them: the bit in `event.buttons`, and a name. */
const MOUSE = [[1, 'click'], [2, 'right click']];
const [UP, LEFT, DOWN, RIGHT] = [[0, -1], [-1, 0], [0, 1], [1, 0]];
/** Where to, east and south, by key. */
export const MOVES = { KeyW: UP, KeyA: LEFT, KeyS: DOWN, KeyD: RIGHT, ArrowUp: UP, ArrowLeft: LEFT, ArrowDown: DOWN, ArrowRight: RIGHT };
/** A pointer closer to the followed entity than this, CSS pixels, points nowhere. */
const POINT_PX = 3;
/** How far from a pad's middle its knob goes, of the pad's radius. */
const KNOB = 0.62;

const canvas = byId('arena');
const [keys, mouse] = [new Held(), new Held()];
/** `aimsBy` is what angles follow, whichever was used last: 'pointer', 'keys' or 'pad'. `pointer` is its last place on the canvas, `usedAt` when
 *  anything was last moved or held, as of `performance.now()`. */
const hands = { enabled: false, aimsBy: 'pointer', pointer: null, usedAt: -Infinity, stick: [0, 0] };
/** Fields by how they are steered, each with its place in the input. */
const steered = { angles: [], pushes: [], buttons: [], sliders: [] };
/** Each shows one control as it is now. */
const shows = [];
let values = new Int32Array();

/** Whether somebody types there, chooses, pulls a slider or reads on with the keyboard, and does not play. */
export const isTyping = (target) => target.closest?.('input, select, [tabindex="0"]') != null;

/** Makes controls for the fields of an input. */
export function makeControls(input) {
  values = new Int32Array(input.length);
  const fields = input.map((field, at) => ({ ...field, at }));
  const signed = fields.filter((field) => field.signed && ['plain', 'x', 'y'].includes(field.role));
  const counts = fields.filter((field) => field.role === 'plain' && !field.signed);
  const short = counts.filter((field) => field.bits <= BUTTON_BITS_MAX);
  const bits = short.flatMap((field) => Array.from({ length: field.bits }, (_, bit) => ({ ...field, bit })));
  steered.angles = fields.filter(({ role }) => role === 'angle').map((field) => ({ ...field, turn: 0 }));
  // Who says an axis has it; what is left goes to the first of the others.
  const axes = ['x', 'y'].map((axis) => signed.find(({ role }) => role === axis));
  const others = signed.filter((field) => !axes.includes(field));
  steered.pushes = axes.map((field, axis) => ({ ...(field ?? others.shift()), axis })).filter(({ name }) => name);
  steered.buttons = bits.map((field, n) => ({ ...field, key: BUTTON_KEYS[n], mouse: MOUSE[n] ?? [0, ''], fingers: new Held() }));
  const taken = [...steered.pushes, ...short].map(({ at }) => at);
  steered.sliders = fields.filter((field) => [...signed, ...counts].includes(field) && !taken.includes(field.at));
  steered.angles.forEach(addDial);
  if (steered.pushes.length) addStick();
  steered.buttons.forEach(addButton);
  steered.sliders.forEach(addSlider);
  listen();
}

/** Whether the hands play at all. */
export function enableHands(on) {
  hands.enabled = on;
  if (!on) releaseHands();
}

/** Whether clicks on the canvas play. */
export const clicksPlay = () => steered.buttons.length > 0;

/** The integers of now; `from` is where on the screen angles begin, CSS pixels; `stats` are the client's. */
export function readHands(from, stats) {
  const now = performance.now();
  for (const held of allHeld()) held.look(stats, now);
  const [east, south] = direction();
  if (hands.aimsBy === 'keys') turn(east, south, 0);
  const isPressed = steered.buttons.some(({ fingers }) => fingers.size);
  if (keys.size || mouse.size || hands.stick.some(Boolean) || isPressed) hands.usedAt = now;
  if (hands.aimsBy === 'pointer' && hands.pointer && !isForgotten(hands.usedAt, now)) turn(hands.pointer[0] - from[0], hands.pointer[1] - from[1], POINT_PX);
  restHands();
  steered.pushes.forEach(({ at, min, max, axis }) => {
    const push = [east, south][axis] || hands.stick[axis];
    values[at] = Math.round(push < 0 ? -push * min : push * max);
  });
  for (const button of steered.buttons) if (isHeld(button)) values[button.at] |= 1 << button.bit;
  for (const { at, slider } of steered.sliders) values[at] = Number(slider.value);
  return values;
}

/** The integers of hands that rest: angles stay as they are, all else is 0. */
export function restHands() {
  values.fill(0);
  for (const { at, bits, turn: radians } of steered.angles) values[at] = Math.round((radians / (2 * Math.PI) + 1) * 2 ** bits) % 2 ** bits;
  return values;
}

/** Shows on the controls what is held. */
export function showHands() {
  for (const show of shows) show();
}

/** Lets go of everything, as when the window loses the keyboard; sliders are not held and stay. */
export function releaseHands() {
  for (const held of allHeld()) held.clear();
  hands.stick = [0, 0];
  showHands();
}

const allHeld = () => [keys, mouse, ...steered.buttons.map(({ fingers }) => fingers)];

// Where there is nothing to push, the keys for it turn, and go.
const keysTurn = () => steered.angles.length > 0 && !steered.pushes.length;

function direction() {
  const sum = (axis) => [...keys].reduce((all, code) => all + (MOVES[code]?.[axis] ?? 0), 0);
  return [Math.sign(sum(0)), Math.sign(sum(1))];
}

function turn(x, y, least) {
  if (Math.hypot(x, y) > least) for (const angle of steered.angles) angle.turn = Math.atan2(y, x);
}

function isHeld(button) {
  const goes = keysTurn() && button === steered.buttons[0] && direction().some(Boolean);
  return goes || button.fingers.size > 0 || keys.has(button.key) || mouse.has(button.mouse[0]);
}

function listen() {
  const codeOf = ({ code }) => code.replace(/^Shift(Left|Right)$/, 'Shift');
  const moves = (code) => MOVES[code] && (keysTurn() || steered.pushes.length > 0);
  addEventListener('keydown', (event) => {
    const code = codeOf(event);
    if (!hands.enabled || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!moves(code) && !steered.buttons.some(({ key }) => key === code)) return;
    event.preventDefault();
    if (event.repeat) return;
    // A button keeps the focus after a click, and a space would press it again.
    document.activeElement?.blur?.();
    keys.press(code);
    if (MOVES[code] && keysTurn()) hands.aimsBy = 'keys';
    showHands();
  });
  addEventListener('keyup', (event) => {
    // macOS says nothing of a key that is let go while Cmd is down.
    if (/^Meta/.test(event.code)) keys.clear();
    else if (!keys.release(codeOf(event))) return;
    showHands();
  });
  addEventListener('blur', releaseHands);
  addEventListener('focusin', ({ target }) => { if (isTyping(target)) keys.clear(); });
  const press = ({ buttons }) => {
    for (const [bit] of MOUSE) if (buttons & bit) mouse.press(bit); else mouse.release(bit);
  };
  const point = (event) => {
    const { type, clientX, clientY } = event, [x, y] = hands.pointer ?? [];
    // A resting mouse "moves", too, when something below it does.
    if (type !== 'pointermove' || clientX !== x || clientY !== y) hands.usedAt = performance.now();
    Object.assign(hands, { pointer: [clientX, clientY], aimsBy: 'pointer' });
    // A second button pressed or let go while one is down comes as a move, not as a down or an up.
    if (event.pointerType !== 'touch') press(event);
  };
  canvas.addEventListener('pointermove', point);
  canvas.addEventListener('pointerdown', (event) => {
    point(event);
    canvas.setPointerCapture(event.pointerId);
    document.activeElement?.blur?.();
    event.preventDefault();
  });
  for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, press);
  for (const place of [canvas, byId('controls')]) place.addEventListener('contextmenu', (event) => event.preventDefault());
}

// --- controls -------------------------------------------------------------------------------------

/** The keys that move, as they are called here. */
const cross = () => ['KeyW', 'KeyA', 'KeyS', 'KeyD'].map(keyName).join('');

/** Adds a control with the name of its field and, in words, what else does the same; gives where its value is written. */
function addControl(element, name, hints) {
  const [box, said, hint] = [made('div', '', 'control'), Object.assign(made('output'), { ariaLive: 'off' }), made('span', '', 'hint')];
  const label = () => hint.replaceChildren(...hints().filter(Boolean).map((key) => made('kbd', key)));
  label();
  onRelabelled(label);
  box.append(element, made('span', name), said, hint);
  byId('controls').append(box);
  return said;
}

/** Lets any number of fingers play an element: `down(event)`, `move(event)` while it is down, and `up(event)`, however it ends. */
function bindFingers(element, { down, move, up }) {
  const bound = (act) => (event) => { event.preventDefault(); act(event); showHands(); };
  element.addEventListener('pointerdown', bound((event) => { element.setPointerCapture(event.pointerId); down(event); }));
  if (move) element.addEventListener('pointermove', (event) => { if (element.hasPointerCapture(event.pointerId)) bound(move)(event); });
  element.addEventListener('lostpointercapture', bound(up));
}

/** Adds a round pad; `on(x, y)` hears where on it a finger is, -1 to 1 each, `off()` that it is gone. Gives what shows its knob. */
function addPad(name, hints, on, off) {
  const pad = made('div', '', 'pad');
  const knob = pad.appendChild(made('i'));
  const move = ({ clientX, clientY }) => {
    const { left, top, width, height } = pad.getBoundingClientRect();
    const [x, y] = [(2 * (clientX - left)) / width - 1, (2 * (clientY - top)) / height - 1];
    const reach = Math.max(KNOB, Math.hypot(x, y));
    on(x / reach, y / reach);
  };
  bindFingers(pad, { down: move, move, up: off });
  const said = addControl(pad, name, hints);
  return (x, y, text) => {
    const reach = (pad.clientWidth / 2) * KNOB;
    knob.style.transform = `translate(${Math.round(x * reach)}px, ${Math.round(y * reach)}px)`;
    write(said, text);
  };
}

function addDial(angle) {
  const on = (x, y) => { hands.aimsBy = 'pad'; angle.turn = Math.atan2(y, x); };
  const show = addPad(angle.name, () => ['mouse', keysTurn() && cross()], on, () => {});
  shows.push(() => show(Math.cos(angle.turn), Math.sin(angle.turn), String(values[angle.at])));
}

function addStick() {
  const { pushes } = steered;
  const on = (x, y) => { hands.stick = [x, y]; };
  const alone = [['KeyA', 'KeyD'], ['KeyW', 'KeyS']][pushes[0].axis];
  const hints = () => (pushes.length > 1 ? [cross()] : alone.map(keyName));
  const show = addPad(pushes.map(({ name }) => name).join(', '), hints, on, () => on(0, 0));
  shows.push(() => {
    const isPushed = (along) => pushes.some(({ axis }) => axis === along);
    const [x, y] = direction().map((push, along) => (isPushed(along) ? push || hands.stick[along] : 0));
    show(x, y, pushes.map(({ at }) => values[at]).join(', '));
  });
}

function addButton(button) {
  const { fingers, name, bits, bit, key, mouse } = button;
  const [element, title] = [made('button', '', 'press'), bits > 1 ? `${name}·${bit}` : name];
  Object.assign(element, { type: 'button', tabIndex: -1 }).setAttribute('aria-label', title);
  bindFingers(element, { down: ({ pointerId }) => fingers.press(pointerId), up: ({ pointerId }) => fingers.release(pointerId) });
  addControl(element, title, () => [key && keyName(key), mouse[1]]);
  shows.push(() => { element.setAttribute('aria-pressed', String(isHeld(button))); });
}

function addSlider(field) {
  const { name, min, max } = field;
  field.slider = Object.assign(made('input'), { type: 'range', min, max, step: 1, value: 0 });
  field.slider.setAttribute('aria-label', name);
  // The keys are the game's again.
  field.slider.addEventListener('input', () => { hands.usedAt = performance.now(); });
  field.slider.addEventListener('pointerup', () => field.slider.blur());
  const said = addControl(field.slider, name, () => []);
  shows.push(() => write(said, field.slider.value));
}
