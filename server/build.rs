//! Puts the arena's page and the operator's into the binary.

fn main() {
    page::embed(&page::ARENA);
}
