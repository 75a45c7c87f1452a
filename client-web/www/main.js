// The page's flow: load the module, ask for a name, play. Comes in: the browser's clock and events.
// Goes out: nothing by itself; it hands everything from one module to the next:
//
//   input, touch, gamepad ─▶ hands ─▶ Client.control ─▶ Client.outgoing ─▶ net
//   net ─▶ Client.receive ─▶ Client.draw ─▶ picture ─▶ watch ─▶ effects, scene, hud, minimap
//                           Client.news ─▶ news ─▶ roster, board, feed, chat, match, people, session
//   start, lobby ─▶ enter ─▶ net, which asks the API for a ticket before every connection
//   lobby ─▶ look ─▶ replay, which stands in net's place with a recording
//
// `Client` is netcode's client in WebAssembly: every rule and every byte of the protocol is there.
//
// What `globalThis.gamekeeper` tells tests and the curious stands in `tell.js`.
//
// Three moments are marked in the browser's own timeline (`performance.mark`): `usable`, when Play can be
// pressed; `play`, when it is; `flying`, when the player's ship is first drawn after that.

import init, { Client, Line, qr, replay } from './client_web.js';
import { actionsFor } from './actions.js';
import { ARENA } from './arena_form.js';
import { Board, Feed } from './board.js';
import { BROKE, onBreak } from './broken.js';
import { Callouts } from './callouts.js';
import { Camera } from './camera.js';
import { Chat } from './chat.js';
import { leaveComposing } from './composing.js';
import { Effects } from './effects.js';
import { Fineness } from './fineness.js';
import { Gamepad } from './gamepad.js';
import { Hands } from './hands.js';
import { hostSecret, replayInAddress, replayOf, showAddress, visitor } from './here.js';
import { Hud } from './hud.js';
import { Input } from './input.js';
import { Invite } from './invite.js';
import { BANNED, Link, RELOADS } from './net.js';
import { Lobby } from './lobby.js';
import { Match } from './match.js';
import { Meter } from './measure.js';
import { Minimap } from './minimap.js';
import { fetchModule, notLoaded } from './module.js';
import { Network } from './network.js';
import { newsFor } from './news.js';
import { Curtain, bindPanels, closePanels, togglePanel } from './panels.js';
import { People } from './people.js';
import { Roster } from './roster.js';
import { Picture } from './picture.js';
import { Playback } from './replay.js';
import { ME, STATS } from './rows.js';
import { Scene } from './render/scene.js';
import { Session } from './session.js';
import { settings } from './settings.js';
import { Sound } from './sound.js';
import { Start } from './start.js';
import { tell } from './tell.js';
import { Tickets } from './tickets.js';
import { Touch } from './touch.js';
import { Trigger } from './trigger.js';
import { leap, turn, wishOf } from './turn.js';
import { View, placeOf } from './view.js';
import { Watch } from './watch.js';
import { Watching } from './watching.js';
import { Whereabouts } from './whereabouts.js';
import { Wheel } from './wheel.js';

/** A frame counts as at most this long, seconds, for whatever moves by itself: no leaps. */
const STEP_MAX_S = 0.1;
/** While the tab is hidden the client's clock is run this often, ms, beside every message that comes. */
const HIDDEN_MS = 1000;
/** How pads and phones shake when the ship is hurt and when it is lost: ms, and strength from 0 to 1. */
const HURT_RUMBLE = [60, 0.5];
const DEATH_RUMBLE = [350, 1];
/** Closings after which the same session is offered again: a name that was not taken, no seat left. */
const OFFERED_AGAIN = new Set([4003, 4014]);
/** Farther no ship flies in a second, units. */
const FLIGHT = 900;

const canvas = document.getElementById('arena');
const hudBox = document.getElementById('hud');
const play = (name, ...where) => sound.play(name, ...where);
const isReplay = () => source === playback;
const wish = (say) => wishOf(client, source, say, (sentence) => hud.toast(sentence));
const camera = new Camera();
const scene = new Scene(canvas, camera);
const sound = new Sound(camera);
const effects = new Effects(camera, sound, scene);
const meter = new Meter();
const fineness = new Fineness();
const hud = new Hud();
const roster = new Roster();
const board = new Board(roster);
const feed = new Feed(roster);
const minimap = new Minimap();
const curtain = new Curtain();
const callouts = new Callouts(play);
const watch = new Watch(watcher());
const whereabouts = new Whereabouts(FLIGHT);
const input = new Input(canvas, (...key) => onKey(...key), () => showTouch(false));
const pad = new Gamepad();
const wheel = new Wheel((emote) => client?.emote(emote));
const touch = new Touch(canvas, () => showTouch(true), () => wheel.toggle());
const hands = new Hands(input, touch, pad);
const trigger = new Trigger(sound);
const chat = new Chat(roster, (text, team) => wish((to) => to.chat(text, team)), (open) => { input.enabled = !open && playing; });
const match = new Match(roster, {
  sound: play, callout: callouts.say, lobby: () => leave(''), isReplay,
  replayOf: (round) => replayOf(session.code, round),
});
const session = new Session(roster, {
  wish, toast: (text) => hud.toast(text), teams: () => match.teams.length,
  lobby: () => leave(''), invite: () => togglePanel('invite'), game: ARENA,
});
const people = new People(roster, {
  act: (action) => session.act(action), isHost: () => session.isHost, teams: () => match.teams.length,
});
const watching = new Watching(canvas, {
  players: () => people.flying(), leader: () => board.first, nameOf: roster.nameOf,
  client: () => client, play: () => wish((to) => to.watch(false)), steers: (pointerId) => touch.isHeldBy(pointerId),
});
const onKey = actionsFor({ chat, wheel, minimap, watching, match, roster, isReplay, giveUp });
const view = new View({ camera, watching, roster, hands });
const picture = new Picture({ camera, scene, effects, minimap, watch, view, whereabouts, roster, board, hands });
const invite = new Invite((text) => (broken ? [] : qr(text)));
const lobby = new Lobby({
  join: (code, spectate) => enter(code, spectate),
  created: (code) => { inviting = true; enter(code, false); },
  replay: (id) => look({ id }),
  isReady, nameOf: () => start.takeName(), sound: play, game: ARENA,
});
const start = new Start({ play: enter, lobby: (open) => { lobby.open = open; } });
const tickets = new Tickets();
// What a restart took away nobody has to press Play again for.
const address = () => tickets.get(session.code, spectate, link.restarting);
const link = new Link({ address, admitted, hello, message, change });
const playback = new Playback({
  read: replay,
  begin(now) { watch.clear(); client.hello(now); },
  message: (bytes, now) => client.receive(bytes, now),
  follows: () => watching.follows,
  pass: (now) => leap(client, now, (item, quietly) => takeNews(item, quietly)),
  change,
});
const network = new Network({ drop: () => link.drop(), help: ({ prediction, interpolation }) => client?.setHelps(prediction, interpolation) });
const takeNews = newsFor({
  roster, board, feed, chat, hud, sound, callouts, match, people, session, scene, effects, whereabouts,
  newWorld() { watch.clear(); watching.forget(); scene.half = 0; },
  arrived() { if (inviting) togglePanel('invite'); inviting = false; },
  lost: () => rumble(DEATH_RUMBLE),
  placeOf: (player) => placeOf(player, frame),
});

let client = null;
/** Where messages come from: the link, or a recording. */
let source = link;
let [ready, loading] = [false, false];
/** Whether the module broke: then nothing is asked of it any more. */
let broken = false;
let playing = false;
/** Whether to come as a spectator, and whether to show the invitation on arrival. */
let spectate = false;
let inviting = false;
/** What the module gave for the frame on the screen; null before the first. */
let frame = null;
/** Whether it is of this connection. */
let live = false;
let lastFrame = 0;
let drawn = 0;
/** Whether the ship has been drawn since Play was pressed. */
let flying = false;

onBreak(breakOff);
leaveComposing();
bindPanels(() => chat.open(), onPanel);
document.getElementById('leave').addEventListener('click', () => leave(''));
showTouch(matchMedia('(pointer: coarse)').matches);
camera.x = 420;
requestAnimationFrame(onFrame);
setInterval(whileHidden, HIDDEN_MS);
document.addEventListener('visibilitychange', onVisibility);
for (const type of ['keydown', 'pointerup', 'click']) addEventListener(type, () => sound.wake(), true);
document.addEventListener('click', (event) => {
  if (event.target.closest?.('button, summary, select')) sound.play('press');
});
// Nobody loses a ship by a slip on the keyboard; the browser asks in its own words.
addEventListener('beforeunload', (event) => { if (settings.warn && playing && live && frame?.me[ME.ALIVE]) event.preventDefault(); });
const wanted = replayInAddress();
// A recording's link stays where it is until it is known what comes of it.
if (!wanted) start.fromAddress();
load();

async function load() {
  if (loading) return;
  loading = true;
  try {
    await init({ module_or_path: fetchModule(new URL('./client_web_bg.wasm', import.meta.url)) });
    ready = true;
    const line = new Line(Math.floor(Math.random() * 2 ** 32));
    link.use(line);
    network.use(line, Line.preset);
    start.show();
    performance.mark('usable');
    if (wanted) look(wanted);
  } catch (why) {
    console.error(why);
    start.show(notLoaded(why));
  }
  loading = false;
}

/** Whether there is something to play with; if not, says so, and tries again what failed. */
function isReady() {
  if (broken) { start.show(BROKE); return false; }
  if (ready) return true;
  start.show('Still loading. One moment.');
  load();
  return false;
}

/** Goes into a session, with null for the fullest public one. */
function enter(code, watchOnly) {
  if (!isReady()) return;
  performance.mark('play');
  flying = false;
  spectate = watchOnly;
  session.code = code;
  client?.free();
  client = new Client(start.takeName());
  client.setVisitor(visitor());
  begin(link);
  link.open();
}

/** Looks at a recording, of an `id` or of a `round` of the session with a `code`; at a moment of it, where one is named. */
function look(which) {
  if (!isReady()) return;
  client?.free();
  client = new Client('');
  begin(playback, which.player >= 0 ? which.player : null);
  playback.look(which);
}

function begin(where, followed = null) {
  source = where;
  watching.begins = followed;
  client.setHelps(network.helps.prediction, network.helps.interpolation);
  playing = true;
  input.enabled = true;
  document.body.classList.toggle('replay', source === playback);
  start.hide();
}

/** Back to the first screen with a sentence, and to the same session where it is `offered` again. The link of a recording
 *  that ended by itself stays, as loading it again may help. */
function leave(sentence, offered = false) {
  const stays = isReplay() && source.state === 'ended';
  const code = session.code;
  playing = false;
  source.close();
  input.enabled = false;
  frame = null;
  inviting = false;
  session.code = null;
  document.body.classList.remove('replay', 'crosshair');
  document.getElementById('death').hidden = true;
  hudBox.hidden = true;
  touch.shown = false;
  watching.shown = false;
  for (const part of [curtain, wheel, minimap]) (part.hide ?? part.close).call(part);
  for (const part of [roster, match, people, session, callouts, chat, board, whereabouts]) part.clear();
  closePanels();
  start.invite(offered ? code : null, stays);
  start.show(sentence);
  // Whoever plays with the keyboard goes on with it.
  if (!touch.used) document.getElementById('play').focus({ preventScroll: true });
}

/** The module broke: what it drew last stays, with a sentence. */
function breakOff() {
  [broken, client, live] = [true, null, false];
  source.breakOff();
  if (!playing) start.show(BROKE);
}

/** Leaves what does not come up; false where there is something to see, and perhaps a ship to lose. */
function giveUp() {
  if (frame) return false;
  leave('');
  return true;
}

// --- the connection -------------------------------------------------------------------------------

function admitted({ code }) {
  session.code = code;
  invite.code = code;
  showAddress(code);
}

function hello() {
  watch.clear();
  const secret = hostSecret(session.code);
  if (secret) client.setHost(secret);
  client.setWatch(spectate);
  return client.hello(performance.now());
}

function message(bytes, now) {
  const goesOn = client.receive(bytes, now);
  // A hidden tab's timers are throttled, its messages are not: they are its clock.
  if (document.hidden) run(now);
  else meter.addBetween(performance.now() - now);
  return goesOn;
}

function change() {
  if (source.state === 'ended' && source.code === BANNED) tickets.avoid(session.code);
  if (source.state === 'ended' && !RELOADS.has(source.code)) leave(source.sentence, OFFERED_AGAIN.has(source.code));
}

function run(now) {
  turn(client, source, now, takeNews);
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
  source.check(now);
  if (!document.hidden || !client || !playing || source !== link) return;
  client.control(hands.aim, 0, 0, false, false);
  run(now);
}

// --- a frame --------------------------------------------------------------------------------------

function onFrame() {
  requestAnimationFrame(onFrame);
  const now = performance.now();
  const gap = (now - lastFrame) / 1000;
  const seconds = Math.min(gap, STEP_MAX_S);
  lastFrame = now;
  if (playing && !broken) {
    const at = source.advance(now);
    steer(now);
    run(at);
    // Between a new connection and its first rows the last picture stays.
    live = playing && client.draw(at);
    if (live) takeFrame();
    if (frame) drawGame(now, gap * source.speed, seconds * source.speed);
    else picture.drawSky(seconds);
    network.show(now, client, source.reconnects);
  } else if (!playing) {
    picture.drawSky(seconds);
  }
  if (playing) curtain.show(source, now, { retry: () => link.retryNow(), leave: () => leave('') });
  meter.add(now, performance.now());
  if (fineness.frame(now, camera.ratio > 1)) {
    camera.fineness = fineness.share;
    scene.refit();
  }
}

function steer(now) {
  input.look(client.stats(), now);
  hands.look(now, frame, camera);
  const idle = roster.watching;
  const [x, y] = idle ? [0, 0] : hands.move;
  const [fire, boost] = [!idle && hands.fire, !idle && hands.boost];
  client.control(hands.aim, x, y, fire, boost);
  const flies = !idle && live && frame?.me[ME.ALIVE] > 0;
  hud.dry = flies && trigger.lacks(frame, fire, boost, now);
}

function takeFrame() {
  frame = { ships: client.ships(), shots: client.shots(), pickups: client.pickups(), me: client.me() };
  if (scene.half) return;
  picture.takeArena(client.rocks(), client.arenaSize());
  watch.tickRate = client.stats()[STATS.TICK_RATE];
}

function drawGame(now, gap, seconds) {
  // A spectator who takes a seat comes back in it, and a player who watches as a spectator.
  spectate = roster.watching;
  picture.draw(frame, live, now, gap, seconds);
  hudBox.hidden = false;
  touch.shown = document.body.classList.contains('touch');
  hud.show(frame.me, roster.nameOf, seconds, watching.looksAt, roster.watching);
  board.showOwn(frame.me[ME.SCORE]);
  hud.meters(now, client, meter);
  match.show(client);
  people.show();
  session.show();
  drawn += 1;
  if (!flying && live && frame.me[ME.ALIVE]) {
    flying = true;
    performance.mark('flying');
  }
}

function watcher() {
  const on = {};
  for (const name of ['fired', 'struck', 'hurt', 'destroyed', 'taken', 'arrived', 'landed', 'wounded']) {
    on[name] = (...args) => effects[name](...args);
  }
  on.wounded = (from, share) => { effects.wounded(from, share); hud.flash(); rumble(HURT_RUMBLE); };
  return on;
}

// --- panels and thumbs ------------------------------------------------------------------------------

function onPanel(id) {
  sound.play('open');
  if (id === 'people') people.changed();
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
    if (source.state === 'open') return live ? 'playing' : 'connecting';
    return source.state;
  },
  client: () => client,
  replay: () => playback.told,
  frame: () => frame,
  drawn: () => drawn,
  roster, camera, meter, link, network, effects, session, match, chat, watching, lobby, scene,
});
