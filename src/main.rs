//! The `proxpanel` command: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before any thread: the allocator is told to keep small.
    proxpanel::allocator::tune();
    proxpanel::cli::run()
}
