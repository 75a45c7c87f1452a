//! Panics. Comes in: one, of the rules or of the engine. Goes out: what it says, as an error of the page that nobody caught:
//! browsers write it to the console with the calls that led there, and `www/tell.js` remembers it. The trap that follows
//! says no more than "unreachable"; what the page does about it is in `www/broken.js`.

use std::panic;
use std::sync::Once;
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = reportError)]
    fn report_error(error: &JsValue);
}

/// From now on the page is told, if this runs in one.
pub fn tell() {
    static ONCE: Once = Once::new();
    if cfg!(target_arch = "wasm32") {
        ONCE.call_once(|| {
            panic::set_hook(Box::new(|panic| {
                report_error(&JsError::new(&panic.to_string()).into());
            }));
        });
    }
}
