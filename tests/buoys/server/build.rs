//! Puts the page into the server.

use page::Page;

fn main() {
    page::embed(&Page { sources: &["../src", "../Cargo.toml"], ..page::plain("buoys") });
}
