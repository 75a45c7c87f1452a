//! A whole session without a server: a game, its brains and a view for each. Comes in: players. Goes
//! out: rows, tick by tick. No network, no clock; what a brain sees is cut from the rows as a server
//! would, entering and leaving at the same edge.

use shared::game::{Brain, Command, Focus, Game, PlayerId, Setup, Tick, View};
use shared::wire::{Role, Rows};

/// Side of a cell of the map of entities, units.
const CELL: f32 = 512.0;
/// A cell has no more than 2^16 others on either side of the middle.
const CELLS: i32 = 1 << 16;

/// A game that its own brains play.
#[derive(Debug)]
pub struct Play<G: Game> {
    rules: G::Rules,
    game: G,
    setup: Setup<G::Settings>,
    tick: Tick,
    players: Vec<(PlayerId, G::Brain)>,
    commands: Vec<Command<G::Input>>,
    events: Vec<G::Event>,
    rows: Rows,
    /// Per kind, ascending: of a private one `(owner, 0, index)`, of one with a place
    /// `(line of cells, column of cells, index)`.
    order: Vec<Vec<(i32, i32, u32)>>,
    view: Rows,
}

impl<G: Game> Play<G> {
    /// Nobody is there yet. Panics when the setup makes no sense.
    pub fn new(setup: Setup<G::Settings>) -> Self {
        let rules = G::rules(&setup).expect("a setup that makes sense");
        Self {
            game: G::new(&setup, &rules, setup.seed),
            rules,
            setup,
            tick: 0,
            players: Vec::new(),
            commands: Vec::new(),
            events: Vec::new(),
            rows: Rows::new(G::KINDS),
            order: vec![Vec::new(); G::KINDS.len()],
            view: Rows::new(G::KINDS),
        }
    }

    /// A brain joins as this player; its mind follows from the session's seed and its number.
    pub fn join(&mut self, player: u16) {
        let id = PlayerId(player);
        let index = self.players.partition_point(|(other, _)| *other < id);
        let seed = self.setup.seed.wrapping_mul(1 << 16).wrapping_add(u64::from(player));
        self.players.insert(index, (id, G::Brain::new(seed)));
        self.game.join(&self.rules, id, 0);
    }

    /// A player leaves.
    pub fn leave(&mut self, player: u16) {
        self.players.retain(|(id, _)| id.0 != player);
        self.game.leave(&self.rules, PlayerId(player));
    }

    /// One tick: everybody thinks about what they saw at the end of the last one, then the game steps.
    pub fn tick(&mut self) {
        self.tick_with(|_, _| None);
    }

    /// The same, but `instead` may answer in a brain's place.
    pub fn tick_with(&mut self, mut instead: impl FnMut(&G::Rules, &View<'_>) -> Option<G::Input>) {
        self.commands.clear();
        for (player, brain) in &mut self.players {
            let focus = self.game.view(*player);
            cut::<G>(&self.rows, &self.order, *player, &focus, &mut self.view);
            let view = View { tick: self.tick, me: *player, rows: &self.view };
            let input =
                instead(&self.rules, &view).unwrap_or_else(|| brain.think(&self.rules, &view));
            self.commands.push(Command { player: *player, input });
        }
        self.step();
    }

    fn step(&mut self) {
        self.events.clear();
        self.game.step(&self.rules, &self.commands, &mut self.events);
        self.tick += 1;
        self.rows.clear();
        self.game.publish(&mut self.rows);
        for (kind, order) in self.order.iter_mut().enumerate() {
            sort::<G>(&self.rows, kind, order);
        }
    }

    /// The world at the end of the last tick.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// What was applied in the last tick.
    pub fn commands(&self) -> &[Command<G::Input>] {
        &self.commands
    }

    /// What happened in the last tick.
    pub fn events(&self) -> &[G::Event] {
        &self.events
    }

    /// The game itself.
    pub fn game(&self) -> &G {
        &self.game
    }

    /// Its rules.
    pub fn rules(&self) -> &G::Rules {
        &self.rules
    }
}

fn cell(units: f32) -> i32 {
    ((units / CELL).floor() as i32).clamp(-CELLS, CELLS)
}

fn sort<G: Game>(rows: &Rows, kind: usize, order: &mut Vec<(i32, i32, u32)>) {
    let (kind, table) = (&G::KINDS[kind], rows.table(kind));
    order.clear();
    if let (true, Some(owner)) = (kind.private, kind.field_with(Role::Owner)) {
        order.extend(table.iter().zip(0..).map(|((_, row), index)| (row[owner], 0, index)));
    } else if let (Some(x), Some(y)) = (kind.field_with(Role::X), kind.field_with(Role::Y)) {
        let at = |row: &[i32], field: usize| cell(kind.fields[field].to_units(row[field]));
        order
            .extend(table.iter().zip(0..).map(|((_, row), index)| (at(row, y), at(row, x), index)));
    }
    order.sort_unstable();
}

fn cut<G: Game>(
    rows: &Rows,
    order: &[Vec<(i32, i32, u32)>],
    player: PlayerId,
    focus: &Focus,
    view: &mut Rows,
) {
    view.clear();
    for (index, kind) in G::KINDS.iter().enumerate() {
        let (from, into, order) = (rows.table(index), view.table_mut(index), &order[index]);
        let mut take = |index: usize| into.push(from.ids()[index], from.row(index));
        if kind.private {
            let owner = i32::from(player.0);
            run(order, (owner, 0), (owner, 0)).for_each(&mut take);
        } else if let (Some(x), Some(y)) = (kind.field_with(Role::X), kind.field_with(Role::Y)) {
            let (width, height) = (focus.half_width, focus.half_height);
            let inside = |index: &usize| {
                let row = from.row(*index);
                (kind.fields[x].to_units(row[x]) - focus.x).abs() <= width
                    && (kind.fields[y].to_units(row[y]) - focus.y).abs() <= height
            };
            let (left, right) = (cell(focus.x - width), cell(focus.x + width));
            for line in cell(focus.y - height)..=cell(focus.y + height) {
                run(order, (line, left), (line, right)).filter(inside).for_each(&mut take);
            }
        } else {
            (0..from.len()).for_each(&mut take);
        }
    }
}

/// The indices of all entries from one key to another.
fn run(order: &[(i32, i32, u32)], from: (i32, i32), to: (i32, i32)) -> impl Iterator<Item = usize> {
    let start = order.partition_point(|&(a, b, _)| (a, b) < from);
    order[start..].iter().take_while(move |&&(a, b, _)| (a, b) <= to).map(|&(_, _, i)| i as usize)
}
