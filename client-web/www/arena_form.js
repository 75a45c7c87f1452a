// What the form of a session's settings has of the arena: labels, ranges, and where they stand. Nothing comes in.
// Goes out: what `SessionForm` is given.

/** The arena's own part. */
export const ARENA = {
  name: 'Arena',
  seed: 'Seed of the rocks',
  shown: [
    ['game.friendly_fire', 'Friendly fire', 'checkbox', { usual: false, only: 'teams' }],
  ],
  folded: [
    ['game.size', 'Side of the arena', 'number', { min: 1800, max: 30000, usual: 3900 }],
    ['game.rock_density', 'Rocks', 'range', { min: 0, max: 12, step: 0.5, usual: 5 }],
    ['game.pickup_density', 'Pickups', 'range', { min: 0, max: 20, step: 0.2, usual: 2.4 }],
  ],
};
