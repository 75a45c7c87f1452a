//! How finely is drawn on a dense screen, in a real Chromium: as finely as it can be, unless fewer pixels make it faster.

use tests::browser::Driver;
use tests::host::Host;

/// From now on the display shows eight pictures a second, however little there is to paint.
const SLOW: &str = "
    const ask = globalThis.requestAnimationFrame;
    globalThis.requestAnimationFrame = (draw) => setTimeout(() => ask(draw), 125);
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_display_that_is_slow_by_itself_stays_sharp() {
    let host = Host::start(1800, 0);
    let driver = Driver::start();
    let phone = driver.open(390, 844, true).await;
    phone.goto(&format!("http://{}/", host.address)).await;
    phone.until("gamekeeper.state === 'start'").await;
    phone.client.execute(SLOW, vec![]).await.expect("it is slow");
    // Fewer pixels are tried, and taken back.
    let width = "document.getElementById('arena').width";
    phone.until(&format!("{width} < 2 * innerWidth")).await;
    phone.until(&format!("{width} === 2 * innerWidth")).await;
    phone.close().await;
    host.stop().await;
}
