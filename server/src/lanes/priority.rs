//! Who goes first where there are more threads than cores: lanes. A request that is answered a few milliseconds later hurts
//! nobody, a tick that begins as late is felt by all players of its session.

/// How much nicer threads are that are no lanes, in the steps of `nice`: a lane that has something to do has the core.
#[cfg(target_os = "linux")]
const NICER: i32 = 10;
/// The nicest that there is.
#[cfg(target_os = "linux")]
const NICEST: i32 = 19;

/// From now on the calling thread, and those that it starts, let lanes go first. Only Linux knows priorities of single
/// threads; elsewhere this does nothing.
pub fn give_way() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};
        let thread = Some(rustix::thread::gettid());
        // A system that forbids it leaves all threads as they were.
        let nicer = getpriority_process(thread).map(|now| (now + NICER).min(NICEST));
        if let Err(error) = nicer.and_then(|nicer| setpriority_process(thread, nicer)) {
            tracing::debug!(%error, "all threads have the same priority");
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_gives_way_by_itself_alone() {
        use rustix::process::getpriority_process;
        let own = || getpriority_process(Some(rustix::thread::gettid())).unwrap();
        let before = own();
        let after = std::thread::spawn(move || {
            give_way();
            own()
        });
        assert_eq!(after.join().unwrap(), (before + NICER).min(NICEST));
        assert_eq!(own(), before);
    }
}
