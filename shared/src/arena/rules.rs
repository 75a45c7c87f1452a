//! What follows from a session's setup before its first tick. Comes in: settings, seed, tick rate.
//! Goes out: the numbers of [`super::tuning`] in ticks, the compass and the terrain, or a sentence
//! about what makes no sense. Never changes afterwards and is never sent.

use super::compass::{Compass, fade};
use super::rocks::Rocks;
use super::rows::ANGLE_STEPS;
use super::tuning as t;
use crate::game::{REWIND_MS_MAX, Setup};
use rand_pcg::Pcg32;
use serde::{Deserialize, Serialize};

/// A ship travels at most so far before rocks and walls are looked at, u. Less than the radii of a
/// ship and of the smallest rock together, so that nobody comes out on the far side.
const TRAVEL_MAX: f32 = 40.0;
/// Tells the generator of the terrain from the one of play, which has the same seed.
const TERRAIN_STREAM: u64 = 1;

/// What a host may set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Side of the square arena, u, from [`t::SIZE_MIN`] to [`t::SIZE_MAX`].
    pub size: u32,
    /// Rocks per million u², from 0 to [`t::ROCK_DENSITY_MAX`].
    pub rock_density: f32,
    /// Pickups per million u², from 0 to [`t::PICKUP_DENSITY_MAX`].
    pub pickup_density: f32,
    /// Whether shots harm ships of the shooter's own team; who shoots one down loses the points of a kill.
    pub friendly_fire: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            size: t::SIZE,
            rock_density: t::ROCK_DENSITY,
            pickup_density: t::PICKUP_DENSITY,
            friendly_fire: false,
        }
    }
}

impl Settings {
    /// The usual settings in an arena as large as `players` need for lively play.
    pub fn for_players(players: usize) -> Self {
        let side = (players as f32 * t::AREA_PER_SHIP).sqrt() as u32;
        Self { size: side.clamp(t::SIZE_MIN, t::SIZE_MAX), ..Self::default() }
    }

    /// How many things there are at a density of `per_million` u².
    fn count(&self, per_million: f32) -> usize {
        let side = self.size as f32 / 1000.0;
        libm::roundf(side * side * per_million) as usize
    }
}

/// How a ship glides through one part of a tick: the exact solution of linear drag, so that it flies
/// alike at every tick rate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glide {
    /// The part's length, s.
    pub(super) seconds: f32,
    /// Share of the speed that is left at its end.
    pub(super) fade: f32,
    /// Seconds' worth of the starting speed that are travelled in it.
    pub(super) reach: f32,
}

/// The pauses between what happens so many times a second. They are whole ticks, some of them a tick longer than others
/// where a second's ticks do not divide, so that the count keeps its pace at every tick rate. Which ones are longer follows
/// from the count alone: no row has to carry what is left over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    tick_rate: i32,
    per_second: i32,
}

impl Pace {
    /// Ticks from the time of number `count` to that of the next.
    pub(super) const fn pause(self, count: i32) -> i32 {
        self.due(count + 1) - self.due(count)
    }

    /// The tick, to the nearest, in which number `count` is due.
    const fn due(self, count: i32) -> i32 {
        (count * self.tick_rate + self.per_second / 2) / self.per_second
    }
}

/// Everything that follows from the setup.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Ticks per second.
    pub tick_rate: u16,
    /// A tick, s.
    pub dt: f32,
    /// Half of the arena's side, u: walls stand at plus and minus this.
    pub half: f32,
    /// Unit vectors for all angles.
    pub compass: Compass,
    /// The terrain.
    pub rocks: Rocks,
    /// How many parts a tick has for a ship.
    pub(super) parts: u32,
    pub(super) glide: Glide,
    /// Steps of the heading per tick, to the nearest: within 1 % of its pace at every tick rate.
    pub(super) turn: i32,
    /// By [`super::Ship::shots`], which wraps where nothing is left over.
    pub(super) shot_pace: Pace,
    pub(super) overdrive_shot_pace: Pace,
    pub(super) shot_life: i32,
    pub(super) mend_delay: i32,
    /// By [`super::Ship::hp`].
    pub(super) mend_pace: Pace,
    pub(super) respawn: i32,
    pub(super) protect: i32,
    pub(super) overdrive: i32,
    /// How many ticks back a shot may be judged.
    pub(super) rewind: usize,
    pub(super) friendly_fire: bool,
    /// For how many ticks the id of a lost ship is not given out again.
    pub(super) ship_id_rest: u32,
    /// How many pickups lie about.
    pub(super) pickups: usize,
    /// Share of the missing pickups that return in a tick.
    pub(super) pickup_return: f32,
}

impl Rules {
    /// Errors with a sentence when the setup makes no sense.
    pub fn new(setup: &Setup<Settings>) -> Result<Self, String> {
        let Setup { settings, seed, tick_rate, .. } = setup;
        check(setup)?;
        let dt = 1.0 / f32::from(*tick_rate);
        let half = settings.size as f32 / 2.0;
        let pace = |per_second| Pace { tick_rate: i32::from(*tick_rate), per_second };
        let ticks = |seconds: f32| libm::roundf(seconds / dt).max(1.0) as i32;
        let parts = libm::ceilf(t::SPEED_MAX * dt / TRAVEL_MAX).max(1.0) as u32;
        let seconds = dt / parts as f32;
        let left = fade(t::DRAG, seconds);
        let rocks = settings.count(settings.rock_density);
        Ok(Self {
            tick_rate: *tick_rate,
            dt,
            half,
            compass: Compass::new(),
            rocks: Rocks::scatter(half, rocks, Pcg32::new(*seed, TERRAIN_STREAM)),
            parts,
            glide: Glide { seconds, fade: left, reach: (1.0 - left) / t::DRAG },
            turn: libm::roundf(t::TURN * ANGLE_STEPS as f32 * dt) as i32,
            shot_pace: pace(t::SHOTS_PER_SECOND),
            overdrive_shot_pace: pace(t::OVERDRIVE_SHOTS_PER_SECOND),
            shot_life: ticks(t::SHOT_LIFE),
            mend_delay: ticks(t::MEND_DELAY),
            mend_pace: pace(t::MENDS_PER_SECOND),
            respawn: ticks(t::RESPAWN),
            protect: ticks(t::PROTECT),
            overdrive: ticks(t::OVERDRIVE),
            rewind: setup.rewind_ticks() as usize,
            friendly_fire: settings.friendly_fire,
            ship_id_rest: ticks(t::SHIP_ID_REST) as u32,
            pickups: settings.count(settings.pickup_density),
            pickup_return: dt / t::PICKUP_RETURN,
        })
    }
}

fn check(setup: &Setup<Settings>) -> Result<(), String> {
    let Setup { settings: Settings { size, rock_density, pickup_density, .. }, .. } = setup;
    let Setup { tick_rate, rewind_ms, .. } = setup;
    if *rewind_ms > REWIND_MS_MAX {
        return Err(format!(
            "shots are judged {rewind_ms} ms back, but at most {REWIND_MS_MAX} ms"
        ));
    }
    if !(10..=128).contains(tick_rate) {
        return Err(format!("the tick rate is {tick_rate}, but goes from 10 to 128 per second"));
    }
    if !(t::SIZE_MIN..=t::SIZE_MAX).contains(size) {
        return Err(format!(
            "the arena's side is {size} units, but goes from {} to {}",
            t::SIZE_MIN,
            t::SIZE_MAX
        ));
    }
    // NaN lies in no range.
    if !(0.0..=t::ROCK_DENSITY_MAX).contains(rock_density) {
        return Err(format!(
            "there are to be {rock_density} rocks per million square units, but 0 to {} fit",
            t::ROCK_DENSITY_MAX
        ));
    }
    if !(0.0..=t::PICKUP_DENSITY_MAX).contains(pickup_density) {
        return Err(format!(
            "there are to be {pickup_density} pickups per million square units, but 0 to {} fit",
            t::PICKUP_DENSITY_MAX
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::rows::{KINDS, SHIP, SHOT, SHOTS_PER_SHIP};
    use super::*;

    fn setup(settings: Settings, tick_rate: u16) -> Setup<Settings> {
        Setup::new(settings, 5, tick_rate)
    }

    #[test]
    fn every_tick_rate_fits_the_rows() {
        for tick_rate in 10..=128 {
            let settings = Settings { rock_density: 0.0, ..Settings::default() };
            let r = Rules::new(&setup(settings, tick_rate)).expect("a tick rate in range");
            let fits = |kind: usize, name: &str, value: i32| {
                let field = KINDS[kind].fields.iter().find(|f| f.name == name).expect("a field");
                assert!(field.contains(value), "{name} = {value} at {tick_rate} Hz");
            };
            let pauses = |pace: Pace, counts| (0..counts).map(move |count| pace.pause(count));
            let shots = SHOTS_PER_SHIP as i32;
            pauses(r.shot_pace, shots).for_each(|pause| fits(SHIP, "cooldown", pause));
            pauses(r.overdrive_shot_pace, shots).for_each(|pause| fits(SHIP, "cooldown", pause));
            pauses(r.mend_pace, t::HP).for_each(|pause| fits(SHIP, "mend", pause));
            for pace in [r.shot_pace, r.overdrive_shot_pace] {
                let all: i32 = pauses(pace, shots).sum();
                assert_eq!(all * pace.per_second, shots * pace.tick_rate, "the count wraps");
            }
            assert!(pauses(r.overdrive_shot_pace, shots).all(|pause| pause > 0), "one a tick");
            fits(SHIP, "protect", r.protect);
            fits(SHIP, "overdrive", r.overdrive);
            fits(SHIP, "mend", r.mend_delay);
            fits(SHIP, "spark", i32::from(tick_rate) - 1);
            fits(SHOT, "ttl", r.shot_life);
            fits(super::super::rows::PILOT, "respawn", r.respawn);
            let alive = r.shot_life * t::OVERDRIVE_SHOTS_PER_SECOND / i32::from(tick_rate) + 2;
            assert!(alive < SHOTS_PER_SHIP as i32 / 2, "shots of one ship share ids");
            assert!(t::SPEED_MAX * r.dt / r.parts as f32 <= TRAVEL_MAX);
        }
    }

    #[test]
    fn nonsense_gets_a_sentence() {
        let usual = Settings::default();
        let refused = [
            setup(Settings { size: 100, ..usual.clone() }, 30),
            setup(Settings { size: u32::MAX, ..usual.clone() }, 30),
            setup(Settings { rock_density: f32::NAN, ..usual.clone() }, 30),
            setup(Settings { pickup_density: -1.0, ..usual.clone() }, 30),
            setup(usual.clone(), 9),
            setup(usual.clone(), 129),
        ];
        for setup in refused {
            let sentence = Rules::new(&setup).expect_err("nonsense");
            assert!(sentence.contains(" but "), "{sentence}");
        }
        Rules::new(&setup(usual, 30)).expect("the usual settings");
    }

    #[test]
    fn an_arena_grows_with_its_players() {
        assert_eq!(Settings::for_players(0).size, t::SIZE_MIN);
        assert_eq!(Settings::for_players(60).size, 3872);
        assert_eq!(Settings::for_players(4000).size, t::SIZE_MAX);
    }
}
