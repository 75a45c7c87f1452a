// The plain page's flow: load the module, ask for a name, play. With it any game can be played before anybody has drawn a line for it.
// Comes in: the browser's clock and events, and the game's own field tables. Goes out: nothing by itself; it hands everything on:
//
//   steer ─▶ Plain.steer ─▶ Plain.outgoing ─▶ net
//   net ─▶ Plain.receive ─▶ Plain.draw, Plain.rows ─▶ draw, tables
//                           Plain.news ─▶ people
//   replay, which stands in net's place with a recording
//
// It knows no game: what is not in field tables, rows and news is not shown.

import init, { play } from '../client_web.js';
import { byId } from '../admin/words.js';
import { ask } from '../api.js';
import { leaveComposing } from '../composing.js';
import { codeInAddress, replayInAddress, showAddress, visitor } from '../here.js';
import { write } from '../hud.js';
import { GONE, Link } from '../net.js';
import { Playback } from '../replay.js';
import { choose, guestName, settings } from '../settings.js';
import { caught, figuresOf } from '../tell.js';
import { leap, turn } from '../turn.js';
import { beginView, bindView, drawRows, fitView, followedAt, view, zoomBy } from './draw.js';
import { bindChat, clearPeople, everybody, logTexts, openChat, roster, showPeople, takeNews } from './people.js';
import { clicksPlay, enableHands, isTyping, makeControls, readHands, releaseHands, restHands, showHands } from './steer.js';
import { kindsOf, rowsOf, showFigures, showTables } from './tables.js';

/** How often what is no canvas is written, ms: faster nobody can read. */
const TELL_MS = 200;
/** While the tab is hidden the client's clock is run this often, ms, beside every message that comes. */
const HIDDEN_MS = 1000;
/** How much closer a key brings the picture. */
const ZOOM = 1.25;
/** Closings: a name that was not taken; the page is older than the server. */
const NAME_REFUSED = 4003;
const OUTDATED = 4006;
/** In windows that are not wider, CSS pixels, the panel is closed at first; page.css has the same. */
const NARROW_PX = 720;

const suggested = guestName();
const link = new Link({ address, admitted, hello: () => client.hello(performance.now()), message, change: showLine });
const playback = new Playback({
  read: (bytes) => client.replay(bytes),
  begin: (now) => client.hello(now),
  message: (bytes, now) => client.receive(bytes, now),
  follows: () => null,
  pass: (now) => leap(client, now, takeItem),
  change: showLine,
});
/** Where messages come from: the link, or a recording. */
let source = link;
let game = null;
let kinds = [];
let client = null;
/** The session's code; null for whichever has room. */
let code = codeInAddress();
let playing = false;
/** The rows on the screen, an array of numbers for each kind; null before the first. */
let frame = null;
/** Whether they are of this connection. */
let live = false;
let toldAt = 0;
/** The integers that were given last. */
let held = [];

leaveComposing();
byId('start-form').addEventListener('submit', (event) => { event.preventDefault(); if (game) enter(); });
byId('line-act').addEventListener('click', act);
byId('line-leave').addEventListener('click', leave);
bindChat((text) => client.chat(text, false));
addEventListener('keydown', onKey);
document.addEventListener('visibilitychange', whileHidden);
setInterval(whileHidden, HIDDEN_MS);
load();

async function load() {
  byId('name').value = settings.name || suggested;
  byId('panel').open = innerWidth > NARROW_PX;
  show(false, 'Loading…');
  try {
    await init();
    // One that never connects, to be asked what game this is.
    const asked = play('');
    game = JSON.parse(asked.game());
    asked.free();
  } catch (why) {
    console.error(why);
    write(byId('start-note'), 'This browser cannot run the game: it needs WebAssembly.');
    return;
  }
  kinds = kindsOf(game);
  makeControls(game.input);
  bindView(!clicksPlay());
  for (const id of ['game-name', 'panel-name']) write(byId(id), game.name);
  write(byId('start-note'), '');
  byId('play').disabled = false;
  requestAnimationFrame(onFrame);
  const wanted = replayInAddress();
  if (wanted) look(wanted);
}

function enter() {
  const chosen = byId('name').value.trim() || suggested;
  choose('name', chosen === suggested ? '' : chosen);
  begin(link, chosen);
  client.setVisitor(visitor());
  link.open();
}

/** Looks at a recording, of an `id` or of a `round` of the session with a `code`. */
function look(which) {
  begin(playback, '');
  playback.look(which);
}

function begin(where, name) {
  source.close();
  source = where;
  client?.free();
  client = play(name);
  [frame, live] = [null, false];
  clearPeople();
  show(true);
  document.body.classList.toggle('replay', source === playback);
}

/** Shows the game, or the first screen with a sentence. */
function show(on, sentence = '') {
  playing = on;
  enableHands(on);
  byId('over').hidden = !on;
  byId('start').hidden = on;
  write(byId('start-note'), sentence);
  write(byId('start-session'), code ? `Session ${code}` : '');
  // A phone's keyboard would cover the screen at once.
  if (on) document.activeElement?.blur?.(); else if (!matchMedia('(pointer: coarse)').matches) byId('name').select();
}

/** Back to the first screen. */
function leave() {
  show(false);
  source.close();
}

// --- the connection -------------------------------------------------------------------------------

// Every connection begins with a ticket: the server says which session has room, or that it is over.
function address() {
  return ask('POST', '/tickets', { body: code ? { code } : {} }).catch((why) => {
    // A restart took the session away, and nobody has to press Play again for that.
    if (why.status === 404 && code && link.restarting) return ask('POST', '/tickets', { body: {} });
    throw why;
  });
}

function admitted(ticket) {
  code = ticket.code;
  showAddress(code);
}

function message(bytes, now) {
  client.receive(bytes, now);
  // A hidden tab's timers are throttled, its messages are not: they are its clock.
  if (document.hidden) run(now);
}

function run(now) {
  turn(client, source, now, takeItem);
}

function takeItem(item) {
  // To look for another place in a recording is no new world.
  if (item.type === 'begin' || (item.type === 'welcome' && source === link)) beginView();
  takeNews(item);
}

/** Says what the connection is doing, and what may be done about it. */
function showLine() {
  if (!playing) return;
  const ended = source.state === 'ended';
  enableHands(!ended && source === link);
  if (ended && source.code === NAME_REFUSED) { show(false, source.sentence); return; }
  // A session that is over is not asked for again.
  if (ended && source.code === GONE) code = null;
  const wait = Math.max(1, Math.ceil((link.retryAt - performance.now()) / 1000));
  const [text, label] = {
    waiting: [`${source.sentence} Trying again in ${wait} s.`, 'Try now'],
    ended: [source.sentence, source.code === OUTDATED ? 'Reload' : 'Play again'],
    open: [live ? '' : 'Waiting for the first rows.', ''],
  }[source.state] ?? ['Connecting.', ''];
  byId('line').classList.toggle('said', text !== '');
  document.body.classList.toggle('lost', source.state !== 'open');
  write(byId('line-text'), text);
  write(byId('line-act'), label);
  byId('line-act').hidden = !label;
  byId('line-leave').hidden = source.state === 'open';
}

function act() {
  if (source.state === 'waiting') link.retryNow();
  else if (source.code === OUTDATED) location.reload();
  else if (source.state === 'ended') enter();
}

// --- a frame --------------------------------------------------------------------------------------

function onFrame() {
  requestAnimationFrame(onFrame);
  if (!playing) return;
  const now = performance.now();
  if (source.state !== 'ended') {
    if (source === link) give(readHands(followedAt()));
    const at = source.advance(now);
    run(at);
    // Between a new connection and its first rows the last picture stays.
    live = client.draw(at);
    if (live) frame = kinds.map((_, kind) => client.rows(kind));
  }
  if (frame) drawRows(kinds, frame, now);
  if (now - toldAt < TELL_MS) return;
  toldAt = now;
  showLine();
  showHands();
  showPeople(client, code);
  showFigures(client, now);
  if (frame) showTables(kinds, frame, view, roster);
}

function give(integers) {
  client.steer(integers);
  held = [...integers];
}

// Nobody plays what they do not see: the hands rest.
function whileHidden() {
  const now = performance.now();
  source.check(now);
  if (!document.hidden || !playing || source !== link || link.state === 'ended') return;
  releaseHands();
  give(restHands());
  run(now);
}

/** Keys of the page; those that play are steer.js's. */
function onKey(event) {
  const { key, target } = event;
  if (!playing || event.ctrlKey || event.metaKey || event.altKey || isTyping(target)) return;
  if (key === 'Enter' && !target.closest?.('button, summary')) openChat();
  else if (key === 'Escape') view.pinned = null;
  else if (key === '0') fitView();
  else if (key === '-') zoomBy(1 / ZOOM);
  else if (key === '+' || key === '=') zoomBy(ZOOM);
  else return;
  event.preventDefault();
}

// --- for tests ------------------------------------------------------------------------------------

/** `state`, `stats()`, `replay` and `errors` as on the arena's page, see tell.js; `rows(kind)` are those of the picture, by the names of
 *  their fields, in units; `held()` are the integers that were given last. */
globalThis.gamekeeper = {
  get errors() { return caught(); },
  get game() { return game; },
  get replay() { return playback.told; },
  get state() {
    if (!playing) return game ? 'start' : 'loading';
    return source.state === 'open' ? (live ? 'playing' : 'connecting') : source.state;
  },
  rows(name) {
    const rows = frame ? kinds.filter((kind) => kind.name === name).flatMap((kind) => rowsOf(kind, frame)) : [];
    const fields = ({ kind, values }) => Object.fromEntries(kind.fields.map((field, at) => [field.name, values[at]]));
    return rows.map((row) => ({ ...fields(row), id: row.id, own: row.own }));
  },
  stats: () => figuresOf(client),
  people: everybody,
  log: logTexts,
  held: () => held,
  look: () => ({ x: view.x, y: view.y, scale: view.scale }),
};
