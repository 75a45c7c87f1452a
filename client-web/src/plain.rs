//! The plain door: a game as its field tables tell it. With it a page can show any game and be played, before anybody has
//! drawn a line for it (`www/plain`). A game's own module hands it out, see `tests/buoys/src/web.rs`.

use crate::player::{Player, Talk};
use crate::replay::Replay;
use serde::Serialize;
use shared::game::{Game, PlayerId};
use shared::netcode::scene::Scene;
use shared::wire::{Field, Kind, Role, Row, Treatment};
use wasm_bindgen::prelude::wasm_bindgen;

/// Numbers of an entity before its fields: its id, and 1 where it is one's own, else 0.
pub const FIELDS_FROM: usize = 2;

/// One player of any game at one page. Times are the page's `performance.now()`, in milliseconds.
#[wasm_bindgen]
pub struct Plain(Box<dyn Door>);

impl Plain {
    /// A player of `G` who will introduce themselves as `name`, which the server cleans or refuses.
    pub fn of<G: Game>(name: &str) -> Self {
        Self(Box::new(At::<G> {
            player: Player::new(name),
            picture: vec![Vec::new(); G::KINDS.len()],
        }))
    }
}

#[wasm_bindgen]
impl Plain {
    /// The game as JSON: `{"name":…,"input":[FIELD…],"kinds":[{"name":…,"treatment":…,"private":…,"fields":[FIELD…]}…]}`,
    /// where a FIELD is `{"name":…,"role":…,"bits":…,"signed":…,"min":…,"max":…,"step":…}`.
    pub fn game(&self) -> String {
        self.0.game()
    }

    /// By what this browser is known again, 32 hexadecimal digits; to be said before `hello`. What is none
    /// is not said.
    #[wasm_bindgen(js_name = setVisitor)]
    pub fn set_visitor(&mut self, hex: &str) {
        self.0.talk().set_visitor(hex);
    }

    /// The secret of the session's host, 32 hexadecimal digits; to be said before `hello`.
    #[wasm_bindgen(js_name = setHost)]
    pub fn set_host(&mut self, hex: &str) {
        self.0.talk().set_host(hex);
    }

    /// Whether to come as a spectator; to be said before `hello`.
    #[wasm_bindgen(js_name = setWatch)]
    pub fn set_watch(&mut self, watch: bool) {
        self.0.talk().set_watch(watch);
    }

    /// See [`Player::hello`].
    pub fn hello(&mut self, now: f64) -> Vec<u8> {
        self.0.hello(now)
    }

    /// See [`Player::receive`].
    pub fn receive(&mut self, bytes: &[u8], now: f64) -> bool {
        self.0.receive(bytes, now)
    }

    /// What the hands do from now on: an integer for each field of the input. One that is missing counts as 0, one that
    /// is out of range as the nearest that is not.
    pub fn steer(&mut self, values: &[i32]) {
        self.0.steer(values);
    }

    /// Time goes on: makes the inputs that are due.
    pub fn advance(&mut self, now: f64) {
        self.0.advance(now);
    }

    /// See [`Player::outgoing`].
    pub fn outgoing(&mut self, hold: bool) -> Option<Vec<u8>> {
        self.0.outgoing(hold)
    }

    /// Says a line to everybody, or to the own team.
    pub fn chat(&mut self, text: &str, team: bool) {
        self.0.talk().chat(text, team);
    }

    /// Wants to watch, or to play.
    pub fn watch(&mut self, watch: bool) {
        self.0.talk().watch(watch);
    }

    /// Wants to be in this team, from 1.
    pub fn team(&mut self, team: u8) {
        self.0.talk().team(team);
    }

    /// Looks at whoever leads, while watching.
    #[wasm_bindgen(js_name = lookAtLeader)]
    pub fn look_at_leader(&mut self) {
        self.0.talk().look_at_leader();
    }

    /// Looks at a player, while watching.
    #[wasm_bindgen(js_name = lookAtPlayer)]
    pub fn look_at_player(&mut self, player: u16) {
        self.0.talk().look_at_player(player);
    }

    /// Looks at a place in units, while watching: at the nearest that one may look at.
    #[wasm_bindgen(js_name = lookAtPlace)]
    pub fn look_at_place(&mut self, x: f32, y: f32) {
        self.0.talk().look_at_place(x, y);
    }

    /// Makes the picture of now, for `rows`. False while there is nothing to see.
    pub fn draw(&mut self, now: f64) -> bool {
        self.0.draw(now)
    }

    /// The entities of a kind in the picture, one after the other: [`FIELDS_FROM`] numbers, then the fields in units.
    /// Empty for a kind that there is not.
    pub fn rows(&self, kind: usize) -> Vec<f32> {
        self.0.rows(kind).to_vec()
    }

    /// The newest tick that is known; 0 before the first frame.
    pub fn tick(&self) -> u32 {
        self.0.tick()
    }

    /// The own player's number; -1 before the welcome.
    pub fn me(&self) -> i32 {
        self.0.me().map_or(-1, |me| i32::from(me.0))
    }

    /// The next piece of news as a JSON object, see [`crate::news`].
    pub fn news(&mut self) -> Option<String> {
        self.0.news()
    }

    /// A recorded round of this game, see [`Replay::of`].
    pub fn replay(&self, bytes: Vec<u8>) -> Result<Replay, String> {
        self.0.replay(bytes)
    }

    /// What is known of the connection, see [`Player::figures`].
    pub fn stats(&self) -> Vec<f64> {
        self.0.figures()
    }
}

/// What [`Plain`] asks of a player, whatever the game.
trait Door {
    fn game(&self) -> String;
    fn talk(&mut self) -> &mut dyn Talk;
    fn hello(&mut self, now: f64) -> Vec<u8>;
    fn receive(&mut self, bytes: &[u8], now: f64) -> bool;
    fn steer(&mut self, values: &[i32]);
    fn advance(&mut self, now: f64);
    fn outgoing(&mut self, hold: bool) -> Option<Vec<u8>>;
    fn draw(&mut self, now: f64) -> bool;
    fn rows(&self, kind: usize) -> &[f32];
    fn tick(&self) -> u32;
    fn me(&self) -> Option<PlayerId>;
    fn news(&mut self) -> Option<String>;
    fn replay(&self, bytes: Vec<u8>) -> Result<Replay, String>;
    fn figures(&self) -> Vec<f64>;
}

/// The door of one game.
struct At<G: Game> {
    player: Player<G>,
    /// The last picture, by kind; the memory is used again for the next.
    picture: Vec<Vec<f32>>,
}

impl<G: Game> Door for At<G> {
    fn game(&self) -> String {
        let input = G::Input::FIELDS.iter().map(FieldTold::of).collect();
        let told =
            GameTold { name: G::NAME, input, kinds: G::KINDS.iter().map(KindTold::of).collect() };
        serde_json::to_string(&told).expect("numbers and text have a spelling in JSON")
    }

    fn talk(&mut self) -> &mut dyn Talk {
        &mut self.player
    }

    fn hello(&mut self, now: f64) -> Vec<u8> {
        self.player.hello(now)
    }

    fn receive(&mut self, bytes: &[u8], now: f64) -> bool {
        self.player.receive(bytes, now)
    }

    fn steer(&mut self, values: &[i32]) {
        let value = |(at, field): (usize, &Field)| {
            values.get(at).copied().unwrap_or(0).clamp(field.min(), field.max())
        };
        let cells: Vec<i32> = G::Input::FIELDS.iter().enumerate().map(value).collect();
        self.player.client.set_input(G::Input::read(&cells));
    }

    fn advance(&mut self, now: f64) {
        self.player.client.advance(now);
    }

    fn outgoing(&mut self, hold: bool) -> Option<Vec<u8>> {
        self.player.outgoing(hold)
    }

    fn draw(&mut self, now: f64) -> bool {
        let Some(scene) = self.player.client.draw(now) else { return false };
        self.picture.iter_mut().enumerate().for_each(|(kind, rows)| fill(rows, scene, kind));
        true
    }

    fn rows(&self, kind: usize) -> &[f32] {
        self.picture.get(kind).map_or(&[], Vec::as_slice)
    }

    fn tick(&self) -> u32 {
        self.player.client.view().map_or(0, |view| view.tick)
    }

    fn me(&self) -> Option<PlayerId> {
        self.player.client.me()
    }

    fn news(&mut self) -> Option<String> {
        self.player.news()
    }

    fn replay(&self, bytes: Vec<u8>) -> Result<Replay, String> {
        Replay::of::<G>(bytes)
    }

    fn figures(&self) -> Vec<f64> {
        self.player.figures().to_vec()
    }
}

/// Takes a kind's entities over from `scene`.
fn fill(rows: &mut Vec<f32>, scene: &Scene, kind: usize) {
    rows.clear();
    for (id, fields, own) in scene.table(kind).iter() {
        rows.extend([id as f32, f32::from(u8::from(own))]);
        rows.extend_from_slice(fields);
    }
}

#[derive(Serialize)]
struct GameTold {
    name: &'static str,
    input: Vec<FieldTold>,
    kinds: Vec<KindTold>,
}

#[derive(Serialize)]
struct KindTold {
    name: &'static str,
    treatment: &'static str,
    private: bool,
    fields: Vec<FieldTold>,
}

#[derive(Serialize)]
struct FieldTold {
    name: &'static str,
    role: &'static str,
    bits: u8,
    signed: bool,
    min: i32,
    max: i32,
    /// How many units an integer step is; for an angle, radians.
    step: f32,
}

impl KindTold {
    fn of(kind: &Kind) -> Self {
        let treatment = match kind.treatment {
            Treatment::Steered { .. } => "steered",
            Treatment::Ballistic => "ballistic",
            Treatment::Static => "static",
            Treatment::Plain => "plain",
        };
        let fields = kind.fields.iter().map(FieldTold::of).collect();
        Self { name: kind.name, treatment, private: kind.private, fields }
    }
}

impl FieldTold {
    fn of(field: &Field) -> Self {
        let role = match field.role {
            Role::Plain => "plain",
            Role::X => "x",
            Role::Y => "y",
            Role::Angle => "angle",
            Role::Owner => "owner",
            Role::Lag => "lag",
        };
        let &Field { name, bits, signed, step, .. } = field;
        Self { name, role, bits, signed, min: field.min(), max: field.max(), step }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::testing::first_messages;
    use buoys::{BOAT, Buoys, PURSE, TIDE, Waters};
    use serde_json::{Value, json};
    use shared::wire::input;
    use shared::wire::message::{self, ClientMessage, Hello, LOOK_UNITS_MAX, Look};

    const ME: PlayerId = PlayerId(5);
    /// Where a boat's fields stand.
    const HELM: usize = FIELDS_FROM;
    const X: usize = FIELDS_FROM + 2;
    const PLAYER: usize = FIELDS_FROM + 6;

    /// A player after welcome and first frame.
    fn welcomed() -> Plain {
        let mut plain = Plain::of::<Buoys>("Ann");
        plain.hello(0.0);
        assert!(!plain.draw(1.0) && plain.me() == -1 && plain.tick() == 0, "nothing is known yet");
        for bytes in first_messages::<Buoys>(ME, Waters { in_full_view: true, ..Waters::default() })
        {
            plain.receive(&bytes, 10.0);
        }
        plain
    }

    #[test]
    fn a_game_tells_its_tables() {
        let told: Value = serde_json::from_str(&Plain::of::<Buoys>("").game()).expect("JSON");
        assert_eq!(told["name"], "buoys");
        assert_eq!(told["input"][1]["name"], "pull");
        assert_eq!(told["input"][1]["max"], 3);
        let boat = &told["kinds"][BOAT];
        assert_eq!([&boat["treatment"], &boat["private"]], [&json!("steered"), &json!(false)]);
        assert_eq!(boat["fields"][0]["role"], "angle");
        assert_eq!(
            [&boat["fields"][2]["role"], &boat["fields"][2]["step"]],
            [&json!("x"), &json!(0.25)]
        );
        assert_eq!(told["kinds"][PURSE]["private"], true);
        assert_eq!(told["kinds"].as_array().map(Vec::len), Some(Buoys::KINDS.len()));
    }

    #[test]
    fn a_picture_has_each_row_in_units() {
        let mut plain = welcomed();
        assert!(plain.draw(12.0));
        assert_eq!(plain.me(), 5);
        let boats = plain.rows(BOAT);
        let stride = FIELDS_FROM + Buoys::KINDS[BOAT].fields.len();
        assert_eq!((boats.len(), boats[0], boats[1], boats[PLAYER]), (stride, 5.0, 1.0, 5.0));
        assert!(boats[X].abs() <= 500.0, "units, of which a step is a quarter");
        assert_eq!(plain.rows(PURSE).len(), FIELDS_FROM + 2, "one's own");
        assert_eq!(plain.rows(TIDE).len(), FIELDS_FROM + 1);
        assert!(plain.rows(99).is_empty());
    }

    #[test]
    fn what_hands_do_moves_the_own_entity_and_stays_in_range() {
        let mut plain = welcomed();
        assert!(plain.draw(12.0));
        let before = plain.rows(BOAT)[X];
        plain.steer(&[0, 1]);
        for at in 1..10 {
            plain.advance(12.0 + 33.4 * f64::from(at));
        }
        assert!(plain.draw(330.0));
        let boats = plain.rows(BOAT);
        assert!(boats[X] > before + 8.0 && boats[HELM] == 0.0, "east, at once: {boats:?}");
        plain.steer(&[i32::MAX, i32::MIN, 7]);
        plain.advance(400.0);
        plain.steer(&[]);
        plain.advance(500.0);
        let sent = std::iter::from_fn(|| plain.outgoing(false));
        assert!(sent.filter(|message| message[0] == input::TYPE).count() > 10, "inputs flow");
        plain.chat("ahoy", false);
        assert!(plain.outgoing(false).is_some_and(|message| message[0] == message::TYPE));
        let news: Value = serde_json::from_str(&plain.news().expect("the welcome")).expect("JSON");
        assert_eq!(news["player"], 5);
    }

    #[test]
    fn wishes_are_said_as_the_server_reads_them() {
        let mut plain = Plain::of::<Buoys>("Ann");
        plain.set_watch(true);
        plain.set_host("00112233445566778899aabbccddeeff");
        let hello = plain.hello(0.0);
        let said = message::decode_client_message(&hello[1..]);
        let Ok(ClientMessage::Hello(Hello { watch, host, .. })) = said else { panic!("a hello") };
        assert!(watch && host.is_some());
        let mut plain = welcomed();
        while plain.outgoing(false).is_some() {}
        plain.watch(true);
        plain.look_at_leader();
        plain.look_at_player(7);
        plain.look_at_place(12.9, -1e30);
        plain.look_at_place(f32::NAN, f32::INFINITY);
        plain.watch(false);
        plain.team(2);
        let said = std::iter::from_fn(|| plain.outgoing(false));
        let said: Vec<ClientMessage> =
            said.map(|b| message::decode_client_message(&b[1..]).expect("a message")).collect();
        let place = |x, y| ClientMessage::Look(Look::Place { x, y });
        let expected = [
            ClientMessage::Watch(true),
            ClientMessage::Look(Look::Leader),
            ClientMessage::Look(Look::Player(PlayerId(7))),
            place(12, -LOOK_UNITS_MAX),
            place(0, LOOK_UNITS_MAX),
            ClientMessage::Watch(false),
            ClientMessage::Team(2),
        ];
        assert_eq!(said, expected);
    }
}
