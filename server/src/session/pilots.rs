//! Computer pilots: players whose inputs the game's own brain thinks up from what a player in their
//! place would see, and from nothing else.

use super::world::World;
use shared::game::{Brain, Command, Focus, Game, PlayerId, View};
use shared::netcode::frame::Sight;
use shared::wire::field::FIELDS_MAX;
use shared::wire::{Row, Rows};

/// How computer pilots are called; the n-th round through the list gets a number behind the name.
const NAMES: [&str; 24] = [
    "Kestrel", "Lumen", "Vega", "Orrin", "Tansy", "Mistral", "Basalt", "Juno", "Corvid", "Ember",
    "Saffron", "Quill", "Nimbus", "Rook", "Isolde", "Pike", "Marrow", "Sable", "Wren", "Fenn",
    "Altair", "Briar", "Cobalt", "Dune",
];

struct ComputerPilot<G: Game> {
    id: PlayerId,
    name: String,
    /// From 1; 0 where there are no teams.
    team: u8,
    brain: G::Brain,
}

/// The computer pilots of a session.
pub(super) struct Pilots<G: Game> {
    all: Vec<ComputerPilot<G>>,
    seed: u64,
    hired: u64,
    view: Rows,
}

impl<G: Game> Pilots<G> {
    pub(super) fn new(seed: u64) -> Self {
        Self { all: Vec::new(), seed, hired: 0, view: Rows::new(G::KINDS) }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn has(&self, id: PlayerId) -> bool {
        self.all.iter().any(|p| p.id == id)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = PlayerId> {
        self.all.iter().map(|p| p.id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (PlayerId, &str, u8)> {
        self.all.iter().map(|p| (p.id, p.name.as_str(), p.team))
    }

    /// Puts a pilot into a team.
    pub(super) fn set_team(&mut self, id: PlayerId, team: u8) {
        if let Some(pilot) = self.all.iter_mut().find(|p| p.id == id) {
            pilot.team = team;
        }
    }

    /// In which team a pilot is.
    pub(super) fn team_of(&self, id: PlayerId) -> Option<u8> {
        self.all.iter().find(|p| p.id == id).map(|p| p.team)
    }

    /// The newest pilot of a team.
    pub(super) fn newest_of(&self, team: u8) -> Option<PlayerId> {
        self.all.iter().rev().find(|p| p.team == team).map(|p| p.id)
    }

    /// Lets a new pilot fly as `id`.
    pub(super) fn add(&mut self, id: PlayerId, team: u8) {
        let (round, place) = (self.hired / NAMES.len() as u64, self.hired as usize % NAMES.len());
        let name = match round {
            0 => NAMES[place].to_owned(),
            round => format!("{} {}", NAMES[place], round + 1),
        };
        self.hired += 1;
        self.push(id, name, team, self.hired);
    }

    fn push(&mut self, id: PlayerId, name: String, team: u8, number: u64) {
        let brain = brain::<G>(self.seed, number);
        self.all.push(ComputerPilot { id, name, team, brain });
    }

    /// A new round: nobody knows anything of the last one's world.
    pub(super) fn begin(&mut self, luck: u64) {
        for (pilot, number) in self.all.iter_mut().zip(1..) {
            pilot.brain = brain::<G>(luck, number);
        }
    }

    /// How many there ever were.
    pub(super) fn hired(&self) -> u64 {
        self.hired
    }

    /// Lets pilots fly on who flew in another process: number, name and team of each, and how many there ever were.
    pub(super) fn rehire(&mut self, all: Vec<(PlayerId, String, u8)>, hired: u64) {
        self.hired = hired;
        for (number, (id, name, team)) in (hired..).zip(all) {
            self.push(id, name, team, number);
        }
    }

    /// Lets a pilot go.
    pub(super) fn remove(&mut self, id: PlayerId) {
        self.all.retain(|p| p.id != id);
    }

    /// Appends what each pilot does next, seeing the world as it stands.
    pub(super) fn think(
        &mut self,
        rules: &G::Rules,
        World { changes, interest }: &World,
        focus: impl Fn(PlayerId) -> Focus,
        commands: &mut Vec<Command<G::Input>>,
    ) {
        for pilot in &mut self.all {
            let view = &mut self.view;
            view.clear();
            let sight = interest.sight(pilot.id, focus(pilot.id));
            for which in changes.parts().all() {
                sight.offer(which, |kind, slot| {
                    view.table_mut(kind).insert(changes.id(kind, slot), changes.row(kind, slot));
                });
            }
            let view = View { tick: changes.tick(), me: pilot.id, rows: view };
            let input = pilot.brain.think(rules, &view);
            check(&input);
            commands.push(Command { player: pilot.id, input });
        }
    }
}

fn brain<G: Game>(seed: u64, number: u64) -> G::Brain {
    G::Brain::new(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Panics where a brain gives what no client could send.
fn check<I: Row>(input: &I) {
    let mut fields = [0; FIELDS_MAX];
    let fields = &mut fields[..I::FIELDS.len()];
    input.write(fields);
    for (field, &value) in I::FIELDS.iter().zip(&*fields) {
        let (name, range) = (field.name, field.min()..=field.max());
        assert!(range.contains(&value), "a brain's {name} is {value}, out of {range:?}");
    }
}
