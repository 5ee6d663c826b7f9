//! `weft lsp`: what editors ask about flows, over the Language Server Protocol on a pair of
//! streams.
//!
//! One message after the other, in the order in which they come; problems are told when nothing
//! else waits. Nothing here writes a file or talks to a system. Whatever a client sends, the
//! server answers or passes over it, and goes on.

mod actions;
mod completion;
mod definition;
mod diagnostics;
mod elsewhere;
mod folding;
mod hover;
mod names;
mod place;
mod rename;
mod semantic;
mod server;
mod view;
mod wire;
mod world;

pub(crate) use server::serve;
