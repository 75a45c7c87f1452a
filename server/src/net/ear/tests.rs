use super::*;
use crate::lanes::{Lanes, Watched};
use crate::net::limits::SESSION_QUEUE_MAX;
use crate::net::line::Line;
use crate::net::outbox::ConnectionOutbox;
use crate::session::door::Outbox;
use crate::tick_loop::Queued;
use futures_util::FutureExt;
use futures_util::future::poll_fn;
use shared::wire::field::Field;
use shared::wire::input::InputMessage;
use shared::wire::{Protocol, message};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::LazyLock;
use std::task::Poll;
use tokio::sync::mpsc;

pub(in crate::net) const PROTOCOL: Protocol =
    Protocol { name: "pipe", kinds: &[], input: INPUT, hash: 7 };
pub(in crate::net) const INPUT: &[Field] = &[Field::count("a", 16), Field::count("b", 4)];

/// Somebody who hears inputs, and what was heard.
pub(in crate::net) fn hearer() -> (Hearer, mpsc::Receiver<Queued<ConnectionOutbox>>) {
    static LANES: LazyLock<Lanes> = LazyLock::new(|| Lanes::start(1));
    let (queue, told) = mpsc::channel(SESSION_QUEUE_MAX);
    let session = SessionHandle {
        lane: Arc::clone(LANES.place(1).lane()),
        sockets: Arc::default(),
        queue,
        protocol: PROTOCOL,
        // Nobody is stopped for how much is said.
        tick_rate: u16::MAX,
        ending: Arc::default(),
    };
    (Hearer { session: Arc::new(session), id: ConnectionId(1) }, told)
}

/// What a client sends in one go, masked with zeros.
fn sent(messages: &[Said]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for said in messages {
        let message = match said {
            Said::Input(_) => said.write(&PROTOCOL),
            Said::Control(control) => message::encode_control(control),
        };
        bytes.extend([0x82, 0x80 | message.len() as u8, 0, 0, 0, 0]);
        bytes.extend(message);
    }
    bytes
}

fn input() -> Said {
    Said::Input(InputMessage::new(7, 0, &[0; 2]))
}

fn ping(nonce: u32) -> Said {
    Said::Control(ClientMessage::Ping { nonce })
}

/// The frames that came, each a message of less than 126 bytes.
fn frames(peer: &mut UnixStream) -> Vec<Vec<u8>> {
    let mut bytes = [0; 1024];
    let read = match peer.read(&mut bytes) {
        Ok(read) => read,
        Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
        Err(error) => panic!("{error}"),
    };
    let (mut rest, mut frames) = (&bytes[..read], Vec::new());
    while let [_, length, others @ ..] = rest {
        let (frame, others) = others.split_at(usize::from(*length));
        frames.push(frame.to_vec());
        rest = others;
    }
    frames
}

fn nonce_of(frame: &[u8]) -> Option<u32> {
    match message::decode(frame.get(1..)?) {
        Ok(ServerMessage::Pong { nonce, .. }) => Some(nonce),
        _ => None,
    }
}

#[tokio::test]
async fn a_ping_is_answered_with_what_is_said_next_and_without_the_task() {
    let (ours, mut peer) = UnixStream::pair().unwrap();
    peer.set_nonblocking(true).unwrap();
    ours.set_nonblocking(true).unwrap();
    let line = Line::new(Socket::Unix(ours), None, (&[], Level::FULL), Arc::default());
    let line = Arc::new(line);
    let (hearer, mut queue) = hearer();
    line.is_for(hearer);
    let mut outbox = ConnectionOutbox::new(Arc::clone(&line));
    // The task is told of the first thing that is said.
    assert!(outbox.push([&b"welcome"[..]].into_iter()));
    poll_fn(|cx| {
        line.listen(cx);
        Poll::Ready(())
    })
    .await;
    assert_eq!(frames(&mut peer), [b"welcome"]);

    peer.write_all(&sent(&[input(), ping(5), input()])).unwrap();
    assert!(!line.turn(Moment::now()), "the task sleeps on");
    assert!(queue.try_recv().is_ok() && queue.try_recv().is_ok(), "two inputs");
    assert_eq!(frames(&mut peer), [[0; 0]; 0], "one write is enough");
    assert!(outbox.push([&b"frame"[..]].into_iter()));
    let came = frames(&mut peer);
    assert_eq!((came[0].as_slice(), nonce_of(&came[1]), came.len()), (&b"frame"[..], Some(5), 2));

    // Where nothing is said it goes with the next turn.
    peer.write_all(&sent(&[ping(6)])).unwrap();
    assert!(!line.turn(Moment::now()));
    assert!(!line.turn(Moment::now()));
    assert_eq!(
        frames(&mut peer).iter().map(|frame| nonce_of(frame)).collect::<Vec<_>>(),
        [Some(6)]
    );

    // Two at once are one too many: the task answers the second.
    peer.write_all(&sent(&[ping(7), ping(8)])).unwrap();
    assert!(line.turn(Moment::now()), "the task is woken");
    assert_eq!(line.lock().ear.inbox, sent(&[ping(8)]));
    assert!(queue.try_recv().is_err() && queue.recv().now_or_never().is_none());
}
