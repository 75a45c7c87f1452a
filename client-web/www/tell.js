// What the page tells tests and the curious. Comes in: the page's parts, to be read only. Goes out:
// `globalThis.gamekeeper`, which can be read, not written:
//   state       'loading', 'start', 'connecting', 'playing', 'waiting' (will retry) or 'ended'
//   stats()     an object of numbers: pingMs, jitterMs, frameAgeMs, inputMarginMs, corrections,
//               keyframes, mismatches, frames, bytes, interpolationMs, tickRate, lateInputs, refused,
//               inputs, headBytes, dropBytes, steeringBytes, changeBytes, enterBytes, checksumBytes,
//               together (ticks of the last message), inputEvery (ticks)
//   bytesIn()   bytes a second over the last half second, by what they are for: {enters, steering,
//               changes, drops, frames, talk}
//   line()      what the network panel's sliders hold back: {delayMs, jitterMs, loss, stallEveryMs,
//               stallMs, bytesPerSecond}, each way
//   helps()     the panel's switches: {prediction, interpolation}
//   me()        an object: alive, x, y, hp, energy, score, kills, deaths, streak, hits, hurts,
//               respawn (s), killer, player; null before the first frame
//   ships()     what is in view: [{id, player, name, own, x, y, hp, heading, team}]
//   shipCount() how many ships are in view, the margin that is sent around it included
//   onScreen()  how many of them touch the screen
//   scriptMs    {mean, max}: script and module time per drawn frame over the last 120 frames, what
//               messages took between frames included
//   frameMs     the same for the last frame alone
//   fps         drawn frames per second over the last 120 frames
//   drawn       frames drawn since the page was loaded
//   reconnects  connections lost since then
//   particles   particles alive
//   code        the session's code, or null
//   watching, host, team   whether one only watches; whether this browser is the host; 1 to 4 or 0
//   phase, round, secondsLeft   of the session; seconds are null where no end is
//   people()    everybody: [{player, name, computer, team, watching, host, muted}]
//   results()   the last round's result as it was told, or null
//   chatLines() the texts of the session's chat
//   looksAt     the player whose ship is watched, or null
//   lobby()     the list as it was told last: {sessions, version, via}; via is 'sse' or 'poll'
//   replay      of the recording that is looked at: {position, ticks, speed}, or null
//   emotes      what is shown above ships: [[player, emote]]
//   errors      the first errors that nobody caught, as text

import { IS, ME, SHIP, SHIP_RADIUS, STATS } from './rows.js';

const FIGURES = [
  ['pingMs', STATS.PING], ['jitterMs', STATS.JITTER], ['frameAgeMs', STATS.FRAME_AGE],
  ['inputMarginMs', STATS.INPUT_MARGIN], ['corrections', STATS.CORRECTIONS],
  ['keyframes', STATS.KEYFRAMES], ['mismatches', STATS.MISMATCHES], ['frames', STATS.FRAMES],
  ['bytes', STATS.BYTES], ['interpolationMs', STATS.INTERPOLATION], ['tickRate', STATS.TICK_RATE],
  ['lateInputs', STATS.LATE_INPUTS], ['refused', STATS.REFUSED], ['inputs', STATS.INPUTS],
  ['headBytes', STATS.HEAD_BYTES], ['dropBytes', STATS.DROP_BYTES],
  ['steeringBytes', STATS.STEERING_BYTES], ['changeBytes', STATS.CHANGE_BYTES],
  ['enterBytes', STATS.ENTER_BYTES], ['checksumBytes', STATS.CHECKSUM_BYTES],
  ['together', STATS.TOGETHER], ['inputEvery', STATS.INPUT_EVERY],
];
const MINE = [
  ['alive', ME.ALIVE], ['x', ME.X], ['y', ME.Y], ['hp', ME.HP], ['energy', ME.ENERGY],
  ['score', ME.SCORE], ['kills', ME.KILLS], ['deaths', ME.DEATHS], ['streak', ME.STREAK],
  ['hits', ME.HITS], ['hurts', ME.HURTS], ['respawn', ME.RESPAWN], ['killer', ME.KILLER],
  ['player', ME.PLAYER],
];

/** Errors that are remembered: the first tell most. */
const ERRORS_MAX = 8;
const errors = [];
const remember = (what) => { if (errors.length < ERRORS_MAX) errors.push(String(what)); };
addEventListener('error', (event) => remember(event.message));
addEventListener('unhandledrejection', (event) => remember(event.reason));

/** The first errors that nobody caught, as text. */
export const caught = () => [...errors];

const named = (places, row) => Object.fromEntries(places.map(([name, at]) => [name, row[at]]));

/** What a client's figures are, by name. */
export const figuresOf = (client) => named(FIGURES, client?.stats() ?? []);

/** Sets `globalThis.gamekeeper`. `page` has the page's parts, and functions for what changes: `state()`,
 *  `client()`, `replay()`, `frame()`, `drawn()`. */
export function tell(page) {
  const { roster, camera, meter, link, network, effects, session, match, chat, watching, lobby, scene } = page;
  const ships = () => page.frame()?.ships ?? new Float32Array();
  const rows = () => Array.from({ length: ships().length / SHIP.STRIDE }, (_, n) => ships().subarray(n * SHIP.STRIDE));
  Object.defineProperty(globalThis, 'gamekeeper', {
    value: Object.freeze({
      get state() { return page.state(); },
      stats: () => figuresOf(page.client()),
      bytesIn: () => network.bytesIn,
      line: () => network.line,
      helps: () => network.helps,
      me: () => page.frame() && named(MINE, page.frame().me),
      ships: () => rows().map((row) => ({
        id: row[SHIP.ID], player: row[SHIP.PLAYER], name: roster.nameOf(row[SHIP.PLAYER]),
        own: (row[SHIP.FLAGS] & IS.OWN) !== 0, x: row[SHIP.X], y: row[SHIP.Y], hp: row[SHIP.HP],
        heading: row[SHIP.HEADING], team: row[SHIP.TEAM],
      })),
      shipCount: () => ships().length / SHIP.STRIDE,
      onScreen: () => rows().filter((row) => camera.sees(row[SHIP.X], row[SHIP.Y], SHIP_RADIUS)).length,
      get scriptMs() { return meter.script(); },
      get frameMs() { return meter.last; },
      get fps() { return meter.rate(); },
      get drawn() { return page.drawn(); },
      get reconnects() { return link.reconnects; },
      get particles() { return effects.particles.alive; },
      get code() { return session.code; },
      get watching() { return roster.watching; },
      get host() { return session.isHost; },
      get team() { return roster.myTeam; },
      get phase() { return match.phase; },
      get round() { return match.round; },
      get secondsLeft() { return match.secondsLeft; },
      people: () => roster.everybody(),
      results: () => match.last,
      chatLines: () => chat.texts,
      get looksAt() { return watching.looksAt; },
      lobby: () => ({ sessions: [], version: 0, ...lobby.live.last, via: lobby.live.via }),
      get replay() { return page.replay(); },
      get emotes() { return scene.bubbles.all; },
      get errors() { return caught(); },
    }),
  });
}
