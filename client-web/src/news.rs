//! News as JSON. Comes in: what netcode's client has to tell. Goes out: one object per piece, its kind
//! in `type`:
//!
//! ```text
//! {"type":"welcome","player":7,"name":"Ann"}
//! {"type":"roster","everybody":true,"left":[3],"joined":[{"player":7,"name":"Ann","computer":false,
//!  "team":0,"watching":false,"host":true,"muted":false}]}
//! {"type":"standings","best":[[7,120]],"rank":1,"score":120,"players":12,"teams":[]}
//! {"type":"chat","from":7,"team":false,"text":"hi"}  from is null when the server speaks
//! {"type":"history","lines":[["Ann","hi"]]}
//! {"type":"emote","from":7,"emote":2}
//! {"type":"event","event":{"Kill":{"killer":7,"victim":3,"streak":2}}}  the game's own, as serde spells it
//! {"type":"about","name":"Arena","public":true,"locked":false,"switchTeams":true,"delayS":0}
//! {"type":"phase","phase":"play","round":1,"ends":9000}  also endless, warm_up, results; ends may be null
//! {"type":"begin"}                                   rocks and arena may be others now
//! {"type":"results","round":1,"teams":[],"figures":["kills","deaths"],"recorded":true,
//!  "lines":[{"place":1,"player":7,"score":120,"figures":[3,1]}]}
//! {"type":"host","secret":"0011.."}                  32 hexadecimal digits
//! {"type":"whereabouts","places":[[7,-120,900]]}     player and place, in the game's units
//! ```

use serde::Serialize;
use serde_json::Value;
use shared::game::{Game, PlayerId, Tick};
use shared::netcode::client::News;
use shared::wire::message::{Phase, ResultLine, RosterEntry, ServerMessage};

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase")]
enum NewsLine<'a> {
    Welcome {
        player: PlayerId,
        name: &'a str,
    },
    Roster {
        everybody: bool,
        joined: &'a [RosterEntry],
        left: &'a [PlayerId],
    },
    Standings {
        best: &'a [(PlayerId, i32)],
        rank: u16,
        score: i32,
        players: u16,
        teams: &'a [i32],
    },
    Chat {
        from: Option<PlayerId>,
        team: bool,
        text: &'a str,
    },
    History {
        lines: &'a [(String, String)],
    },
    Emote {
        from: PlayerId,
        emote: u8,
    },
    Event {
        event: Value,
    },
    About {
        name: &'a str,
        public: bool,
        locked: bool,
        switch_teams: bool,
        delay_s: u8,
    },
    Phase {
        phase: Phase,
        round: u32,
        ends: Option<Tick>,
    },
    Begin,
    Results {
        round: u32,
        teams: &'a [i32],
        figures: &'static [&'static str],
        lines: Vec<ResultRow<'a>>,
        recorded: bool,
    },
    Host {
        secret: String,
    },
    Whereabouts {
        places: &'a [(PlayerId, i32, i32)],
    },
}

/// A line of a result.
#[derive(Serialize)]
struct ResultRow<'a> {
    place: u16,
    player: PlayerId,
    score: i32,
    figures: &'a [i32],
}

/// One piece of news of `G` as a JSON object; `None` for what is not for the page.
pub fn to_json<G: Game>(news: &News<G::Event>) -> Option<String> {
    let told = match news {
        // What has no spelling in JSON is shown as it is for debugging.
        News::Event { event, .. } => NewsLine::Event {
            event: serde_json::to_value(event).unwrap_or_else(|_| format!("{event:?}").into()),
        },
        News::Said(said) => told::<G>(said)?,
    };
    Some(serde_json::to_string(&told).expect("numbers and text have a spelling in JSON"))
}

fn told<G: Game>(said: &ServerMessage) -> Option<NewsLine<'_>> {
    Some(match said {
        ServerMessage::Welcome { player, name, .. } => NewsLine::Welcome { player: *player, name },
        ServerMessage::Roster { everybody, joined, left } => {
            NewsLine::Roster { everybody: *everybody, joined, left }
        }
        ServerMessage::Standings { best, rank, score, players, teams } => {
            NewsLine::Standings { best, rank: *rank, score: *score, players: *players, teams }
        }
        ServerMessage::Chat { from, team, text } => {
            NewsLine::Chat { from: *from, team: *team, text }
        }
        ServerMessage::History { lines } => NewsLine::History { lines },
        ServerMessage::Emote { from, emote } => NewsLine::Emote { from: *from, emote: *emote },
        ServerMessage::About { name, public, locked, switch_teams, delay_s } => NewsLine::About {
            name,
            public: *public,
            locked: *locked,
            switch_teams: *switch_teams,
            delay_s: *delay_s,
        },
        ServerMessage::Phase { phase, round, ends } => {
            NewsLine::Phase { phase: *phase, round: *round, ends: *ends }
        }
        ServerMessage::Begin { .. } => NewsLine::Begin,
        ServerMessage::Results { round, teams, lines, recorded } => {
            let lines = lines.iter().map(line).collect();
            let (figures, recorded) = (G::FIGURES, *recorded);
            NewsLine::Results { round: *round, teams, figures, lines, recorded }
        }
        ServerMessage::Host { secret } => NewsLine::Host { secret: secret.to_hex() },
        ServerMessage::Whereabouts { places } => NewsLine::Whereabouts { places },
        ServerMessage::Event { .. }
        | ServerMessage::Pong { .. }
        | ServerMessage::Dropped { .. } => return None,
    })
}

fn line(line: &ResultLine) -> ResultRow<'_> {
    let &ResultLine { place, player, score, ref figures } = line;
    ResultRow { place, player, score, figures }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::arena::{Arena, ArenaEvent};
    use shared::wire::HostSecret;

    #[test]
    fn news_are_spelled_as_the_page_reads_them() {
        let said = |said| to_json::<Arena>(&News::Said(said)).expect("it is for the page");
        let chat = ServerMessage::Chat { from: None, team: true, text: "\"<b>\u{1}ä".into() };
        let text = r#"{"type":"chat","from":null,"team":true,"text":"\"<b>\u0001ä"}"#;
        assert_eq!(said(chat), text);
        let event = ArenaEvent::Kill { killer: Some(PlayerId(2)), victim: PlayerId(9), streak: 3 };
        let text = r#"{"type":"event","event":{"Kill":{"killer":2,"streak":3,"victim":9}}}"#;
        assert_eq!(to_json::<Arena>(&News::Event { tick: 1, event }).as_deref(), Some(text));
        let (player, name) = (PlayerId(7), "Ann".to_owned());
        let (computer, watching, host, muted) = (false, false, true, false);
        let entry = RosterEntry { player, name, computer, team: 2, watching, host, muted };
        let (joined, left) = (vec![entry], vec![PlayerId(3)]);
        assert_eq!(
            said(ServerMessage::Roster { everybody: true, joined, left }),
            r#"{"type":"roster","everybody":true,"joined":[{"player":7,"name":"Ann","computer":false,"team":2,"watching":false,"host":true,"muted":false}],"left":[3]}"#
        );
        let (best, teams) = (vec![(PlayerId(7), 120)], vec![1, 2]);
        let standings = ServerMessage::Standings { best, rank: 4, score: -5, players: 12, teams };
        let text = r#"{"type":"standings","best":[[7,120]],"rank":4,"score":-5,"players":12,"teams":[1,2]}"#;
        assert_eq!(said(standings), text);
        let phase = ServerMessage::Phase { phase: Phase::WarmUp, round: 0, ends: None };
        assert_eq!(said(phase), r#"{"type":"phase","phase":"warm_up","round":0,"ends":null}"#);
        let host = ServerMessage::Host { secret: HostSecret([0xab; 16]) };
        assert_eq!(said(host), format!(r#"{{"type":"host","secret":"{}"}}"#, "ab".repeat(16)));
        let line = ResultLine { place: 1, player, score: 9, figures: vec![1, 2, 3, 4, 5] };
        let (round, teams, lines, recorded) = (1, Vec::new(), vec![line], true);
        let text = r#"{"type":"results","round":1,"teams":[],"figures":["kills","deaths","shots","hits","best_streak"],"lines":[{"place":1,"player":7,"score":9,"figures":[1,2,3,4,5]}],"recorded":true}"#;
        assert_eq!(said(ServerMessage::Results { round, teams, lines, recorded }), text);
        let places = vec![(player, -120, 900)];
        let text = r#"{"type":"whereabouts","places":[[7,-120,900]]}"#;
        assert_eq!(said(ServerMessage::Whereabouts { places }), text);
        assert_eq!(said(ServerMessage::Begin { setup: Vec::new() }), r#"{"type":"begin"}"#);
        assert_eq!(
            to_json::<Arena>(&News::Said(ServerMessage::Pong { nonce: 1, waited_us: 0 })),
            None
        );
    }
}
