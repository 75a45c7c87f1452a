//! QR codes for invitations. Comes in: a text. Goes out: which modules are dark.

use qrcodegen::{QrCode, QrCodeEcc};
use wasm_bindgen::prelude::wasm_bindgen;

/// The modules of a text's QR code, row by row from the top left, 1 for dark: a square, so the side is the
/// root of the length. Without the light margin that readers need. Empty where the text is too long.
#[wasm_bindgen]
pub fn qr(text: &str) -> Vec<u8> {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else { return Vec::new() };
    let side = code.size();
    (0..side)
        .flat_map(|y| (0..side).map(move |x| (x, y)))
        .map(|(x, y)| u8::from(code.get_module(x, y)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_becomes_a_square_with_its_three_eyes() {
        let modules = qr("https://play.example.org/s/K7Q2M9XA");
        let side = modules.len().isqrt();
        assert_eq!(side * side, modules.len());
        assert_eq!(side % 4, 1, "versions grow by four modules");
        let dark = |x: usize, y: usize| modules[y * side + x] == 1;
        for (x, y) in [(0, 0), (side - 7, 0), (0, side - 7)] {
            let ring = (0..7).all(|i| {
                dark(x + i, y) && dark(x, y + i) && dark(x + i, y + 6) && dark(x + 6, y + i)
            });
            assert!(ring && !dark(x + 1, y + 1) && dark(x + 3, y + 3), "an eye at {x}, {y}");
        }
        assert!(
            !dark(side - 1, side - 1) || !dark(side - 2, side - 2),
            "there is none in the fourth corner"
        );
    }

    #[test]
    fn what_does_not_fit_is_no_code() {
        assert!(qr(&"x".repeat(5000)).is_empty());
    }
}
