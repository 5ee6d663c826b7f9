//! Files as a system.
