//! The build's bundler: what it understands, and that it stops at everything else.

use page::bundle::{self, Files};

fn files(list: &[(&str, &str)]) -> Files {
    list.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

#[test]
fn modules_become_functions_after_those_that_they_import() {
    let mut all = files(&[
        (
            "main.js",
            "import init, { A } from './wasm.js';\nimport { one as first } from './deep/a.js';\nfirst(init, A);",
        ),
        (
            "deep/a.js",
            "import { two } from '../b.js';\nexport const one = () => two();\nconst own = 1;",
        ),
        ("b.js", "export function two() { return 2; }\nexport class C {}"),
        ("wasm.js", "stays"),
    ]);
    bundle::scripts(&mut all, &[("main.js", &["wasm.js"])]).expect("plain modules");
    assert_eq!(all.keys().collect::<Vec<_>>(), ["main.js", "wasm.js"]);
    let script = String::from_utf8(all["main.js"].clone()).expect("text");
    let expected = "import init, { A } from './wasm.js';\n\
        const $b = (() => {\nfunction two() { return 2; }\nclass C {}\nreturn { two, C };\n})();\n\
        const $deep_a = (() => {\nconst { two } = $b;\nconst one = () => two();\nconst own = 1;\nreturn { one };\n})();\n\
        const $main = (() => {\n\nconst { one: first } = $deep_a;\nfirst(init, A);\nreturn {  };\n})();\n";
    assert_eq!(script, expected);
}

#[test]
fn what_is_not_understood_stops_the_build_and_says_where() {
    let wrong = |text: &str| {
        let mut all = files(&[("main.js", text), ("b.js", "import { x } from './main.js';")]);
        format!("{:#}", bundle::scripts(&mut all, &[("main.js", &[])]).expect_err(text))
    };
    for text in [
        "export let changes = 1;",
        "export default 1;",
        "export { a };",
        "export const { a } = b;",
        "import {\n",
        "import './b.js';",
        "import * as b from './b.js';",
        "import { x } from './missing.js';",
        "import { x } from 'elsewhere';",
        "import { x } from './b.js';",
    ] {
        assert!(wrong(text).contains("main.js"), "{text}");
    }
}

#[test]
fn style_sheets_stand_where_they_were_imported() {
    let mut all = files(&[
        ("page.css", "@import './a.css';\nb {}"),
        ("a.css", "a {}\n"),
        ("deep/page.css", "@import '../a.css';\n@import './c.css';"),
        ("deep/c.css", "c {}\n"),
    ]);
    bundle::styles(&mut all, &["page.css", "deep/page.css"]).expect("plain styles");
    assert_eq!(all, files(&[("page.css", "a {}\nb {}\n"), ("deep/page.css", "a {}\nc {}\n")]));
}

#[test]
fn two_pages_share_modules_and_nothing_else() {
    let mut all = files(&[
        ("main.js", "import { a } from './a.js';\na();"),
        ("a.js", "export const a = () => 1;"),
        ("deep/main.js", "import { a } from '../a.js';\nimport { b } from './b.js';\na(b);"),
        ("deep/b.js", "export const b = 2;"),
    ]);
    bundle::scripts(&mut all, &[("main.js", &[]), ("deep/main.js", &[])]).expect("plain modules");
    assert_eq!(all.keys().collect::<Vec<_>>(), ["deep/main.js", "main.js"]);
    let text = |path: &str| String::from_utf8(all[path].clone()).expect("text");
    assert!(text("main.js").contains("$a") && !text("main.js").contains("$deep_b"));
    assert!(text("deep/main.js").contains("$a") && text("deep/main.js").contains("$deep_b"));
}
