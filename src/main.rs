//! The `proxpanel` command.
fn main() {}
