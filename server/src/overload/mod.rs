//! An overloaded server gives up detail, never a match. Comes in: what each tick loop's work took, how busy each lane's
//! thread was, and all together of the machine's cores. Goes out: a [`Restraint`] for each session, the tightest one of its
//! own, its lane's and the machine's, and how many more people fit. The settings are [`crate::config::OverloadConfig`].

mod governor;
mod machine;
mod report;
mod room;

pub use governor::{Governor, Shares};
pub(crate) use machine::Work;
pub(crate) use report::LoadReport;
pub use room::Room;

use crate::live::Live;
use crate::session::restraint::Restraint;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use tokio::time::Duration;

/// Seconds over which the load is smoothed that other servers of a site are told.
const LOAD_MEMORY_S: f64 = 3.0;

/// How the whole process did for a while.
#[derive(Debug)]
pub(crate) struct Sample {
    /// For how long.
    pub(crate) passed: Duration,
    /// Which share of all cores was at work.
    pub(crate) load: f64,
    /// Which share of its time each lane was.
    pub(crate) lanes: Vec<f64>,
    /// How many people are in all sessions, and how many more find a seat.
    pub(crate) people: u32,
    pub(crate) seats: u32,
    /// Whether no session gives anything up.
    pub(crate) at_ease: bool,
}

/// What holds for the whole process.
#[derive(Debug)]
pub struct Overload {
    live: Arc<Live>,
    machine: Mutex<Machine>,
    /// The machine's restraint, so that loops need not wait to see it.
    place: AtomicU8,
    /// The lanes' restraints.
    lanes: Box<[AtomicU8]>,
    /// Whom nobody let in, beside those whose refusal is counted as one of a WebSocket.
    refused: AtomicU64,
    /// Steps that were taken, and that were given back, by all loops.
    taken: AtomicU64,
    given_back: AtomicU64,
}

#[derive(Debug, Default)]
struct Machine {
    governor: Governor,
    /// By lane.
    lanes: Vec<Governor>,
    room: Room,
    fits: Option<u32>,
    /// The share of all cores that was at work, or of the lanes' time where that is more, over some seconds.
    load: f64,
    people: u32,
    stand_in: Option<f64>,
}

impl Overload {
    /// Nothing is given up yet, on none of so many lanes.
    pub fn new(live: Arc<Live>, lanes: usize) -> Self {
        Self {
            live,
            machine: Mutex::default(),
            place: AtomicU8::new(0),
            lanes: (0..lanes).map(|_| AtomicU8::new(0)).collect(),
            refused: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            given_back: AtomicU64::new(0),
        }
    }

    /// What is given up wherever one is: because of the whole machine, or as even the lane that has most time left has too
    /// little.
    pub fn restraint(&self) -> Restraint {
        let of_lanes = (0..self.lanes.len()).map(|lane| self.of_lane(lane)).min();
        self.of_machine().max(of_lanes.unwrap_or_default())
    }

    /// Whether nobody new can be let in, wherever they go.
    pub fn is_closed(&self) -> bool {
        self.restraint().is_closed()
    }

    fn of_machine(&self) -> Restraint {
        Restraint::at(self.place.load(Ordering::Relaxed).into())
    }

    fn of_lane(&self, lane: usize) -> Restraint {
        Restraint::at(self.lanes[lane].load(Ordering::Relaxed).into())
    }

    /// What is given up because of the whole machine, or of one lane of it.
    fn restraint_on(&self, lane: usize) -> Restraint {
        self.of_lane(lane).max(self.of_machine())
    }

    /// About how many more people fit on the server before anybody is given less; `None` as long as that is not known.
    pub fn room(&self) -> Option<u32> {
        self.machine.lock().fits
    }

    /// What other servers of a site are told, which may have so many more of their sessions here.
    pub(crate) fn report(&self, sessions_left: u32) -> LoadReport {
        let begins = self.live.get().overload.begins();
        let machine = self.machine.lock();
        let Machine { people, load, fits: room, .. } = *machine;
        LoadReport { people, load, begins, room, sessions_left, goes_on_with: None }
    }

    /// Whom the API and sessions did not let in so far, for this reason.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Counts people whom nobody let in.
    pub(crate) fn refuse(&self, people: u64) {
        self.refused.fetch_add(people, Ordering::Relaxed);
    }

    /// Steps that all loops took so far, and steps that they gave back.
    pub fn changes(&self) -> [u64; 2] {
        [&self.taken, &self.given_back].map(|count| count.load(Ordering::Relaxed))
    }

    /// From now on the machine counts as this busy, 1 being all of its cores, whatever it and its lanes do; `None` ends
    /// that. For tests.
    pub fn stand_in(&self, load: Option<f64>) {
        let mut machine = self.machine.lock();
        machine.load = load.unwrap_or(machine.load);
        machine.stand_in = load;
    }

    /// Takes what was measured of the machine and its lanes, and of those who are there.
    pub(crate) fn note(&self, sample: &Sample) {
        let Sample { passed, load, ref lanes, people, seats, at_ease } = *sample;
        let settings = &self.live.get().overload;
        let (shares, passed_s) = (settings.shares(), passed.as_secs_f64());
        let mut machine = self.machine.lock();
        machine.lanes.resize_with(self.lanes.len(), Governor::default);
        for ((governor, place), load) in machine.lanes.iter_mut().zip(&self.lanes).zip(lanes) {
            let restraint = governor.watch(shares, *load, passed_s * 1000.0);
            place.store(restraint.place() as u8, Ordering::Relaxed);
        }
        let load = machine.stand_in.unwrap_or(load);
        // Where there are fewer lanes than cores they are full before the machine is. In the mean, as whoever comes goes to
        // the one with most time left.
        let lanes = lanes.iter().sum::<f64>() / lanes.len() as f64;
        let fullest = machine.stand_in.unwrap_or(load.max(lanes));
        let weight = passed_s / (passed_s + LOAD_MEMORY_S);
        machine.load += (fullest - machine.load) * weight;
        machine.people = people;
        let restraint = machine.governor.watch(shares, load, passed_s * 1000.0);
        if restraint != self.of_machine() {
            let (steps, load) = (restraint.place(), per_cent(load));
            tracing::info!(steps, load, "what all sessions give up, as the machine is so busy");
        }
        self.place.store(restraint.place() as u8, Ordering::Relaxed);
        let at_ease = at_ease && self.restraint() == Restraint::default();
        if at_ease {
            machine.room.learn(people, fullest);
        }
        let fits = if at_ease { machine.room.beside(people, settings.begins()) } else { Some(0) };
        machine.fits = fits.map(|fits| fits.min(seats));
    }
}

/// Watches over one tick loop.
#[derive(Debug)]
pub struct LoopWatch {
    overload: Arc<Overload>,
    lane: usize,
    tick_ms: f64,
    governor: Governor,
    told: Restraint,
    room: Room,
    /// Since the last look: ticks, and their loads together.
    ticks: u64,
    loads: f64,
}

impl LoopWatch {
    /// Over a loop of so many ticks per second, on the lane of this number.
    pub fn new(overload: Arc<Overload>, lane: usize, tick_rate: u16) -> Self {
        Self {
            overload,
            lane,
            tick_ms: 1000.0 / f64::from(tick_rate.max(1)),
            governor: Governor::default(),
            told: Restraint::default(),
            room: Room::default(),
            ticks: 0,
            loads: 0.0,
        }
    }

    /// So many ticks took so long together; what the session has to be told, if that is something new.
    pub fn worked(&mut self, busy: Duration, ticks: u64) -> Option<Restraint> {
        if ticks == 0 {
            return None;
        }
        let load = busy.as_secs_f64() * 1000.0 / (self.tick_ms * ticks as f64);
        self.ticks += ticks;
        self.loads += load * ticks as f64;
        let shares = self.overload.live.get().overload.shares();
        for _ in 0..ticks {
            self.governor.watch(shares, load, self.tick_ms);
        }
        let own = self.governor.restraint();
        let restraint = own.max(self.overload.restraint_on(self.lane));
        let before = std::mem::replace(&mut self.told, restraint);
        if restraint == before {
            return None;
        }
        let (now, then) = (restraint.place() as u64, before.place() as u64);
        self.overload.taken.fetch_add(now.saturating_sub(then), Ordering::Relaxed);
        self.overload.given_back.fetch_add(then.saturating_sub(now), Ordering::Relaxed);
        if restraint.is_closed() != before.is_closed() || now == 0 || then == 0 {
            let (load, closed) = (per_cent(load), restraint.is_closed());
            tracing::info!(steps = now, load, closed, "what the session gives up");
        }
        // What was measured before is not what people cost now.
        (self.ticks, self.loads) = (0, 0.0);
        Some(restraint)
    }

    /// So many people are in the session. About how many more fit into its loop before anybody is given less;
    /// `None` as long as that is not known.
    pub fn room(&mut self, people: u32) -> Option<u32> {
        if self.told != Restraint::default() {
            return Some(0);
        }
        if self.ticks > 0 {
            self.room.learn(people, self.loads / self.ticks as f64);
            (self.ticks, self.loads) = (0, 0.0);
        }
        self.room.beside(people, self.overload.live.get().overload.begins())
    }
}

fn per_cent(load: f64) -> u64 {
    (load * 100.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Config};

    fn overload(overload: config::OverloadConfig) -> Arc<Overload> {
        let config = Config { overload, ..Config::default() };
        Arc::new(Overload::new(Arc::new(Live::new(config)), 2))
    }

    const TICK: Duration = Duration::from_millis(10);

    /// Half a second in which the machine and its two lanes were this busy, with so many people.
    fn sample(load: f64, lanes: [f64; 2], people: u32) -> Sample {
        let passed = Duration::from_millis(500);
        Sample { passed, load, lanes: lanes.into(), people, seats: 1000, at_ease: true }
    }

    #[test]
    fn a_session_is_told_the_tighter_one_of_its_own_and_the_machines_once() {
        let overload = overload(config::OverloadConfig::default());
        let mut watch = LoopWatch::new(Arc::clone(&overload), 0, 100);
        assert_eq!(watch.worked(TICK / 10, 1), None);
        overload.note(&sample(0.7, [0.2; 2], 3));
        assert_eq!(watch.worked(TICK / 10, 1), Some(Restraint::at(1)));
        assert_eq!(watch.worked(TICK / 10, 1), None);
        let told = (0..1000).filter_map(|_| watch.worked(TICK * 3, 1)).last();
        assert_eq!(told, Some(Restraint::MOST));
        assert_eq!(overload.changes(), [Restraint::MOST.place() as u64, 0]);
        let told = (0..10_000).filter_map(|_| watch.worked(TICK / 10, 1)).last();
        assert_eq!(told, Some(Restraint::at(1)), "the machine is as busy as it was");
        assert_eq!(watch.room(3), Some(0));
    }

    #[test]
    fn of_a_lane_that_has_too_much_to_do_the_sessions_give_up_and_no_others() {
        let overload = overload(config::OverloadConfig::default());
        let mut watches = [0, 1].map(|lane| LoopWatch::new(Arc::clone(&overload), lane, 100));
        let note = |lanes| overload.note(&sample(0.2, lanes, 3));
        (0..20).for_each(|_| note([0.95, 0.2]));
        let told = watches.each_mut().map(|watch| watch.worked(TICK / 10, 1));
        assert!(told[0].is_some_and(|restraint| restraint.place() > 1), "{told:?}");
        assert_eq!((told[1], overload.restraint()), (None, Restraint::default()));
        assert!(!overload.is_closed(), "the other one has time");
        (0..20).for_each(|_| note([0.95, 0.7]));
        assert!(!overload.is_closed() && overload.restraint() > Restraint::default());
        (0..20).for_each(|_| note([0.95, 0.95]));
        assert!(overload.is_closed());
        (0..200).for_each(|_| note([0.2, 0.2]));
        assert!(!overload.is_closed());
        assert_eq!(watches[0].worked(TICK / 10, 1), Some(Restraint::default()));
    }

    #[test]
    fn where_lanes_are_fewer_than_cores_there_is_room_for_as_many_as_they_bear() {
        let overload = overload(config::OverloadConfig::default());
        // Two lanes of sixteen cores, of each of which one of the people takes a hundredth.
        for people in (1..=50).chain([50; 50]) {
            let lane = f64::from(people) * 0.01;
            overload.note(&sample(lane / 8.0, [lane; 2], people));
        }
        assert!(
            overload.room().is_some_and(|fits| (9..=11).contains(&fits)),
            "{:?}",
            overload.room()
        );
        let report = overload.report(3);
        assert!((report.load - 0.5).abs() < 0.01, "{report:?}");
        assert_eq!(overload.restraint(), Restraint::default(), "the machine has time");
    }

    #[test]
    fn several_ticks_at_once_are_no_load_by_themselves() {
        let mut watch = LoopWatch::new(overload(config::OverloadConfig::default()), 0, 100);
        assert!((0..1000).all(|_| watch.worked(TICK * 2, 5).is_none()));
        assert!((0..1000).any(|_| watch.worked(TICK * 4, 5).is_some()));
    }

    #[test]
    fn switched_off_it_gives_up_nothing_and_still_learns() {
        let off = config::OverloadConfig { overload: false, ..config::OverloadConfig::default() };
        let overload = overload(off);
        let mut watch = LoopWatch::new(Arc::clone(&overload), 0, 100);
        for people in 1..=20 {
            assert!((0..50).all(|_| watch.worked(TICK * people / 20, 1).is_none()));
            watch.room(people);
            overload.note(&Sample { passed: TICK, ..sample(9.0, [0.2; 2], people) });
        }
        assert_eq!(overload.restraint(), Restraint::default());
        assert!(watch.room(6).is_some_and(|fits| (5..=7).contains(&fits)));
    }
}
