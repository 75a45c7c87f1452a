//! Every gameplay number, in units of length (u), seconds (s) and health points (hp). Comes in:
//! nothing. Goes out: constants; [`super::rules`] turns them into ticks once, so that the game feels
//! alike at every tick rate. What only fits a row's width is in [`super::rows`].

/// A ship is a circle of this radius, u.
pub const SHIP_RADIUS: f32 = 16.0;
/// What the engine gives a ship, u/s².
pub const THRUST: f32 = 820.0;
/// Share of the speed that space takes away, per second. With [`THRUST`] it gives a top speed of
/// 410 u/s, reached to two thirds after half a second.
pub const DRAG: f32 = 2.0;
/// How much stronger the engine is while boosting: a top speed of 718 u/s.
pub const BOOST: f32 = 1.75;
/// No ship is faster than this, whoever pushes it, u/s; it keeps the row's velocity in range.
pub const SPEED_MAX: f32 = 1000.0;
/// A ship without thrust that is slower than this stands still, u/s. Without it the rounding of rows
/// would let ships creep for ever.
pub const SPEED_REST: f32 = 3.0;
/// How fast the nose follows the aim, turns per second.
pub const TURN: f32 = 1.7;
/// Share of the speed that a ship keeps when it bounces off a rock or a wall.
pub const BOUNCE: f32 = 0.55;
/// Slower than this a ship does not bounce but stops at the obstacle, u/s, so that one that presses
/// against a rock does not tremble.
pub const BOUNCE_SPEED_MIN: f32 = 60.0;
/// Share of the closing speed that two ships part with.
pub const SHIP_BOUNCE: f32 = 0.7;

/// A whole ship, hp.
pub const HP: i32 = 100;
/// What a shot takes, hp: seven hits are a kill.
pub const SHOT_DAMAGE: i32 = 15;
/// After this long without a hit a ship begins to mend, s.
pub const MEND_DELAY: f32 = 4.0;
/// What a mending ship gains, hp per second.
pub const MENDS_PER_SECOND: i32 = 5;

/// A full store, in tenths of energy.
pub const ENERGY: i32 = 1000;
/// What flows in while the boost key is up, tenths of energy per second.
pub const ENERGY_GAIN: i32 = 220;
/// What boosting takes, tenths of energy per second: a full store lasts 2.6 s.
pub const BOOST_COST: i32 = 380;
/// What a shot takes, tenths of energy.
pub const SHOT_COST: i32 = 50;
/// What a shot takes in overdrive, tenths of energy.
pub const OVERDRIVE_SHOT_COST: i32 = 25;

/// Shots per second while the trigger is held.
pub const SHOTS_PER_SECOND: i32 = 6;
/// Shots per second in overdrive.
pub const OVERDRIVE_SHOTS_PER_SECOND: i32 = 10;
/// A shot's speed along the nose, u/s; the ship's own velocity comes on top.
pub const SHOT_SPEED: f32 = 820.0;
/// A shot is gone after this, s.
pub const SHOT_LIFE: f32 = 1.0;
/// Where a shot begins, u ahead of the ship's middle.
pub const MUZZLE: f32 = 22.0;
/// How near a shot's middle must come to a ship's edge to hit it, u.
pub const SHOT_RADIUS: f32 = 4.0;
/// What a hit adds to the victim's velocity along the shot's flight, u/s.
pub const KNOCK: f32 = 75.0;

/// From death to the next ship, s.
pub const RESPAWN: f32 = 3.0;
/// A new ship cannot be hurt for this long, or until it fires, s.
pub const PROTECT: f32 = 2.5;
/// A place to come in is good when no other ship is nearer than this, u.
pub const SPAWN_CLEAR: f32 = 700.0;
/// So many places are tried for a new ship; the best is taken.
pub const SPAWN_TRIES: usize = 8;
/// At most so many ships come in during one tick; more wait for the next one, so that a thousand
/// joining at once cost many ticks a little instead of one tick a lot.
pub const SPAWNS_PER_TICK_MAX: usize = 64;

/// A pickup is taken when a ship's middle is nearer than this, u.
pub const PICKUP_REACH: f32 = 32.0;
/// A taken pickup is replaced, elsewhere, after this long on average, s.
pub const PICKUP_RETURN: f32 = 12.0;
/// A pickup lies at least so far from rocks and walls, u.
pub const PICKUP_CLEAR: f32 = 30.0;
/// What a repair gives, hp.
pub const REPAIR: i32 = 40;
/// What a charge gives, tenths of energy.
pub const CHARGE: i32 = 1000;
/// How long an overdrive lasts, s.
pub const OVERDRIVE: f32 = 6.0;

/// Points for a kill.
pub const KILL_POINTS: i32 = 100;
/// Points for each hit that hurts.
pub const HIT_POINTS: i32 = 5;
/// Points on top of a kill for every kill in a row that the victim had, up to
/// [`STREAK_COUNTED_MAX`] of them.
pub const STREAK_POINTS: i32 = 20;
/// Longer streaks are worth no more than this one.
pub const STREAK_COUNTED_MAX: i32 = 10;

/// For so long the id of a lost ship is not given out again, s: its shots are gone by then, and nobody
/// draws or judges by where it was. Ids that come back are small, and small ids are short in frames.
pub const SHIP_ID_REST: f32 = 4.0;

/// The smallest rock's radius, u.
pub const ROCK_RADIUS_MIN: f32 = 30.0;
/// The largest rock's radius, u.
pub const ROCK_RADIUS_MAX: f32 = 110.0;
/// Between two rocks, and between a rock and a wall, there is at least so much room, u, so that two
/// ships pass each other and none is ever wedged.
pub const ROCK_GAP: f32 = 80.0;

/// Room for one ship in a lively arena, u²: seven ships in a view.
pub const AREA_PER_SHIP: f32 = 250_000.0;
/// The smallest arena's side, u: a view fits in.
pub const SIZE_MIN: u32 = 1800;
/// The largest arena's side, u: the row's place reaches a little further.
pub const SIZE_MAX: u32 = 30_000;
/// The usual arena's side, u, for about sixty ships.
pub const SIZE: u32 = 3900;
/// Rocks per million u².
pub const ROCK_DENSITY: f32 = 5.0;
/// More rocks than this per million u² are refused: they would not fit with their gaps.
pub const ROCK_DENSITY_MAX: f32 = 12.0;
/// Pickups per million u².
pub const PICKUP_DENSITY: f32 = 2.4;
/// More pickups than this per million u² are refused.
pub const PICKUP_DENSITY_MAX: f32 = 20.0;

/// Half of the picture's width, u.
pub const VIEW_HALF_WIDTH: f32 = 800.0;
/// Half of the picture's height, u.
pub const VIEW_HALF_HEIGHT: f32 = 450.0;
/// How far beyond the picture entities come into view, and how far beyond that they leave it, u.
pub const VIEW_MARGIN: f32 = 80.0;
