// What the module tells, and who in the page is told. Comes in: news as objects; what each one is stands in
// `client-web/src/news.rs`. Goes out: calls. It decides nothing but who makes which sound.

import { isolated } from './words.js';

/** Gives the function that takes one piece of news, `quietly` where nobody is to hear of it: so it is on the way to
 *  another place in a recording. `page` has the page's parts and functions: see main.js. */
export function newsFor(page) {
  const { roster, board, feed, chat, hud, sound, callouts, match, people, session, scene, effects, whereabouts } = page;
  const takes = {
    welcome({ player }) {
      roster.me = player;
      match.welcome();
      whereabouts.clear();
      people.clear();
      scene.clear();
      effects.clear();
      page.newWorld();
      page.arrived();
    },
    roster(item, quietly) {
      const host = roster.entry(roster.me)?.host;
      const { came, went } = roster.take(item);
      people.changed();
      board.refresh();
      match.takeTeams(match.teams);
      if (quietly) return;
      for (const name of came) feed.say(name, 'came');
      for (const name of went) feed.say(name, 'left');
      if (came.length) sound.play('joined');
      else if (went.length) sound.play('left');
      // The proof comes by itself; this is for those who have it from an earlier visit.
      if (host === false && session.isHost) hud.toast('You are the host now');
    },
    standings(item) {
      board.take(item);
      people.take(item);
      match.takeTeams(item.teams);
      callouts.lead(board.leader, roster.me);
    },
    chat(item) {
      chat.take(item);
      if (item.from === null) hud.notice(item.text);
      if (item.from !== roster.me && !roster.isSilenced(item.from)) sound.play('chat');
    },
    history: (item) => chat.takeHistory(item),
    event({ event: { Kill: kill } }) {
      feed.take(kill);
      whereabouts.forget(kill.victim);
      const ownTeam = roster.myTeam > 0 && roster.entry(kill.victim)?.team === roster.myTeam;
      if (kill.killer === roster.me && kill.victim !== roster.me && ownTeam) {
        hud.toast(`${isolated(roster.nameOf(kill.victim))} is of your own team: points lost`);
        sound.play('refuse');
      } else if (kill.killer === roster.me && kill.victim !== roster.me) {
        hud.toast(`Destroyed ${isolated(roster.nameOf(kill.victim))}`);
        sound.play('kill');
        callouts.streak(kill.streak);
      } else if (kill.victim === roster.me) {
        sound.play('dead');
        page.lost();
      }
    },
    emote({ from, emote }) {
      if (roster.isSilenced(from)) return;
      scene.bubbles.show(from, emote);
      sound.play('emote', ...page.placeOf(from));
    },
    about: (item) => session.takeAbout(item),
    phase: (item, quietly) => match.takePhase(item, quietly),
    begin() {
      // Another world: nothing of the last one is to be compared with it.
      scene.clear();
      effects.clear();
      people.begin();
      callouts.clear();
      whereabouts.clear();
      page.newWorld();
    },
    results({ figures: names, lines, ...item }, quietly) {
      const named = ({ figures, ...line }) => ({ ...line, ...Object.fromEntries(names.map((name, at) => [name, figures[at] ?? 0])) });
      match.takeResults({ ...item, lines: lines.map(named) }, quietly);
    },
    host: (item) => session.takeHost(item),
    whereabouts: ({ places }) => whereabouts.take(places.filter(([player]) => player !== roster.me), performance.now()),
  };
  return (item, quietly = false) => takes[item.type]?.(item, quietly);
}
