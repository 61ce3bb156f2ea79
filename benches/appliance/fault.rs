//! Why a measurement could not be made.

/// Any fault ends the run with its text: a figure that cannot be trusted is not printed.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;
