//! What a session is opened with, and what is counted of it.

use super::settings::PilotCount;
use shared::game::{Setup, Tick};
use shared::wire::HostSecret;

/// What a session is opened with.
#[derive(Clone, Debug)]
pub struct SessionConfig<S> {
    /// The game's settings, the seed and the tick rate; players are sent this.
    pub setup: Setup<S>,
    /// What the session is called.
    pub name: String,
    /// Whether it is in the list.
    pub public: bool,
    /// The most people who play at once, those included whose seats are kept; a further one is told so.
    pub players_max: usize,
    /// The most people who watch at once.
    pub spectators_max: usize,
    /// By how many seconds what spectators see is delayed.
    pub spectator_delay_s: u32,
    /// How many computer pilots there are.
    pub pilots: PilotCount,
    /// Length of a round, in seconds; 0 is a game without rounds.
    pub round_s: u32,
    /// Whether players may change teams.
    pub switch_teams: bool,
    /// Whether every round has the setup's seed; else only the first, and each further one another that
    /// follows from it.
    pub seeded: bool,
    /// What happens by chance in its first world follows from this, which no client is told; each further world has other
    /// luck, which follows from the last one's.
    pub luck: u64,
    /// What it has from the server.
    pub provided: Provided,
}

/// What a session has from the server, for as long as it lasts: whatever its host chooses for the next round, this stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct Provided {
    /// Who shows this is the host; `None` is a session without one.
    pub host: Option<HostSecret>,
    /// A session in which nobody is for this long is over, in seconds; 0 is never.
    pub idle_s: u32,
    /// Players who do nothing for this long watch from then on, in seconds; 0 is never.
    pub inactive_s: u32,
    /// Whether rounds are recorded.
    pub records: bool,
}

impl<S> SessionConfig<S> {
    /// How many ticks so many seconds are.
    pub(super) fn ticks(&self, seconds: u32) -> Tick {
        seconds * u32::from(self.setup.tick_rate)
    }

    /// By how many ticks what spectators see is delayed.
    pub(super) fn delay_ticks(&self) -> Tick {
        self.ticks(self.spectator_delay_s)
    }

    /// An endless game of everybody against everybody, without pilots, that never ends by itself; its luck
    /// is the setup's seed, so that a test can foresee it.
    pub fn new(setup: Setup<S>) -> Self {
        Self {
            luck: setup.seed,
            setup,
            name: "Arena".into(),
            public: true,
            players_max: 64,
            spectators_max: 32,
            spectator_delay_s: 0,
            pilots: PilotCount::Always(0),
            round_s: 0,
            switch_teams: true,
            seeded: false,
            provided: Provided::default(),
        }
    }
}

/// What happened in a session since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages of frames committed, keyframes included.
    pub frames: u64,
    /// Those whose public part somebody else was sent as well, so that it was only copied.
    pub frames_copied: u64,
    /// Keyframes among them.
    pub keyframes: u64,
    /// How often a player was given ticks that had been withheld, rather than a keyframe.
    pub catch_ups: u64,
    /// Bytes of all frames.
    pub frame_bytes: u64,
    /// Bytes of keyframes among them.
    pub keyframe_bytes: u64,
    /// Bytes of everything else that was handed to connections.
    pub told_bytes: u64,
    /// Ticks of which a player got no frame at once: the window was shut, the outbox full, or several ticks
    /// share a message.
    pub frames_withheld: u64,
    /// How often a player's window shut, or their outbox was full.
    pub pauses: u64,
    /// For how many ticks that was so.
    pub paused_ticks: u64,
    /// Inputs used in their tick.
    pub inputs_used: u64,
    /// Ticks in which a player's last input was repeated or none was left to repeat.
    pub inputs_missing: u64,
    /// Those in which it was repeated.
    pub inputs_repeated: u64,
    /// Inputs that came after their tick.
    pub inputs_late: u64,
    /// Inputs that took the place of one for the same tick.
    pub inputs_replaced: u64,
    /// Inputs dropped because they were too far ahead.
    pub inputs_early: u64,
    /// Keyframes that clients asked for.
    pub resyncs: u64,
    /// Those asked for because a checksum differed.
    pub mismatches: u64,
    /// People whom it did not let in, as the server was overloaded.
    pub turned_away: u64,
    /// Fields that clients found wrong then; each is logged with kind and field.
    pub wrong_fields: u64,
}
