// A client's turn, whatever the game. Comes in: a client of the module, and where its messages go. Goes out: its news as
// objects, its messages. It keeps nothing.

/** News of moments, which nobody hears of who leaps over them in a recording. */
const FLEETING = new Set(['event', 'emote', 'chat']);

/** What is said to whoever wants what only the server can do, while it does not hear. */
const UNHEARD = 'The server does not hear this. Try again when the connection is back.';

/** Time goes on for a client: its news go to `take`, its messages to `source`. */
export function turn(client, source, now, take) {
  client.advance(now);
  eachNews(client, take);
  for (;;) {
    const bytes = client.outgoing(!source.ready);
    if (bytes === undefined) break;
    source.send(bytes);
  }
}

/** `say(client)` says something to the server, where that hears it; else somebody is told by `refuse(sentence)`: what is
 *  lost with a line is missed by nobody but whoever said it. Gives whether it was said. */
export function wishOf(client, source, say, refuse) {
  const isHeard = source.state === 'open';
  if (isHeard) say(client); else refuse(UNHEARD);
  return isHeard;
}

/** Time goes on unseen, on the way to another place in a recording: `take(item, true)` keeps what is so, and nobody
 *  reads or hears how it came about. */
export function leap(client, now, take) {
  client.advance(now);
  eachNews(client, (item) => { if (!FLEETING.has(item.type)) take(item, true); });
}

function eachNews(client, take) {
  for (;;) {
    const text = client.news();
    if (text === undefined) break;
    take(JSON.parse(text));
  }
}
