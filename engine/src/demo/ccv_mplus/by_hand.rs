//! Orders of the shop that somebody has typed into the till already.

use connectors::ccv_salespos::simulator::CcvShop;
use connectors::mpluskassa::simulator::TillSimulator;
use connectors::record::{Record, Value};
use connectors::simulator::Simulator;
use serde_json::json;

use crate::demo::stage::list;

/// Somebody typed a few orders into the till by hand before the flow was there.
pub(super) fn enter(shop: &CcvShop, till: &TillSimulator) {
    let books = Simulator::books(shop);
    let Some(relation) = till.add_relations([relation()]).pop() else { return };
    let orders = list(&books, "orders");
    let paid = orders.iter().filter(|order| order["paid"] == json!(true) && order["status"] == json!(1));
    for order in paid.step_by(97).take(3) {
        let Some(number) = order["ordernumber_full"].as_str() else { continue };
        let mut line = Record::new();
        line.set("article_number", "100000");
        line.set("quantity", 1);
        let mut booked = Record::new();
        booked.set("ext_order_id", number);
        booked.set("employee_number", "999999");
        booked.set("relation_number", relation.as_str());
        booked.set("lines", vec![Value::Map(line)]);
        if let Err(reason) = till.place_order(booked) {
            tracing::warn!(number, reason, "the stand-in refused an order entered by hand");
        }
    }
}

fn relation() -> Record {
    let mut relation = Record::new();
    relation.set("name", "Balie");
    relation.set("email", "balie@voorbeeld.example");
    relation
}
