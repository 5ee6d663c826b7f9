//! What runs when.
