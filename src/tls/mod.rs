//! TLS: whom we trust. A leaf: it knows certificates, not what is said over them.

pub mod trust;
