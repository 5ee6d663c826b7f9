//! The systems that Weft joins.
//!
//! A connector knows one remote system and no flow: its manifest says what the system offers,
//! its session does it, its simulator stands in for it. Checker, documentation and the
//! conformance suite read manifests; only the engine calls sessions.

pub mod accountview;
pub mod ccv_salespos;
pub mod check;
pub mod contract;
pub mod eaccounting;
pub mod files;
pub mod http;
pub mod manifest;
pub mod mpluskassa;
pub mod profile;
pub mod record;
pub mod sign_in;
pub mod simulator;
pub mod softmaat;
pub mod teamleader;
mod told;
pub mod webhook;

use std::sync::Arc;

use contract::Connector;
use simulator::Simulator;

/// The one list of connectors.
#[must_use]
pub fn all() -> Vec<Arc<dyn Connector>> {
    let mut all: Vec<Arc<dyn Connector>> = vec![
        Arc::new(accountview::AccountView),
        Arc::new(ccv_salespos::CcvSalespos),
        Arc::new(eaccounting::EAccounting),
        Arc::new(mpluskassa::MplusKassa),
        Arc::new(teamleader::Teamleader),
    ];
    // Its manifest is part of the program, and a test reads it.
    all.extend(softmaat::system().ok().map(|softmaat| Arc::new(softmaat) as Arc<dyn Connector>));
    all.extend(files::Files::system().ok().map(|files| Arc::new(files) as Arc<dyn Connector>));
    all
}

/// An empty simulator of the system of that name, where there is one.
#[must_use]
pub fn simulator(system: &str) -> Option<Arc<dyn Simulator>> {
    match system {
        "accountview" => Some(Arc::new(accountview::simulator::AccountViewSimulator::new())),
        "ccv_salespos" => Some(Arc::new(ccv_salespos::simulator::CcvShop::default())),
        "eaccounting" => Some(Arc::new(eaccounting::simulator::Company::default())),
        "mpluskassa" => Some(Arc::new(mpluskassa::simulator::TillSimulator::new())),
        "softmaat" => Some(Arc::new(softmaat::simulator::SoftmaatSimulator::new())),
        "teamleader" => Some(Arc::new(teamleader::simulator::Office::default())),
        _ => None,
    }
}
