//! The terrain of a session that one is not in, for the operator's map.

use shared::arena::Arena;
use shared::game::{Game, Setup};
use shared::wire::message;
use wasm_bindgen::prelude::wasm_bindgen;

/// The terrain that follows from a session's setup, as the server encodes it: half of the square arena's side, then
/// three numbers for each rock, place and radius, all in units. Empty for bytes that are no setup of this game.
#[wasm_bindgen(js_name = terrainOf)]
pub fn terrain_of(setup: &[u8]) -> Vec<f32> {
    let rules = message::decode::<Setup<<Arena as Game>::Settings>>(setup).ok();
    let Some(rules) = rules.and_then(|setup| Arena::rules(&setup).ok()) else { return Vec::new() };
    let rocks = rules.rocks.all().iter();
    let rocks = rocks.flat_map(|rock| [rock.at.x, rock.at.y, rock.radius]);
    core::iter::once(rules.half).chain(rocks).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::arena::Settings;

    #[test]
    fn a_setup_has_its_rocks_and_nonsense_has_none() {
        let setup = Setup::new(Settings::default(), 7, 30);
        let terrain = terrain_of(&message::encode(&setup));
        assert!(terrain.len() > 30 && terrain.len() % 3 == 1);
        assert!(
            terrain[1..].chunks_exact(3).all(|rock| rock[0].abs() < terrain[0] && rock[2] > 0.0)
        );
        assert_eq!(terrain_of(&[1, 2, 3]), Vec::<f32>::new());
    }
}
