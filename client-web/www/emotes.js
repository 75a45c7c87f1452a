// The eight emotes: their names and their shapes, as paths in a square of 24 by 24. Drawn by us, so that
// they are the same everywhere and belong to the arena. The number of an emote is its place here.

const FACE = 'M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18z';

/** `line` is stroked, `solid` filled. */
export const EMOTES = [
  { name: 'Hello', line: `${FACE}M8 14c1.5 3 6.5 3 8 0`, solid: 'M9 8.2a1.3 1.3 0 1 0 0 2.6a1.3 1.3 0 1 0 0-2.6zM15 8.2a1.3 1.3 0 1 0 0 2.6a1.3 1.3 0 1 0 0-2.6z' },
  { name: 'Laugh', line: `${FACE}M7 10l2-1.8 2 1.8M13 10l2-1.8 2 1.8`, solid: 'M7 13h10c0 6.4-10 6.4-10 0z' },
  { name: 'Cross', line: `${FACE}M8 17c1.5-2.8 6.5-2.8 8 0M6.8 7.6l3.6 1.8M17.2 7.6l-3.6 1.8`, solid: 'M9.2 10a1.2 1.2 0 1 0 0 2.4a1.2 1.2 0 1 0 0-2.4zM14.8 10a1.2 1.2 0 1 0 0 2.4a1.2 1.2 0 1 0 0-2.4z' },
  { name: 'Love', line: '', solid: 'M12 21C4 15 2.5 11.5 2.5 8.5C2.5 3.5 9 2 12 7C15 2 21.5 3.5 21.5 8.5C21.5 11.5 20 15 12 21z' },
  { name: 'Well done', line: '', solid: 'M12 2l2.9 6.5 7.1.7-5.3 4.7 1.6 7L12 17.2 5.7 20.9l1.6-7L2 9.2l7.1-.7z' },
  { name: 'What?', line: 'M7.5 8.3a4.6 4.6 0 1 1 6.6 4.1c-1.5.8-2.1 1.6-2.1 3.3', solid: 'M12 18.3a1.6 1.6 0 1 0 0 3.2a1.6 1.6 0 1 0 0-3.2z' },
  { name: 'Watch out', line: 'M12 3.5L22 20.5H2z', solid: 'M11 9.5h2l-.3 5.5h-1.4zM12 16.2a1.3 1.3 0 1 0 0 2.6a1.3 1.3 0 1 0 0-2.6z' },
  { name: 'Doomed', line: 'M12 3C6.5 3 4 6.5 4 10.5c0 3 1.5 4.5 3.5 5.5v4.5h9V16c2-1 3.5-2.5 3.5-5.5C20 6.5 17.5 3 12 3zM10.5 20v-2.5M13.5 20v-2.5', solid: 'M8.7 9a2 2 0 1 0 0 4a2 2 0 1 0 0-4zM15.3 9a2 2 0 1 0 0 4a2 2 0 1 0 0-4z' },
];

/** An emote as an SVG element for the page. */
export function emoteSvg(emote) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  for (const kind of ['line', 'solid']) {
    const path = document.createElementNS(space, 'path');
    path.setAttribute('d', EMOTES[emote][kind]);
    path.setAttribute('class', kind);
    svg.append(path);
  }
  return svg;
}
