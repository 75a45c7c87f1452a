//! What is asked of a session. Comes in: something to tell it that wants an answer. Goes out: the answer, which the
//! session gives at its next tick, or a problem when there is none in time.

use super::api::problem::Problem;
use crate::directory::{SessionHandle, Told};
use crate::session::acts::{Act, Order};
use crate::session::door::ToSession;
use tokio::sync::oneshot;
use tokio::time::{Duration, timeout};

/// For how long a session is awaited, with its place in the queue. Whoever asks is told to try again then; what was asked
/// for may still be done.
pub(super) const ANSWER_WAIT: Duration = Duration::from_secs(2);

/// Tells a session what `told` makes of the way back for its answer.
pub(super) async fn ask_session<T: Send + 'static>(
    session: &SessionHandle,
    told: impl FnOnce(Box<dyn FnOnce(T) + Send>) -> Told,
) -> Result<T, Problem> {
    let (answer, waiting) = oneshot::channel();
    // Nobody waits any more when it took too long, or the peer went away.
    let told = told(Box::new(|found| drop(answer.send(found))));
    let asked = timeout(ANSWER_WAIT, async {
        session.tell(told).await.ok()?;
        waiting.await.ok()
    });
    match asked.await {
        Ok(answer) => answer.ok_or_else(Problem::no_session),
        Err(_) => Err(Problem::busy("The session does not answer; try again.", ANSWER_WAIT)),
    }
}

/// Has a session do something. `done` is called once it is, from the session's loop, though nobody waits any more.
pub(super) async fn order_session(
    session: &SessionHandle,
    order: Order,
    done: impl FnOnce() + Send + 'static,
) -> Result<(), Problem> {
    let outcome = ask_session(session, |answer| {
        let answer = Box::new(move |outcome: Result<(), _>| {
            if outcome.is_ok() {
                done();
            }
            answer(outcome);
        });
        ToSession::Act(Act { order, answer })
    });
    Ok(outcome.await??)
}
