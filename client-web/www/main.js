// The page's flow: load the module, ask for a name, play. Comes in: the browser's clock and events.
// Goes out: nothing by itself; it hands everything from one module to the next:
//
//   input, touch ─▶ Client.control ─▶ Client.outgoing ─▶ net
//   net ─▶ Client.receive ─▶ Client.draw ─▶ watch ─▶ effects, scene, hud, minimap
//                           Client.news ─▶ board, feed, chat
//
// `Client` is netcode's client in WebAssembly: every rule and every byte of the protocol is there.
//
// What `globalThis.gamekeeper` tells tests and the curious stands in `tell.js`.
//
// Three moments are marked in the browser's own timeline (`performance.mark`): `usable`, when Play can be
// pressed; `play`, when it is; `flying`, when the player's ship is first drawn after that.

import init, { Client, Line } from './client_web.js';
import { Board, Feed, Roster } from './board.js';
import { Camera } from './camera.js';
import { Chat } from './chat.js';
import { Effects } from './effects.js';
import { Gamepad } from './gamepad.js';
import { Hud } from './hud.js';
import { Input } from './input.js';
import { Link } from './net.js';
import { Meter } from './measure.js';
import { Minimap } from './minimap.js';
import { Network } from './network.js';
import { Curtain, Start, bindPanels, closePanels, toggleFullScreen, togglePanel, toggleSound } from './panels.js';
import { IS, ME, SHIP, STATS } from './rows.js';
import { Scene } from './render/scene.js';
import { settings } from './settings.js';
import { Sound } from './sound.js';
import { tell } from './tell.js';
import { Touch } from './touch.js';
import { Watch } from './watch.js';

/** A frame counts as at most this long, seconds, for whatever moves by itself: no leaps. */
const STEP_MAX_S = 0.1;
/** While the tab is hidden the client's clock is run this often, ms, beside every message that comes. */
const HIDDEN_MS = 1000;

/** How often it is asked whether frames are so slow that fewer pixels should be drawn, ms. */
const RELAX_MS = 3000;
/** How pads and phones shake when the ship is hurt and when it is lost: ms, and strength from 0 to 1. */
const HURT_RUMBLE = [60, 0.5];
const DEATH_RUMBLE = [350, 1];

const canvas = document.getElementById('arena');
const hudBox = document.getElementById('hud');
const camera = new Camera();
const scene = new Scene(canvas, camera);
const sound = new Sound(camera);
const effects = new Effects(camera, sound, scene);
const meter = new Meter();
const hud = new Hud();
const roster = new Roster();
const board = new Board(roster);
const feed = new Feed(roster);
const minimap = new Minimap();
const curtain = new Curtain();
const watch = new Watch(watcher());
const input = new Input(canvas, onKey);
const pad = new Gamepad();
const touch = new Touch(canvas, () => showTouch(true));
const chat = new Chat(roster, (text) => client?.chat(text), (open) => { input.enabled = !open && playing; });
const start = new Start(play);
const link = new Link({ hello, message, change });
const network = new Network({ drop: () => link.drop(), help: ({ prediction, interpolation }) => client?.setHelps(prediction, interpolation) });

let client = null;
let ready = false;
let playing = false;
/** What the module gave for the frame on the screen; null before the first. */
let frame = null;
/** Whether it is of this connection. */
let live = false;
let lastFrame = 0;
let drawn = 0;
let aim = 0;
let relaxAt = 5000;
/** Whether the ship has been drawn since Play was pressed. */
let flying = false;

bindPanels(() => chat.open());
showTouch(matchMedia('(pointer: coarse)').matches);
camera.x = 420;
requestAnimationFrame(onFrame);
setInterval(whileHidden, HIDDEN_MS);
document.addEventListener('visibilitychange', onVisibility);
load();

async function load() {
  try {
    await init({ module_or_path: new URL('./client_web_bg.wasm', import.meta.url) });
    ready = true;
    const line = new Line(Math.floor(Math.random() * 2 ** 32));
    link.use(line);
    network.use(line, Line.preset);
    start.show();
    performance.mark('usable');
  } catch (why) {
    console.error(why);
    start.show('This browser cannot run the game: it needs WebAssembly.', true);
  }
}

function play(name) {
  if (!ready) { start.show('Still loading. One moment.'); return; }
  performance.mark('play');
  flying = false;
  sound.wake();
  client = new Client(name);
  client.setHelps(network.helps.prediction, network.helps.interpolation);
  playing = true;
  input.enabled = true;
  document.body.classList.add('playing');
  start.hide();
  link.open();
}

function leave(sentence) {
  playing = false;
  input.enabled = false;
  frame = null;
  document.body.classList.remove('playing');
  document.getElementById('death').hidden = true;
  hudBox.hidden = true;
  touch.shown = false;
  curtain.hide();
  closePanels();
  start.show(sentence);
}

// --- the connection -------------------------------------------------------------------------------

function hello() {
  watch.clear();
  return client.hello(performance.now());
}

function message(bytes, now) {
  client.receive(bytes, now);
  // A hidden tab's timers are throttled, its messages are not: they are its clock.
  if (document.hidden) run(now);
  else meter.addBetween(performance.now() - now);
}

function change() {
  // Names and the like are refused before there is a game to look at: say it where it can be mended.
  if (link.state === 'ended' && link.code !== 4006 && (!frame || link.code === 4003)) leave(link.sentence);
}

function run(now) {
  client.advance(now);
  for (;;) {
    const item = client.news();
    if (item === undefined) break;
    takeNews(JSON.parse(item));
  }
  for (;;) {
    const bytes = client.outgoing(!link.ready);
    if (bytes === undefined) break;
    link.send(bytes);
  }
}

// Nobody flies a ship they do not see: it drifts, with the trigger let go.
function onVisibility() {
  if (!document.hidden) return;
  input.release();
  touch.release();
  whileHidden();
}

function whileHidden() {
  const now = performance.now();
  link.check(now);
  if (!document.hidden || !client) return;
  client.control(aim, 0, 0, false, false);
  run(now);
}

function takeNews(item) {
  switch (item.type) {
    case 'welcome':
      roster.me = item.player;
      scene.clear();
      effects.clear();
      scene.half = 0;
      break;
    case 'roster': roster.take(item); break;
    case 'standings': board.take(item); break;
    case 'chat': chat.take(item); break;
    case 'kill': takeKill(item); break;
  }
}

function takeKill(kill) {
  feed.take(kill);
  if (kill.killer === roster.me && kill.victim !== roster.me) {
    const run = kill.streak > 1 ? ` · ${kill.streak} in a row` : '';
    hud.toast(`Destroyed ${roster.nameOf(kill.victim)}${run}`);
    sound.play('kill');
  } else if (kill.victim === roster.me) {
    sound.play('dead');
    rumble(DEATH_RUMBLE);
  }
}

// --- a frame --------------------------------------------------------------------------------------

function onFrame() {
  requestAnimationFrame(onFrame);
  const now = performance.now();
  const gap = (now - lastFrame) / 1000;
  const seconds = Math.min(gap, STEP_MAX_S);
  lastFrame = now;
  if (playing) {
    steer(now);
    run(now);
    // Between a new connection and its first rows the last picture stays.
    live = playing && client.draw(now);
    if (live) takeFrame();
    if (frame) drawGame(now, gap, seconds);
    else drawSky(seconds);
    network.show(now, client, link.reconnects);
    if (playing) curtain.show(link, now, { retry: () => link.retryNow(), leave: () => leave('') });
  } else {
    drawSky(seconds);
  }
  meter.add(now, performance.now());
  if (now > relaxAt) {
    relaxAt = now + RELAX_MS;
    if (camera.relax(meter.rate())) scene.refit();
  }
}

function steer(now) {
  pad.poll(now);
  const [padX, padY] = pad.move;
  const [keyX, keyY] = input.move;
  const [stickX, stickY] = touch.move;
  // Whichever was used last aims.
  if (padAims()) aim = pad.aim;
  else if (touch.used) aim = touch.aim;
  else if (input.pointerSeen && frame) aim = aimAtPointer();
  const fire = input.fire || touch.fire || pad.fire;
  client.control(aim, keyX || stickX || padX, keyY || stickY || padY, fire, input.boost || touch.boost || pad.boost);
}

function padAims() {
  return pad.usedAt > input.pointerAt && pad.usedAt > touch.usedAt;
}

function aimAtPointer() {
  const own = ownShip(frame.ships);
  if (own < 0) return aim;
  const { ratio } = camera;
  const x = input.pointerX * ratio - camera.toX(frame.ships[own + SHIP.X]);
  const y = input.pointerY * ratio - camera.toY(frame.ships[own + SHIP.Y]);
  return Math.hypot(x, y) < 2 * ratio ? aim : Math.atan2(y, x);
}

function takeFrame() {
  frame = { ships: client.ships(), shots: client.shots(), pickups: client.pickups(), me: client.me() };
  if (!scene.half) takeArena();
}

function drawGame(now, gap, seconds) {
  follow(frame, seconds);
  if (live) watch.frame(frame, gap);
  effects.exhaust(frame.ships, seconds);
  effects.step(seconds);
  scene.trails.follow(frame.ships, seconds);
  const pointer = touch.used || padAims() || !input.pointerPlays ? null : { x: input.pointerX, y: input.pointerY };
  scene.draw(frame, effects, { nameOf: roster.nameOf, leader: board.leader, pointer }, seconds);
  hudBox.hidden = false;
  touch.shown = document.body.classList.contains('touch');
  hud.show(frame.me, roster.nameOf, seconds);
  board.showOwn(frame.me[ME.SCORE]);
  hud.meters(now, client, meter);
  minimap.draw(frame, now);
  drawn += 1;
  if (!flying && live && frame.me[ME.ALIVE]) {
    flying = true;
    performance.mark('flying');
  }
}

function drawSky(seconds) {
  camera.drift(seconds);
  scene.drawSky(seconds);
}

function takeArena() {
  const rocks = client.rocks();
  scene.half = client.arenaSize();
  scene.rocks.rows = rocks;
  minimap.setArena(rocks, scene.half);
  watch.tickRate = client.stats()[STATS.TICK_RATE];
}

function follow({ ships, me }, seconds) {
  const own = me[ME.ALIVE] ? ownShip(ships) : -1;
  if (own < 0) {
    camera.follow('place', me[ME.X], me[ME.Y], 0, aim, seconds);
    return;
  }
  const speed = Math.hypot(ships[own + SHIP.VX], ships[own + SHIP.VY]);
  camera.follow('ship', ships[own + SHIP.X], ships[own + SHIP.Y], speed, aim, seconds);
}

function ownShip(ships) {
  for (let i = 0; i < ships.length; i += SHIP.STRIDE) if (ships[i + SHIP.FLAGS] & IS.OWN) return i;
  return -1;
}

function watcher() {
  const on = {};
  for (const name of ['fired', 'struck', 'hurt', 'destroyed', 'taken', 'arrived', 'landed', 'wounded']) {
    on[name] = (...args) => effects[name](...args);
  }
  on.wounded = (from, share) => { effects.wounded(from, share); hud.flash(); rumble(HURT_RUMBLE); };
  return on;
}

// --- keys and thumbs ------------------------------------------------------------------------------

function onKey(code) {
  switch (code) {
    case 'Enter': case 'NumpadEnter': case 'KeyT': chat.open(); return true;
    case 'KeyM': toggleSound(); return true;
    case 'KeyH': togglePanel('help'); return true;
    case 'KeyO': togglePanel('settings'); return true;
    case 'KeyN': togglePanel('network'); return true;
    case 'KeyF': toggleFullScreen(); return true;
    case 'Escape': return closePanels();
    default: return false;
  }
}

function rumble([ms, strength]) {
  if (!settings.rumble) return;
  pad.rumble(ms, strength);
  // Phones; the browser says no until the page was touched.
  if (touch.used) navigator.vibrate?.(ms);
}

function showTouch(on) {
  document.body.classList.toggle('touch', on);
  document.body.classList.toggle('mouse', !on);
}

// --- for tests ------------------------------------------------------------------------------------

tell({
  state() {
    if (!playing) return ready ? 'start' : 'loading';
    if (link.state === 'open') return live ? 'playing' : 'connecting';
    return link.state;
  },
  client: () => client,
  frame: () => frame,
  drawn: () => drawn,
  roster, camera, meter, link, network, effects,
});
