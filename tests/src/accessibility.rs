//! axe-core, the accessibility checker, on a page as it is now: labels, roles, contrast, focus.

use crate::browser::Page;
use serde_json::Value;
use std::path::Path;

/// Where `tests/run` puts the checker.
const AXE: &str = "../target/tools/node/node_modules/axe-core/axe.min.js";

/// What the checker calls serious or critical in what `selector` finds, once nothing fades in any more.
pub async fn serious(page: &Page, selector: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(AXE);
    let axe = std::fs::read_to_string(file);
    let axe = axe.expect("axe-core is there; tests/run --prepare installs it");
    page.client.execute(&axe, vec![]).await.expect("the checker loads");
    let script = format!(
        "const done = arguments[arguments.length - 1];
         const ends = (one) => one.effect.getComputedTiming().iterations !== Infinity;
         Promise.all(document.getAnimations().filter(ends).map((one) => one.finished.catch(() => {{}})))
             .then(() => axe.run('{selector}', {{ resultTypes: ['violations'] }}))
             .then(({{ violations }}) => done(violations
                 .filter(({{ impact }}) => ['serious', 'critical'].includes(impact))
                 .flatMap(({{ id, nodes }}) => nodes.map((node) => `${{id}}: ${{node.target.join(' ')}}: ${{node.failureSummary}}`))));"
    );
    let found = page.client.execute_async(&script, vec![]).await.expect("it finds something");
    let Value::Array(found) = found else { panic!("a list is expected, not {found}") };
    found.iter().map(|found| found.as_str().unwrap_or_default().to_owned()).collect()
}
