//! When bytes came, as the kernel noted it (`SO_TIMESTAMPNS`, socket(7)): of those that are read together, the newest.
//! Linux alone does that for TCP; elsewhere, and on Unix sockets, nobody knows.

#[cfg(target_os = "linux")]
pub(super) use linux::{ask_for, read};
#[cfg(not(target_os = "linux"))]
pub(super) use others::{ask_for, read};

#[cfg(target_os = "linux")]
mod linux {
    use crate::lanes::Stamp;
    use nix::cmsg_space;
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
    use nix::sys::time::TimeSpec;
    use std::cell::RefCell;
    use std::io::{self, IoSliceMut};
    use std::net::TcpStream;
    use std::os::fd::AsRawFd;
    use tokio::time::Duration;

    thread_local! {
        /// Where the kernel writes the time: one for all connections of a thread.
        static NOTES: RefCell<Vec<u8>> = RefCell::new(cmsg_space!(TimeSpec));
    }

    /// From now on the kernel notes when bytes come; whether it does.
    pub(in crate::net) fn ask_for(socket: &TcpStream) -> bool {
        setsockopt(socket, sockopt::ReceiveTimestampns, &true).is_ok()
    }

    /// Reads what has come, and when that was, if it was noted.
    pub(in crate::net) fn read(
        socket: &TcpStream,
        buffer: &mut [u8],
    ) -> io::Result<(usize, Option<Stamp>)> {
        NOTES.with_borrow_mut(|notes| {
            let (mut parts, flags) = ([IoSliceMut::new(buffer)], MsgFlags::empty());
            let read = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(notes), flags)?;
            // The bytes have been read, whatever became of the note.
            let mut notes = read.cmsgs().into_iter().flatten();
            let time = notes.find_map(|note| match note {
                ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
                _ => None,
            });
            Ok((read.bytes, time))
        })
    }
}

#[cfg(not(target_os = "linux"))]
mod others {
    use crate::lanes::Stamp;
    use std::io::{self, Read};
    use std::net::TcpStream;

    /// Nobody notes anything.
    pub(in crate::net) fn ask_for(_: &TcpStream) -> bool {
        false
    }

    /// Reads what has come.
    pub(in crate::net) fn read(
        mut socket: &TcpStream,
        buffer: &mut [u8],
    ) -> io::Result<(usize, Option<Stamp>)> {
        Ok((socket.read(buffer)?, None))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::lanes::Moment;
    use std::io::Write;
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use tokio::time::{Duration, Instant};

    #[test]
    fn what_is_read_late_came_when_it_was_written() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (ours, _) = listener.accept().unwrap();
        assert!(ask_for(&ours));
        ours.set_nonblocking(true).unwrap();
        let mut buffer = [0; 64];
        assert_eq!(read(&ours, &mut buffer).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        // The kernel may begin to note times only a little after it was asked for the first time.
        let began = Instant::now();
        loop {
            let before = Instant::now();
            peer.write_all(b"input").unwrap();
            let after = Instant::now();
            // What is tested is that this wait, however long it becomes, is not in the time.
            std::thread::sleep(Duration::from_millis(30));
            let (bytes, stamp) = read(&ours, &mut buffer).unwrap();
            assert_eq!(&buffer[..bytes], b"input");
            if stamp.is_some() {
                let (came, clocks) = (Moment::now().of_arrival(stamp), Duration::from_millis(1));
                assert!((before - clocks..=after + clocks).contains(&came));
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "the kernel notes nothing");
        }
    }
}
