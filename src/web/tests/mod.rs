//! The panel through its real router: what holds for all pages, and the pages around sign-in.

mod signing_in;
