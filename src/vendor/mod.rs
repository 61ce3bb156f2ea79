//! The vendor's side.
