//! The obvious implementation, as a contender: tokio's ordinary runtime, tokio-tungstenite as it comes, two tasks per
//! connection with channels between them and the tick, and the full state in bincode to everybody in every tick. The
//! rules are those of the arena, so that only what carries them differs.

use super::scene::{RATE, SEED, Scene, holds};
use super::sights::Sights;
use anyhow::Result;
use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use shared::arena::rows::{ANGLE_STEPS, PICKUP, PILOT, SHIP, SHOT, place};
use shared::arena::{Arena, Controls, Pickup, Pilot, Settings, Ship, Shot};
use shared::game::{Command, Focus, Game, PlayerId, Setup};
use shared::wire::{Row, Rows};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Duration, MissedTickBehavior, interval};
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// Messages that wait for one connection; the state is left out for whoever has more, as the next one makes up for it.
const OUTBOX_MESSAGES: usize = 64;
/// What connections have said and the tick has not read yet; then they wait.
const INBOX_MESSAGES: usize = 16_384;

/// What a client sends in every tick, 16 bytes.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Input {
    /// The client's count of ticks; nobody needs it here, but it is sent everywhere.
    #[expect(dead_code)]
    tick: u32,
    /// Where to point the nose, in turns.
    aim: f32,
    /// As in [`Controls::controls`].
    keys: u32,
    #[expect(dead_code)]
    spare: u32,
}

/// What everybody is sent in every tick.
#[derive(Serialize)]
struct State<'a> {
    tick: u32,
    ships: Vec<&'a ShipState>,
    shots: Vec<&'a ShotState>,
    pickups: Vec<&'a PickupState>,
}

#[derive(Serialize)]
struct ShipState {
    id: u32,
    player: u16,
    x: f32,
    y: f32,
    vx: f32,
    vy: f32,
    aim: f32,
    health: u8,
    energy: f32,
    keys: u8,
    protected: bool,
    overdrive: bool,
    score: i32,
}

#[derive(Serialize)]
struct ShotState {
    id: u32,
    player: u16,
    x: f32,
    y: f32,
    vx: f32,
    vy: f32,
}

#[derive(Serialize)]
struct PickupState {
    id: u32,
    x: f32,
    y: f32,
    what: u8,
}

/// The whole world, as structs.
#[derive(Default)]
struct Entities {
    ships: Vec<ShipState>,
    shots: Vec<ShotState>,
    pickups: Vec<PickupState>,
}

enum News {
    Joined(PlayerId, mpsc::Sender<Message>),
    Input(PlayerId, Input),
    Left(PlayerId),
}

/// Serves until it is ended.
#[tokio::main]
pub(crate) async fn serve(scene: Scene, address: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(address).await?;
    let (inbox, news) = mpsc::channel(INBOX_MESSAGES);
    tokio::spawn(play(scene, news));
    for number in 0.. {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(talk(stream, PlayerId(number), inbox.clone()));
    }
    Ok(())
}

/// One connection. Whoever connected only to see whether somebody listens says nothing, and is no player.
async fn talk(stream: TcpStream, player: PlayerId, inbox: mpsc::Sender<News>) -> Result<()> {
    stream.set_nodelay(true)?;
    let (mut sink, mut source) = tokio_tungstenite::accept_async(stream).await?.split();
    let (outbox, mut waiting) = mpsc::channel(OUTBOX_MESSAGES);
    inbox.send(News::Joined(player, outbox)).await?;
    tokio::spawn(async move {
        while let Some(message) = waiting.recv().await {
            if sink.send(message).await.is_err() {
                break;
            }
        }
    });
    let fixed = bincode::config::legacy();
    while let Some(Ok(message)) = source.next().await {
        if let Message::Binary(bytes) = message
            && let Ok((input, _)) = bincode::serde::decode_from_slice(&bytes, fixed)
        {
            inbox.send(News::Input(player, input)).await?;
        }
    }
    inbox.send(News::Left(player)).await?;
    Ok(())
}

/// The tick loop.
async fn play(scene: Scene, mut news: mpsc::Receiver<News>) -> Result<()> {
    let settings = Settings { size: scene.side(), ..Settings::default() };
    let setup = Setup::new(settings, SEED, RATE as u16);
    let rules = Arena::rules(&setup).map_err(anyhow::Error::msg)?;
    let mut game = Arena::new(&setup, &rules, SEED);
    let mut players: BTreeMap<PlayerId, (mpsc::Sender<Message>, Input)> = BTreeMap::new();
    let (mut rows, mut sights) = (Rows::new(Arena::KINDS), Sights::default());
    let mut ticks = interval(Duration::from_secs(1) / RATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for tick in 0.. {
        ticks.tick().await;
        while let Ok(news) = news.try_recv() {
            match news {
                News::Joined(player, outbox) => {
                    game.join(&rules, player, 0);
                    players.insert(player, (outbox, Input::default()));
                }
                News::Input(player, input) => {
                    if let Some((_, last)) = players.get_mut(&player) {
                        *last = input;
                    }
                }
                News::Left(player) => {
                    game.leave(&rules, player);
                    players.remove(&player);
                }
            }
        }
        let commands: Vec<_> = players
            .iter()
            .map(|(&player, (_, input))| Command { player, input: input.controls() })
            .collect();
        game.step(&rules, &commands, &mut Vec::new());
        rows.clear();
        game.publish(&mut rows);
        sights.tick(&rows, |x, y| scene.focus(x, y));
        let entities = Entities::of(&rows);
        if scene.is_room() {
            let message = Message::Binary(entities.state(tick, None)?);
            for (outbox, _) in players.values() {
                let _ = outbox.try_send(message.clone());
            }
        } else {
            // A naive look at everything for everybody: with a thousand players it is a small part of what
            // encoding and sending cost.
            for (&player, (outbox, _)) in &players {
                let at = game.view(player);
                let focus = scene.focus(at.x, at.y);
                let _ = outbox.try_send(Message::Binary(entities.state(tick, Some(&focus))?));
            }
        }
    }
    Ok(())
}

impl Input {
    fn controls(self) -> Controls {
        let heading = (self.aim * ANGLE_STEPS as f32) as i32;
        Controls {
            controls: (self.keys & 127) as i32,
            ..Controls::new(heading, None, false, false)
        }
    }
}

impl Entities {
    fn of(rows: &Rows) -> Self {
        let pilots = rows.table(PILOT).iter().map(|(id, row)| (id as i32, Pilot::read(row).score));
        let scores: HashMap<i32, i32> = pilots.collect();
        let turns = |heading: i32| heading as f32 / ANGLE_STEPS as f32;
        let ships = rows.table(SHIP).iter().map(|(id, row)| {
            let ship = Ship::read(row);
            let (at, velocity) = (ship.place(), ship.velocity());
            ShipState {
                id,
                player: ship.player as u16,
                x: at.x,
                y: at.y,
                vx: velocity.x,
                vy: velocity.y,
                aim: turns(ship.heading),
                health: ship.hp as u8,
                energy: ship.energy as f32 / 10.0,
                keys: ship.controls as u8,
                protected: ship.protect > 0,
                overdrive: ship.overdrive > 0,
                score: scores.get(&ship.player).copied().unwrap_or(0),
            }
        });
        let shots = rows.table(SHOT).iter().map(|(id, row)| {
            let shot = Shot::read(row);
            let (at, velocity) = (shot.place(), shot.velocity());
            let (x, y, vx, vy) = (at.x, at.y, velocity.x, velocity.y);
            ShotState { id, player: shot.player as u16, x, y, vx, vy }
        });
        let pickups = rows.table(PICKUP).iter().map(|(id, row)| {
            let pickup = Pickup::read(row);
            let at = place(pickup.x, pickup.y);
            PickupState { id, x: at.x, y: at.y, what: pickup.what as u8 }
        });
        Self { ships: ships.collect(), shots: shots.collect(), pickups: pickups.collect() }
    }

    /// The message about everything, or about what is in view.
    fn state(&self, tick: u32, focus: Option<&Focus>) -> Result<Bytes> {
        let seen = |x: f32, y: f32| focus.is_none_or(|focus| holds(focus, x, y));
        let state = State {
            tick,
            ships: self.ships.iter().filter(|e| seen(e.x, e.y)).collect(),
            shots: self.shots.iter().filter(|e| seen(e.x, e.y)).collect(),
            pickups: self.pickups.iter().filter(|e| seen(e.x, e.y)).collect(),
        };
        Ok(bincode::serde::encode_to_vec(state, bincode::config::standard())?.into())
    }
}
