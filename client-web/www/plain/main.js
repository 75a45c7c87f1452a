// The plain page's flow: load the module, ask for a name, play. With it any game can be played before anybody has drawn a line for it.
// Comes in: the browser's clock and events, and the game's own field tables. Goes out: nothing by itself; it hands everything on:
//
//   start ─▶ enter ─▶ net, which asks the API for a ticket before every connection
//   steer ─▶ Plain.steer ─▶ Plain.outgoing ─▶ net
//   net ─▶ Plain.receive ─▶ Plain.draw, Plain.rows ─▶ draw, tables
//                           Plain.news ─▶ people, session
//   people ─▶ watching ─▶ draw, Plain.lookAt…
//   replay, which stands in net's place with a recording
//
// It knows no game: what is not in field tables, rows and news is not shown.

import init, { play } from '../client_web.js';
import { byId } from '../admin/words.js';
import { BROKE, onBreak } from '../broken.js';
import { leaveComposing } from '../composing.js';
import { shareText } from '../copy.js';
import { hostSecret, linkTo, replayInAddress, visitor } from '../here.js';
import { write } from '../hud.js';
import { fetchModule, notLoaded } from '../module.js';
import { BANNED, GONE, Link, RELOADS } from '../net.js';
import { Playback } from '../replay.js';
import { Session } from '../session.js';
import { Tickets } from '../tickets.js';
import { leap, turn, wishOf } from '../turn.js';
import { Whereabouts } from '../whereabouts.js';
import { beginView, bindView, drawRows, fitView, followedAt, panBy, view, zoomBy } from './draw.js';
import { bindChat, bindPeople, clearPeople, hearIn, note, openChat, roster, showPeople, takeNews, teamCount } from './people.js';
import { Person } from './person.js';
import { Start } from './start.js';
import { MOVES, clicksPlay, enableHands, isTyping, makeControls, readHands, releaseHands, restHands, showHands } from './steer.js';
import { kindsOf, rowsOf, showFigures, showTables } from './tables.js';
import { tell } from './tell.js';
import { Watching } from './watching.js';

/** How often what is no canvas is written, ms: faster nobody can read. */
const TELL_MS = 200;
/** While the tab is hidden the client's clock is run this often, ms, beside every message that comes. */
const HIDDEN_MS = 1000;
/** How much closer a key brings the picture. */
const ZOOM = 1.25;
/** How far a key moves the view of whoever watches, CSS pixels. */
const PAN_PX = 60;
/** The closing of a name that was not taken. */
const NAME_REFUSED = 4003;
/** In windows that are not wider, CSS pixels, the panel is closed at first; page.css has the same. */
const NARROW_PX = 720;

const wish = (say) => wishOf(client, source, say, note);
const start = new Start({ enter });
const watching = new Watching({ client: () => client, play: () => wish((to) => to.watch(false)) });
const tickets = new Tickets();
// What a restart took away nobody has to press Play again for.
const address = () => tickets.get(session.code, spectate, link.restarting);
const link = new Link({ address, admitted, hello, message, change: showLine });
const playback = new Playback({
  read: (bytes) => client.replay(bytes),
  begin: (now) => client.hello(now),
  message: (bytes, now) => client.receive(bytes, now),
  follows: () => watching.follows,
  pass: (now) => leap(client, now, takeItem),
  change: showLine,
});
/** Where messages come from: the link, or a recording. */
let source = link;
const whereabouts = new Whereabouts(Infinity);
/** Which recording was looked at last. */
let recording = null;
let game = null;
let kinds = [];
let client = null;
/** What the page is in, and what may be done about its people; null before the game is known. */
let session = null;
let loading = false;
/** Whether the module broke: then nothing is asked of it any more. */
let broken = false;
let person = null;
let playing = false;
/** Whether to come as a spectator. */
let spectate = false;
/** The rows on the screen, an array of numbers for each kind; null before the first. */
let frame = null;
/** Whether they are of this connection. */
let live = false;
let toldAt = 0;
/** The integers that were given last. */
let held = [];

onBreak(breakOff);
leaveComposing();
byId('line-act').addEventListener('click', act);
for (const id of ['line-leave', 'replay-leave']) byId(id).addEventListener('click', leave);
bindChat((text) => wish((to) => to.chat(text, false)));
bindPeople(choosePerson);
addEventListener('keydown', onKey);
document.addEventListener('visibilitychange', whileHidden);
setInterval(whileHidden, HIDDEN_MS);
load();

async function load() {
  if (loading) return;
  loading = true;
  byId('panel').open = innerWidth > NARROW_PX;
  show(false, 'Loading…');
  try {
    await init({ module_or_path: fetchModule(new URL('../client_web_bg.wasm', import.meta.url)) });
    // One that never connects, to be asked what game this is.
    const asked = play('');
    game = JSON.parse(asked.game());
    asked.free();
  } catch (why) {
    console.error(why);
    start.failed(notLoaded(why));
    return;
  } finally {
    loading = false;
  }
  session = new Session(roster, {
    wish, toast: note, teams: teamCount, lobby: leave, game: { name: game.name },
    invite: () => shareText(linkTo(session.code), byId('session-link'), byId('session-invite'), 'Invite'),
  });
  person = new Person(session);
  kinds = kindsOf(game);
  makeControls(game.input);
  bindView(!clicksPlay());
  write(byId('panel-name'), game.name);
  start.ready(game);
  write(byId('start-note'), '');
  requestAnimationFrame(onFrame);
  const wanted = replayInAddress();
  if (wanted) look(wanted);
}

/** Goes into a session, with null for whichever public one has room. */
function enter(code, watchOnly) {
  if (broken) { start.show(BROKE); return; }
  if (!session) { start.show('Still loading. One moment.'); load(); return; }
  spectate = watchOnly;
  session.clear();
  session.code = code;
  begin(link, start.takeName());
  client.setVisitor(visitor());
  link.open();
}

/** Looks at a recording, of an `id` or of a `round` of the session with a `code`; at a moment of it, where one is named. */
function look(which) {
  recording = which;
  session.code = null;
  watching.begins = which.player >= 0 ? which.player : null;
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
  whereabouts.clear();
  person.choose(null);
  watching.clear();
  show(true);
  document.body.classList.toggle('replay', source === playback);
}

/** Shows the game, or the first screen with a sentence. */
function show(on, sentence = '') {
  playing = on;
  enableHands(on);
  byId('over').hidden = !on;
  if (!on) { start.show(sentence); return; }
  start.hide();
  document.activeElement?.blur?.();
}

/** Back to the first screen. */
function leave() {
  if (source === playback) start.code = null;
  show(false);
  source.close();
}

/** The module broke: what it drew last stays, with a sentence. */
function breakOff() {
  [broken, client] = [true, null];
  source.breakOff();
  if (!playing) start.show(BROKE);
}

/** Whoever watches follows who is pressed; what one may do about them is shown. */
function choosePerson(player) {
  if (roster.watching) watching.follow(player);
  person.choose(player);
}

// --- the connection -------------------------------------------------------------------------------

function admitted({ code }) {
  hearIn(code);
  session.code = code;
  start.code = code;
}

function hello() {
  const secret = hostSecret(session.code);
  if (secret) client.setHost(secret);
  client.setWatch(spectate);
  return client.hello(performance.now());
}

function message(bytes, now) {
  const goesOn = client.receive(bytes, now);
  // A hidden tab's timers are throttled, its messages are not: they are its clock.
  if (document.hidden) run(now);
  return goesOn;
}

function run(now) {
  turn(client, source, now, takeItem);
}

function takeItem(item, quietly) {
  // To look for another place in a recording is no new world.
  if (item.type === 'begin' || (item.type === 'welcome' && source === link)) {
    beginView();
    watching.forget();
    whereabouts.clear();
  }
  if (item.type === 'about') session.takeAbout(item);
  if (item.type === 'host') session.takeHost(item);
  if (item.type === 'whereabouts') whereabouts.take(item.places.filter(([player]) => player !== roster.me), performance.now());
  takeNews(item, quietly);
}

/** Says what the connection is doing, and what may be done about it. */
function showLine() {
  if (!playing) return;
  const ended = source.state === 'ended';
  enableHands(!ended && source === link && !roster.watching);
  if (ended && source.code === NAME_REFUSED) { show(false, source.sentence); return; }
  // A session that is over, or lets one in no more, is not asked for again.
  if (ended && source.code === BANNED && session.code) tickets.avoid(session.code);
  if (ended && [BANNED, GONE].includes(source.code)) session.code = start.code = null;
  const wait = Math.max(1, Math.ceil((link.retryAt - performance.now()) / 1000));
  const [text, label] = {
    waiting: [source.sentence, 'Try now'],
    ended: [source.sentence, RELOADS.has(source.code) ? 'Reload' : source === playback ? 'Try again' : 'Play again'],
    open: [live ? '' : 'Waiting for the first rows.', ''],
  }[source.state] ?? ['Connecting.', ''];
  byId('line').classList.toggle('said', text !== '');
  document.body.classList.toggle('lost', source.state !== 'open');
  write(byId('line-text'), text);
  write(byId('line-wait'), source.state === 'waiting' ? `Trying again in ${wait} s.` : '');
  if (label) write(byId('line-act'), label);
  // It keeps its place, so that neither button moves away from under a finger.
  byId('line-act').style.visibility = label ? '' : 'hidden';
  for (const id of ['line-act', 'line-leave']) byId(id).hidden = source.state === 'open';
}

function act() {
  if (source.state === 'waiting') link.retryNow();
  else if (RELOADS.has(source.code)) location.reload();
  else if (source.state === 'ended' && source === playback) look(recording);
  else if (source.state === 'ended') enter(session.code, spectate);
}

// --- a frame --------------------------------------------------------------------------------------

function onFrame() {
  requestAnimationFrame(onFrame);
  if (!playing) return;
  const now = performance.now();
  if (source.state !== 'ended') {
    if (source === link) give(roster.watching ? restHands() : readHands(followedAt(), client.stats()));
    const at = source.advance(now);
    run(at);
    // Between a new connection and its first rows the last picture stays.
    live = playing && client.draw(at);
    if (live) takeFrame(now);
  }
  if (frame) drawRows(kinds, frame, whereabouts, now);
  if (now - toldAt < TELL_MS) return;
  toldAt = now;
  showLine();
  if (broken) return;
  showHands();
  showPeople(client, session.code, roster.watching ? watching.looksAt : person.chosen);
  person.show();
  session.show();
  showFigures(client, now);
  if (frame) showTables(kinds, frame, view, roster);
}

function takeFrame(now) {
  frame = kinds.map((_, kind) => client.rows(kind));
  // A spectator who takes a seat comes back in it, and a player who watches as a spectator.
  if (source === link) spectate = roster.watching;
  watching.show(now, source === playback);
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
  const { key, code, target } = event;
  if (!playing || event.ctrlKey || event.metaKey || event.altKey || isTyping(target)) return;
  if (key === 'Enter' && !target.closest?.('button, summary')) openChat();
  else if (key === 'Escape') view.pinned = null;
  else if (roster.watching && MOVES[code]) panBy(...MOVES[code].map((way) => -PAN_PX * way));
  else if (key === '0') fitView();
  else if (key === '-') zoomBy(1 / ZOOM);
  else if (key === '+' || key === '=') zoomBy(ZOOM);
  else return;
  event.preventDefault();
}

// --- for tests ------------------------------------------------------------------------------------

tell({
  state() {
    if (!playing) return game ? 'start' : 'loading';
    return source.state === 'open' ? (live ? 'playing' : 'connecting') : source.state;
  },
  game: () => game,
  client: () => client,
  session: () => session,
  replay: () => playback.told,
  rows: (name) => (frame ? kinds.filter((kind) => kind.name === name).flatMap((kind) => rowsOf(kind, frame)) : []),
  held: () => held,
  start, watching,
});
