//! News as JSON. Comes in: what netcode's client has to tell. Goes out: one object per piece, its kind
//! in `type`:
//!
//! ```text
//! {"type":"welcome","player":7,"name":"Ann"}
//! {"type":"roster","everybody":true,"joined":[{"player":7,"name":"Ann","computer":false}],"left":[3]}
//! {"type":"standings","best":[[7,120]],"rank":1,"score":120,"players":12}
//! {"type":"chat","from":7,"text":"hi"}             from is null when the server speaks
//! {"type":"kill","killer":7,"victim":3,"streak":2} killer is null when it was nobody
//! ```

use serde::Serialize;
use shared::arena::ArenaEvent;
use shared::game::PlayerId;
use shared::netcode::client::News;
use shared::wire::message::RosterEntry;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Told<'a> {
    Welcome { player: PlayerId, name: &'a str },
    Roster { everybody: bool, joined: &'a [RosterEntry], left: &'a [PlayerId] },
    Standings { best: &'a [(PlayerId, i32)], rank: u16, score: i32, players: u16 },
    Chat { from: Option<PlayerId>, text: &'a str },
    Kill { killer: Option<PlayerId>, victim: PlayerId, streak: u16 },
}

/// One piece of news as a JSON object.
pub(crate) fn to_json(news: &News<ArenaEvent>) -> String {
    let told = match news {
        News::Welcome { player, name } => Told::Welcome { player: *player, name },
        News::Roster { everybody, joined, left } => {
            Told::Roster { everybody: *everybody, joined, left }
        }
        News::Standings { best, rank, score, players } => {
            Told::Standings { best, rank: *rank, score: *score, players: *players }
        }
        News::Chat { from, text } => Told::Chat { from: *from, text },
        News::Event { event: ArenaEvent::Kill { killer, victim, streak }, .. } => {
            Told::Kill { killer: *killer, victim: *victim, streak: *streak }
        }
    };
    serde_json::to_string(&told).expect("numbers and text have a spelling in JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_spelled_as_the_page_reads_them() {
        let chat = News::Chat { from: None, text: "\"<b>\u{1}ä".into() };
        let text = r#"{"type":"chat","from":null,"text":"\"<b>\u0001ä"}"#;
        assert_eq!(to_json(&chat), text);
        let event = ArenaEvent::Kill { killer: Some(PlayerId(2)), victim: PlayerId(9), streak: 3 };
        let text = r#"{"type":"kill","killer":2,"victim":9,"streak":3}"#;
        assert_eq!(to_json(&News::Event { tick: 1, event }), text);
        let entry = RosterEntry { player: PlayerId(7), name: "Ann".into(), computer: false };
        let roster = News::Roster { everybody: true, joined: vec![entry], left: vec![PlayerId(3)] };
        assert_eq!(
            to_json(&roster),
            r#"{"type":"roster","everybody":true,"joined":[{"player":7,"name":"Ann","computer":false}],"left":[3]}"#
        );
        let best = vec![(PlayerId(7), 120)];
        let standings = News::Standings { best, rank: 4, score: -5, players: 12 };
        let text = r#"{"type":"standings","best":[[7,120]],"rank":4,"score":-5,"players":12}"#;
        assert_eq!(to_json(&standings), text);
    }
}
