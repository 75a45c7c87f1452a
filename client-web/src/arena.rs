//! The arena's doors: what its page is made of. Numbers that change from frame to frame leave as flat arrays, whose
//! layout [`picture`] describes.

pub mod picture;
pub mod terrain;

use crate::player::{Player, Talk};
use crate::replay::Replay;
use picture::Picture;
use shared::arena::{Arena, Controls, compass};
use shared::game::PlayerId;
use shared::netcode::client;
use shared::wire::Field;
use shared::wire::message::ClientMessage;
use wasm_bindgen::prelude::wasm_bindgen;

/// A stick or a pair of keys that is pushed less than this far, from 0 to 1, gives no thrust.
const PUSH_MIN: f32 = 0.2;
/// Bits of a direction of thrust.
const THRUST_BITS: u8 = 4;

/// A recorded round, see [`Replay::of`].
#[wasm_bindgen]
pub fn replay(bytes: Vec<u8>) -> Result<Replay, String> {
    Replay::of::<Arena>(bytes)
}

/// One player at one page. Times are the page's `performance.now()`, in milliseconds.
#[wasm_bindgen]
pub struct Client {
    player: Player<Arena>,
    picture: Picture,
}

#[wasm_bindgen]
impl Client {
    /// A client that will introduce itself as `name`, which the server cleans or refuses.
    #[wasm_bindgen(constructor)]
    pub fn new(name: &str) -> Self {
        Self { player: Player::new(name), picture: Picture::default() }
    }

    /// See [`Player::hello`].
    pub fn hello(&mut self, now: f64) -> Vec<u8> {
        self.player.hello(now)
    }

    /// See [`Player::receive`].
    pub fn receive(&mut self, bytes: &[u8], now: f64) -> bool {
        self.player.receive(bytes, now)
    }

    /// Time goes on: makes the inputs that are due.
    pub fn advance(&mut self, now: f64) {
        self.player.client.advance(now);
    }

    /// See [`Player::outgoing`].
    pub fn outgoing(&mut self, hold: bool) -> Option<Vec<u8>> {
        self.player.outgoing(hold)
    }

    /// What the hands do from now on: where to aim, radians from east towards south; where to, from
    /// -1 to 1 east and south; whether trigger and boost are held.
    pub fn control(&mut self, aim: f32, move_x: f32, move_y: f32, fire: bool, boost: bool) {
        let pushed = move_x * move_x + move_y * move_y > PUSH_MIN * PUSH_MIN;
        let direction =
            || Field::angle("thrust", THRUST_BITS).from_units(libm::atan2f(move_y, move_x));
        let heading = compass::to_steps(aim);
        self.player.client.set_input(Controls::new(heading, pushed.then(direction), fire, boost));
    }

    /// By what this browser is known again, 32 hexadecimal digits; to be said before `hello`. What is none
    /// is not said.
    #[wasm_bindgen(js_name = setVisitor)]
    pub fn set_visitor(&mut self, hex: &str) {
        self.player.set_visitor(hex);
    }

    /// The secret of the session's host, 32 hexadecimal digits; to be said before `hello`.
    #[wasm_bindgen(js_name = setHost)]
    pub fn set_host(&mut self, hex: &str) {
        self.player.set_host(hex);
    }

    /// Whether to come as a spectator; to be said before `hello`.
    #[wasm_bindgen(js_name = setWatch)]
    pub fn set_watch(&mut self, watch: bool) {
        self.player.set_watch(watch);
    }

    /// Says a line to everybody, or to the own team.
    pub fn chat(&mut self, text: &str, team: bool) {
        self.player.chat(text, team);
    }

    /// Shows everybody a sign.
    pub fn emote(&mut self, emote: u8) {
        self.player.say(&ClientMessage::Emote(emote));
    }

    /// Wants to watch, or to play.
    pub fn watch(&mut self, watch: bool) {
        self.player.watch(watch);
    }

    /// Wants to be in this team, from 1.
    pub fn team(&mut self, team: u8) {
        self.player.team(team);
    }

    /// Looks at whoever leads, while watching.
    #[wasm_bindgen(js_name = lookAtLeader)]
    pub fn look_at_leader(&mut self) {
        self.player.look_at_leader();
    }

    /// Looks at a player, while watching.
    #[wasm_bindgen(js_name = lookAtPlayer)]
    pub fn look_at_player(&mut self, player: u16) {
        self.player.look_at_player(player);
    }

    /// Looks at a place in units, while watching; it is inside the arena.
    #[wasm_bindgen(js_name = lookAtPlace)]
    pub fn look_at_place(&mut self, x: f32, y: f32) {
        let half = self.player.client.rules().map_or(0.0, |rules| rules.half);
        self.player.look_at_place(x.clamp(-half, half), y.clamp(-half, half));
    }

    /// The newest tick that is known; 0 before the first frame.
    pub fn tick(&self) -> u32 {
        self.player.client.view().map_or(0, |view| view.tick)
    }

    /// Whether one's own ship and shots run ahead of the server, and whether others are drawn between two
    /// known ticks. Both are on at first; off shows what each is for.
    #[wasm_bindgen(js_name = setHelps)]
    pub fn set_helps(&mut self, prediction: bool, interpolation: bool) {
        self.player.client.set_helps(client::Helps { prediction, interpolation });
    }

    /// Makes the picture of now, for the functions below. False while there is nothing to see.
    pub fn draw(&mut self, now: f64) -> bool {
        let rate = f32::from(self.player.client.stats().tick_rate.max(1));
        let me = self.player.client.me().unwrap_or(PlayerId::NOBODY);
        match self.player.client.draw(now) {
            Some(scene) => {
                self.picture.fill(scene, me, rate);
                true
            }
            None => false,
        }
    }

    /// The ships in view, [`picture::SHIP_STRIDE`] numbers each.
    pub fn ships(&self) -> Vec<f32> {
        self.picture.ships.clone()
    }

    /// The shots in view, [`picture::SHOT_STRIDE`] numbers each.
    pub fn shots(&self) -> Vec<f32> {
        self.picture.shots.clone()
    }

    /// The pickups in view, [`picture::PICKUP_STRIDE`] numbers each.
    pub fn pickups(&self) -> Vec<f32> {
        self.picture.pickups.clone()
    }

    /// What only the player may know, [`picture::ME_LEN`] numbers.
    pub fn me(&self) -> Vec<f32> {
        self.picture.me.to_vec()
    }

    /// All rocks, three numbers each: place and radius in units. Empty before the welcome, and the
    /// same until the next one.
    pub fn rocks(&self) -> Vec<f32> {
        let rocks = self.player.client.rules().map_or(&[][..], |rules| rules.rocks.all());
        rocks.iter().flat_map(|rock| [rock.at.x, rock.at.y, rock.radius]).collect()
    }

    /// Half of the square arena's side, units; 0 before the welcome.
    #[wasm_bindgen(js_name = arenaSize)]
    pub fn arena_size(&self) -> f32 {
        self.player.client.rules().map_or(0.0, |rules| rules.half)
    }

    /// The next piece of news as a JSON object, see [`crate::news`].
    pub fn news(&mut self) -> Option<String> {
        self.player.news()
    }

    /// What is known of the connection, see [`crate::player::FIGURES`].
    pub fn stats(&self) -> Vec<f64> {
        self.player.figures().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::testing::first_messages;
    use shared::arena::Settings;
    use shared::wire::input;
    use shared::wire::message::decode_client_message;

    const ME: PlayerId = PlayerId(3);

    /// A client after its welcome and first frame: alone in the arena, in its first tick.
    fn welcomed() -> Client {
        let mut client = Client::new("Ann");
        client.hello(0.0);
        assert!(!client.draw(1.0), "there is nothing to see yet");
        for bytes in first_messages::<Arena>(ME, Settings::default()) {
            client.receive(&bytes, 10.0);
        }
        client
    }

    #[test]
    fn a_picture_has_what_the_page_reads() {
        let mut client = welcomed();
        assert!(client.draw(12.0));
        let ships = client.ships();
        assert_eq!(ships.len(), picture::SHIP_STRIDE);
        assert_eq!((ships[1], ships[8], ships[10], ships[11]), (3.0, -1.0, 1.0, 1.0));
        assert_eq!(ships[9] as i32, 1 | 16, "one's own, and protected");
        let me = client.me();
        assert_eq!((me[0], me[13], me[14]), (1.0, -1.0, 3.0));
        assert_eq!((me[1], me[2]), (ships[2], ships[3]), "the camera is where the ship is");
        assert_eq!(client.pickups().len() % picture::PICKUP_STRIDE, 0);
        assert!(!client.pickups().is_empty());
        assert_eq!(client.arena_size(), Settings::default().size as f32 / 2.0);
        let rocks = client.rocks();
        assert!(rocks.len() > 30 && rocks.chunks_exact(3).all(|rock| rock[2] >= 30.0));
        assert!(client.news().is_some_and(|json| json.contains("\"welcome\"")));
        assert!(client.news().is_none());
    }

    #[test]
    fn hands_become_controls() {
        let mut client = welcomed();
        client.control(-std::f32::consts::FRAC_PI_2, 0.0, 1.0, true, false);
        client.advance(60.0);
        client.draw(200.0);
        let ships = client.ships();
        let flags = ships[9] as i32;
        assert_eq!(flags & (2 | 4), 2, "it fires and does not boost");
        assert!((ships[8] - std::f32::consts::FRAC_PI_2).abs() < 1e-4, "thrust goes south");
        assert!((ships[7] - 1.5 * std::f32::consts::PI).abs() < 1e-2, "the aim is north");
        client.control(f32::NAN, f32::NAN, f32::INFINITY, false, false);
        client.advance(120.0);
        assert!(client.draw(121.0), "nonsense does no harm");
    }

    #[test]
    fn without_its_helps_a_picture_is_what_the_server_told() {
        let mut client = welcomed();
        client.control(0.0, 1.0, 0.0, true, false);
        let east = |client: &mut Client, now: f64| {
            client.advance(now);
            assert!(client.draw(now));
            assert_eq!(client.ships()[9] as i32 & 1, 1, "it is one's own");
            (client.ships()[2], client.shots().len())
        };
        client.set_helps(false, false);
        let (told, _) = east(&mut client, 12.0);
        client.set_helps(true, true);
        let mut last = (told, 0);
        for now in [42.0, 72.0, 102.0, 132.0, 162.0, 192.0, 222.0, 252.0, 300.0] {
            last = east(&mut client, now);
        }
        let (ahead, shots) = last;
        assert!(ahead > told + 1.0 && shots > 0, "predicted: {told} {ahead} {shots}");
        client.set_helps(false, false);
        assert_eq!(east(&mut client, 300.0), (told, 0), "as the only frame had it");
        assert_eq!(client.stats()[9], 0.0, "nothing is drawn behind the newest rows");
        let sent = std::iter::from_fn(|| client.outgoing(false));
        assert!(sent.filter(|message| message[0] == input::TYPE).count() > 5, "inputs flow");
        client.set_helps(true, true);
        assert_eq!(east(&mut client, 300.0), (ahead, shots));
    }

    #[test]
    fn a_socket_that_is_behind_gets_no_old_inputs() {
        let mut client = welcomed();
        client.chat("hello", false);
        client.advance(100.0);
        assert_eq!(client.outgoing(true), None);
        let first = client.outgoing(false).expect("the chat waits");
        let said = decode_client_message(&first[1..]).expect("a message");
        assert_eq!(said, ClientMessage::Chat { team: false, text: "hello".into() });
        while let Some(message) = client.outgoing(false) {
            assert_ne!(message[0], input::TYPE, "the inputs were dropped");
        }
        client.advance(140.0);
        assert!(client.outgoing(false).is_some_and(|message| message[0] == input::TYPE));
    }
}
