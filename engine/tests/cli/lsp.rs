//! `weft lsp`, driven as an editor drives it: through the protocol, message by message.

mod client;

use std::fmt::Write as _;
use std::time::Instant;

use client::{Client, marked, uri};
use serde_json::{Value, json};

use super::town::Folder;

/// A flow with something of everything; `§` marks places.
const FLOW: &str = "flow \"Bestellingen é 😀\"
source shop: ccv_salespos
target till: mpluskassa
use \"scripts/street.rhai\" as street
setting prefix: text = \"WEB-\"
    ask \"What do numbers start with?\"
table country: text -> \"Nederland\" | \"België\"
    \"NL\" -> \"Nederland\"
    otherwise \"België\"

fetch order from shop.orders
map number with settings.prefix + order.number
each line in order.lines ?? [] {
    fail `é ${number}` if line.quantity > 0 && is_blank(line.sku)
}
map dear with (order.lines ?? []).filter(|line| line.quantity > 1)
upsert debtor in till.relations by email {
    email   = to_lower(order.customer.email)
    name    = street::whole(order.customer.full_name)
    country = country[order.billing.country] on create
}
notify `${debtor.relation_number}: ${dear.len()}`
";

const SCRIPT: &str = "/// The text, trimmed.\nfn whole(text) { trim(text) }\n";

fn project() -> Folder {
    let folder = Folder::new();
    folder
        .put("weft.toml", "[flows.orders]\nfile = \"flows/orders.flow\"\n")
        .put("flows/orders.flow", FLOW)
        .put("scripts/street.rhai", SCRIPT);
    folder
}

/// The flow with one line in the place of another.
fn with(line: &str, instead: &str) -> String {
    assert!(FLOW.contains(line), "{line}");
    FLOW.replacen(line, instead, 1)
}

#[test]
fn a_conversation_begins_and_ends_and_survives_nonsense() {
    let folder = project();
    let mut client = Client::start(&folder);
    assert_eq!(client.ask("textDocument/hover", json!({}))["error"]["code"], -32002);
    client.hello(&folder);
    client.raw(b"Content-Length: 5\r\n\r\n{no}!");
    assert_eq!(client.next()["error"]["code"], -32700);
    client.raw(b"nonsense\r\n\r\nContent-Length: many\r\n\r\nContent-Type: x\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(client.ask("weft/nothing", json!({}))["error"]["code"], -32601);
    client.tell("$/cancelRequest", json!({ "id": 1 }));
    client.tell("textDocument/didChange", json!({ "contentChanges": 7 }));
    client.tell("textDocument/didOpen", json!([1, 2]));
    for params in [
        json!(null),
        json!([]),
        json!({ "textDocument": { "uri": "file:///none.flow" }, "position": { "line": -1 } }),
    ] {
        for method in
            ["completion", "hover", "definition", "references", "rename", "codeAction", "foldingRange"]
        {
            let answer = client.ask(&format!("textDocument/{method}"), params.clone());
            assert!(answer.get("error").is_none() && answer["result"].is_null(), "{method}: {answer}");
        }
    }
    assert!(client.ask("shutdown", json!(null))["result"].is_null());
    assert_eq!(client.ask("textDocument/hover", json!({}))["error"]["code"], -32600);
    client.tell("exit", json!(null));
    assert_eq!(client.end(), Some(0));
    let mut client = Client::start(&folder);
    client.hello(&folder);
    assert_eq!(client.end(), Some(1), "gone without a word");
}

#[test]
fn problems_are_told_while_somebody_types() {
    let folder = project();
    let mut client = Client::start(&folder);
    client.hello(&folder);
    client.open(&folder, "flows/orders.flow", FLOW);
    assert_eq!(client.problems(), json!([]));
    let broken = with("settings.prefix", "settings.perfix");
    client.change(&folder, "flows/orders.flow", &broken);
    let problems = client.problems();
    assert_eq!(problems[0]["code"], "F026", "{problems}");
    assert_eq!(problems[0]["range"]["start"], json!({ "line": 11, "character": 25 }), "{problems}");
    // Letters behind others of two and four bytes.
    let place = |from: u32, to: u32| json!({ "start": { "line": 0, "character": from }, "end": { "line": 0, "character": to } });
    client.open(&folder, "flows/orders.flow", FLOW);
    assert_eq!(client.problems(), json!([]));
    client.edit(&folder, "flows/orders.flow", json!([{ "range": place(23, 24), "text": "" }]));
    assert_eq!(client.problems()[0]["code"], "F007", "the quote behind the face was taken away");
    client.edit(&folder, "flows/orders.flow", json!([{ "range": place(23, 23), "text": "\"" }]));
    assert_eq!(client.problems(), json!([]));
}

#[test]
fn scripts_count_as_they_stand_in_the_editor() {
    let folder = project();
    let mut client = Client::start(&folder);
    client.hello(&folder);
    client.open(&folder, "flows/orders.flow", &with("street::whole(", "street::wholeed("));
    let code = client.problems()[0]["code"].clone();
    assert!(code.as_str().is_some_and(|code| code.starts_with('F')), "{code}");
    // The function is written, and nobody has saved it.
    let both = format!("{SCRIPT}/// All of it.\nfn wholly(text) {{ trim(text) }}\n");
    client.open(&folder, "scripts/street.rhai", &both);
    assert_eq!(client.problems(), json!([]), "of the script");
    client.change(&folder, "flows/orders.flow", &with("street::whole(", "street::wholly( "));
    assert_eq!(client.problems(), json!([]), "of the flow");
    client.change(&folder, "scripts/street.rhai", "fn wholly(text) { trim(text }\n");
    let told: Vec<Value> = (0..2).map(|_| client.problems()).collect();
    assert!(told.iter().all(|problems| problems[0]["message"].is_string()), "{told:?}");
    let of_script = told.iter().find(|problems| problems[0].get("code").is_none()).unwrap();
    assert_eq!(of_script[0]["range"]["start"]["line"], 0);
}

#[test]
fn what_can_be_written_is_offered() {
    let folder = project();
    let mut client = Client::start(&folder);
    client.hello(&folder);
    let cases: &[(&str, &str, &[&str], &[&str])] = &[
        ("source shop: ccv_salespos", "source shop: §", &["ccv_salespos", "mpluskassa"], &["order"]),
        ("fetch order from shop.orders", "fetch order from §", &["shop", "till"], &["order"]),
        ("fetch order from shop.orders", "fetch order from shop.§", &["orders", "customers"], &["relations"]),
        (
            "fetch order from shop.orders",
            "fetch order from shop.orders since §",
            &["created_at"],
            &["number"],
        ),
        (
            "map number with settings.prefix + order.number",
            "map number with settings.§",
            &["prefix"],
            &["order"],
        ),
        (
            "map number with settings.prefix + order.number",
            "map number with order.cu§",
            &["customer", "number"],
            &["prefix"],
        ),
        (
            "map number with settings.prefix + order.number",
            "map number with order.customer.§",
            &["email"],
            &["number"],
        ),
        (
            "map number with settings.prefix + order.number",
            "map number with §",
            &["order", "settings", "country", "to_lower"],
            &["line", "debtor"],
        ),
        ("is_blank(line.sku)", "is_blank(line.§)", &["sku", "quantity"], &["email"]),
        ("line.quantity > 1", "line.§", &["sku", "quantity"], &["email"]),
        ("`é ${number}`", "`é ${order.§}`", &["number"], &[]),
        ("street::whole(", "street::§(", &["whole"], &["order"]),
        ("by email {", "by § {", &["email", "relation_number"], &["city"]),
        ("    email   =", "    §\n    email   =", &["company_name", "zipcode"], &["email", "name", "fetch"]),
        ("map dear", "§\nmap dear", &["lookup", "notify"], &["email"]),
        ("use \"scripts/street.rhai\"", "use \"scr§\"", &["scripts/street.rhai"], &[]),
    ];
    for (line, instead, wanted, unwanted) in cases {
        let (text, place) = marked(&with(line, instead));
        let labels = client.completion(&folder, &text, &place);
        for label in *wanted {
            assert!(labels.iter().any(|one| one == label), "{instead}: no `{label}` in {labels:?}");
        }
        for label in *unwanted {
            assert!(labels.iter().all(|one| one != label), "{instead}: `{label}` in {labels:?}");
        }
    }
}

#[test]
fn words_say_what_they_mean() {
    let folder = project();
    let mut client = Client::start(&folder);
    client.hello(&folder);
    let cases: &[(&str, &str, &[&str])] = &[
        ("ccv_salespos", "ccv_sales§pos", &["CCV SalesPOS"]),
        ("shop.orders", "shop.ord§ers", &["**orders**", "fetch"]),
        ("settings.prefix", "settings.pre§fix", &["setting, text", "What do numbers start with?"]),
        ("order.number\n", "order.num§ber\n", &["**number**: text"]),
        ("order.customer.email", "order.customer.em§ail", &["**email**: text"]),
        ("country[order", "coun§try[order", &["table", "\"Nederland\" | \"België\""]),
        ("street::whole", "street::who§le", &["The text, trimmed."]),
        ("to_lower(", "to_lo§wer(", &["to_lower(", "→"]),
        ("    email   =", "    em§ail   =", &["**email**: text"]),
        ("line.quantity > 1", "line.quan§tity > 1", &["**quantity**: decimal"]),
    ];
    for (line, instead, wanted) in cases {
        let (text, place) = marked(&with(line, instead));
        client.open(&folder, "flows/orders.flow", &text);
        client.problems();
        let answer = client.at(&folder, "textDocument/hover", &place, json!({}));
        let said =
            answer["result"]["contents"]["value"].as_str().unwrap_or_else(|| panic!("{instead}: {answer}"));
        for wanted in *wanted {
            assert!(said.contains(wanted), "{instead}: no `{wanted}` in {said}");
        }
    }
}

/// What `if` and `switch` give shows at the name that it gets, at the line of a field, and at the
/// words themselves.
#[test]
fn what_a_choice_gives_is_shown() {
    let folder = project();
    let mut client = Client::start(&folder);
    client.hello(&folder);
    let cases: &[(&str, &str)] = &[
        ("map cho§ice with if order.is_paid { \"a\" } else { \"b\" }", "**choice**: \"a\" | \"b\""),
        ("map choice with i§f order.is_paid { order.number } else { 2 }", "**if**: gives text or integer"),
        ("map cho§ice with if order.is_paid { order.number }", "**choice**: text or nothing"),
        (
            "map cho§ice with if order.is_paid { order.number } else { order.lines }",
            "**choice**: text or list of record",
        ),
        ("map cho§ice with switch order.status { \"new\" => 1, _ => 2.50 }", "**choice**: decimal"),
        (
            "map choice with swi§tch order.status { \"new\" => order.is_paid, \"sent\" => () }",
            "**switch**: gives boolean or nothing",
        ),
        (
            "map made {\n    cho§ice = if order.is_paid { 1 } else { \"none\" }\n}",
            "**choice**: integer or text",
        ),
        (
            "map made {\n    choice = if order.is_paid { 1 } else { 2 }\n}\nnotify `${made.cho§ice}`",
            "**choice**: integer",
        ),
        ("map choice with { let b§est = if order.is_paid { 1 }; best ?? 2 }", "**best**: integer or nothing"),
        ("map choice with if order.is_paid { 1 } else { 2 }\nnotify `${cho§ice}`", "**choice**: integer"),
        (
            "map choice with if order.is_paid { order.billing } else { order.shipping }\nnotify choice.str§eet",
            "**street**: text",
        ),
        // Of what nobody knows, nothing is said.
        ("map cho§ice with if order.is_paid { 1 } else { order.nothing }", "**choice**: anything"),
    ];
    let line = "map number with settings.prefix + order.number\n";
    for (instead, wanted) in cases {
        let (text, place) = marked(&with(line, &format!("{line}{instead}\n")));
        client.open(&folder, "flows/orders.flow", &text);
        client.problems();
        let answer = client.at(&folder, "textDocument/hover", &place, json!({}));
        let said = answer["result"]["contents"]["value"].as_str();
        let said = said.unwrap_or_else(|| panic!("{instead}: {answer}"));
        assert_eq!(said.lines().next(), Some(*wanted), "{instead}");
    }
    // A field of the target says what it takes, and what it is given here.
    let email = "    email   = to_lower(order.customer.email)";
    let (text, place) =
        marked(&with(email, "    ema§il   = if order.is_paid { order.customer.email } else { \"none\" }"));
    client.open(&folder, "flows/orders.flow", &text);
    client.problems();
    let answer = client.at(&folder, "textDocument/hover", &place, json!({}));
    let said = answer["result"]["contents"]["value"].as_str().unwrap();
    assert!(said.starts_with("**email**: text\n") && said.ends_with("\n\ngiven here: text"), "{said}");
}

#[test]
fn names_lead_to_where_they_come_from() {
    let folder = project();
    let mut client = Client::start(&folder);
    client.hello(&folder);
    let own = uri(&folder, "flows/orders.flow");
    let script = uri(&folder, "scripts/street.rhai");
    let cases: &[(&str, &str, &str, u64)] = &[
        ("settings.prefix", "settings.pre§fix", &own, 4),
        ("+ order.number", "+ or§der.number", &own, 10),
        ("country[order", "coun§try[order", &own, 6),
        ("(line.sku)", "(li§ne.sku)", &own, 12),
        ("line.quantity > 1", "li§ne.quantity > 1", &own, 15),
        ("${debtor.", "${deb§tor.", &own, 16),
        ("till.relations", "ti§ll.relations", &own, 2),
        ("street::whole", "street::who§le", &script, 1),
        ("street::whole", "stre§et::whole", &script, 0),
        ("\"scripts/street.rhai\"", "\"scripts/str§eet.rhai\"", &script, 0),
    ];
    for (line, instead, uri, wanted) in cases {
        let (text, place) = marked(&with(line, instead));
        client.open(&folder, "flows/orders.flow", &text);
        client.problems();
        let answer = client.at(&folder, "textDocument/definition", &place, json!({}));
        let found = &answer["result"];
        assert_eq!(
            (found["uri"].as_str(), found["range"]["start"]["line"].as_u64()),
            (Some(*uri), Some(*wanted)),
            "{instead}: {answer}"
        );
    }
}

#[test]
fn a_system_of_the_project_leads_to_its_profile() {
    let folder = project();
    let profile = "name = \"own\"\ntitle = \"Own\"\n\n[resources.things]\n";
    folder.put("systems/own.toml", profile);
    let mut client = Client::start(&folder);
    client.hello(&folder);
    let (text, place) = marked(&with("target till: mpluskassa", "target till: o§wn"));
    client.open(&folder, "flows/orders.flow", &text);
    client.problems();
    let answer = client.at(&folder, "textDocument/definition", &place, json!({}));
    assert_eq!(answer["result"]["uri"], uri(&folder, "systems/own.toml"), "{answer}");
}

/// Asks for another name of what is marked in a line; the text that it was asked of, and the answer.
fn rename(
    client: &mut Client,
    folder: &Folder,
    (line, instead): (&str, &str),
    name: &str,
) -> (String, Value) {
    let (text, place) = marked(&with(line, instead));
    client.open(folder, "flows/orders.flow", &text);
    client.problems();
    let answer = client.at(folder, "textDocument/rename", &place, json!({ "newName": name }));
    (text, answer)
}

#[test]
fn a_name_is_found_and_changed_everywhere() {
    let folder = project();
    let mut client = Client::start(&folder);
    client.hello(&folder);
    let renamed = |client: &mut Client, line: &str, instead: &str, name: &str| -> Value {
        let (text, answer) = rename(client, &folder, (line, instead), name);
        match answer.get("error") {
            Some(error) => error["message"].clone(),
            None => {
                client::applied(&text, &answer["result"]["changes"][uri(&folder, "flows/orders.flow")]).into()
            }
        }
    };
    // The name of the closure is another one.
    let text = renamed(&mut client, "each line in", "each li§ne in", "entry");
    let expected = with("each line in", "each entry in")
        .replace("if line.", "if entry.")
        .replace("(line.sku)", "(entry.sku)");
    assert_eq!(text, expected);
    let text = renamed(&mut client, "|line| line.quantity", "|line| li§ne.quantity", "one");
    assert_eq!(text, with("|line| line.quantity", "|one| one.quantity"));
    let text = renamed(&mut client, "order from shop", "or§der from shop", "sale");
    assert_eq!(
        text,
        FLOW.replace("order.", "sale.")
            .replace("order from", "sale from")
            .replace("flows/sale.", "flows/order.")
    );
    let text = renamed(&mut client, "settings.prefix", "settings.pre§fix", "start");
    assert_eq!(text, FLOW.replace("prefix", "start"));
    for (name, wanted) in
        [("debtor", "taken"), ("1st", "no name"), ("if", "already"), ("settings", "already")]
    {
        let message = renamed(&mut client, "order from shop", "or§der from shop", name);
        assert!(message.as_str().unwrap().contains(wanted), "{name}: {message}");
    }
    folder.put("settings/orders.toml", "[settings]\nprefix = \"A\"\nstart = 1\n");
    let message = renamed(&mut client, "settings.prefix", "settings.pre§fix", "start");
    assert!(
        message.as_str().unwrap().contains("`start` stands in settings/orders.toml already"),
        "{message}"
    );
    std::fs::remove_file(folder.path().join("settings/orders.toml")).unwrap();

    let (text, place) = marked(&with("order from shop", "or§der from shop"));
    client.open(&folder, "flows/orders.flow", &text);
    client.problems();
    let count = |client: &mut Client, all: bool| {
        let context = json!({ "context": { "includeDeclaration": all } });
        let answer = client.at(&folder, "textDocument/references", &place, context);
        answer["result"].as_array().unwrap().len()
    };
    assert_eq!((count(&mut client, true), count(&mut client, false)), (7, 6));
    let answer = client.at(&folder, "textDocument/prepareRename", &place, json!({}));
    assert_eq!(answer["result"]["placeholder"], "order");
    let answer = client.at(&folder, "textDocument/documentHighlight", &place, json!({}));
    assert_eq!(answer["result"].as_array().unwrap().len(), 7);
}

/// What other files of the project call by the same name is changed with the flow.
#[tokio::test]
async fn a_name_is_changed_in_the_projects_other_files_too() {
    let folder = project();
    let main = "[connections.shop]\nsystem = \"ccv_salespos\"\naddress = \"http://127.0.0.1:9\"\npublic_key = \"k\"\n\
        secret_key = { sealed = true }\n\n[connections.till]\nsystem = \"mpluskassa\"\naddress = \"http://127.0.0.1:9\"\n\
        ident = \"i\"\nsecret = { sealed = true }\n\n[flows.orders]\nfile = \"flows/orders.flow\"  # the only one\non = false\n";
    folder.put("weft.toml", main);
    let answers = "[settings]\n\"prefix\" = \"A\"\n";
    let cases = "[{\"name\": \"one\", \"settings\": {\"prefix\": \"B\"}}, {\"name\": \"prefix\"}]";
    folder.put("settings/orders.toml", answers).put("flows/orders.case.json", cases);
    let mut client = Client::start(&folder);
    client.hello(&folder);
    let renamed = |client: &mut Client, line: &str, instead: &str, name: &str| -> Value {
        rename(client, &folder, (line, instead), name).1
    };
    let changed = |answer: &Value, file: &str, text: &str| {
        client::applied(text, &answer["result"]["changes"][uri(&folder, file)])
    };
    let answer = renamed(&mut client, "settings.prefix", "settings.pre§fix", "start");
    assert_eq!(changed(&answer, "flows/orders.flow", FLOW), FLOW.replace("prefix", "start"));
    assert_eq!(changed(&answer, "settings/orders.toml", answers), "[settings]\nstart = \"A\"\n");
    assert_eq!(changed(&answer, "flows/orders.case.json", cases), cases.replacen("prefix", "start", 1));
    // A connection that plays a role by its name does so by a line of its own from now on.
    let answer = renamed(&mut client, "target till:", "target ti§ll:", "kassa");
    let flow = changed(&answer, "flows/orders.flow", FLOW);
    assert!(flow.contains("target kassa: mpluskassa") && !flow.contains("till."), "{flow}");
    let bound = changed(&answer, "weft.toml", main);
    assert_eq!(bound, main.replace("# the only one\n", "# the only one\nkassa = \"till\"\n"));
    folder.put("weft.toml", &bound).put("flows/orders.flow", &flow);
    let told = folder.weft(&["check"]).await;
    assert_eq!(told.code, Some(0), "{}", told.err);
    // And such a line is changed itself.
    client.tell(
        "workspace/didChangeWatchedFiles",
        json!({ "changes": [{ "uri": uri(&folder, "weft.toml"), "type": 2 }] }),
    );
    let (text, place) = marked(&flow.replace("target kassa:", "target ka§ssa:"));
    client.open(&folder, "flows/orders.flow", &text);
    client.problems();
    let answer = client.at(&folder, "textDocument/rename", &place, json!({ "newName": "counter" }));
    assert_eq!(changed(&answer, "weft.toml", &bound), bound.replace("kassa =", "counter ="));
    let answer = client.at(&folder, "textDocument/rename", &place, json!({ "newName": "file" }));
    assert!(answer["error"]["message"].as_str().unwrap().contains("already"), "{answer}");
}

#[test]
fn what_was_probably_meant_is_one_key_away() {
    let folder = project();
    let mut client = Client::start(&folder);
    client.hello(&folder);
    let cases = [
        ("settings.prefix", "settings.perfix"),
        ("shop.orders", "shop.order"),
        ("order.customer.email", "order.custmer.email"),
        ("mpluskassa", "mpluskasa"),
        ("to_lower(", "to_lowr("),
        ("    name    =", "    nme     ="),
        (" && ", " and "),
    ];
    for (right, wrong) in cases {
        let text = with(right, wrong);
        client.open(&folder, "flows/orders.flow", &text);
        let problems = client.problems();
        let params = json!({ "textDocument": { "uri": uri(&folder, "flows/orders.flow") }, "range": problems[0]["range"], "context": { "diagnostics": problems } });
        let answer = client.ask("textDocument/codeAction", params);
        let action = &answer["result"][0];
        assert_eq!(action["kind"], "quickfix", "{wrong}: {answer}");
        let mended = client::applied(&text, &action["edit"]["changes"][uri(&folder, "flows/orders.flow")]);
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&mended), squeezed(FLOW), "{wrong}");
    }
}

#[test]
fn layout_folds_and_colours_are_told() {
    let folder = project();
    let mut client = Client::start(&folder);
    client.hello(&folder);
    let untidy = FLOW.replace("    email   =", "email =").replace("\n\nfetch", "\n\n\n\nfetch");
    client.open(&folder, "flows/orders.flow", &untidy);
    client.problems();
    let document = json!({ "textDocument": { "uri": uri(&folder, "flows/orders.flow") } });
    let answer = client.ask("textDocument/formatting", document.clone());
    assert_eq!(client::applied(&untidy, &answer["result"]), FLOW);
    client.open(&folder, "flows/orders.flow", FLOW);
    client.problems();
    assert_eq!(client.ask("textDocument/formatting", document.clone())["result"], json!([]));
    let folds = client.ask("textDocument/foldingRange", document.clone());
    let folds: Vec<(u64, u64)> = folds["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fold| (fold["startLine"].as_u64().unwrap(), fold["endLine"].as_u64().unwrap()))
        .collect();
    assert_eq!(folds, [(4, 5), (6, 8), (12, 13), (16, 19)]);
    let answer = client.ask("textDocument/semanticTokens/full", document);
    insta::assert_snapshot!("lsp_colours", client::coloured(FLOW, &answer["result"]["data"], &client.legend));
}

/// Half a flow, cut off anywhere, is what an editor asks about most of the time.
#[test]
fn every_beginning_of_a_flow_is_answered() {
    let folder = project();
    let mut client = Client::start(&folder);
    client.hello(&folder);
    let document = json!({ "uri": uri(&folder, "flows/orders.flow") });
    for (at, _) in FLOW.char_indices().skip(60).step_by(9) {
        let (text, place) =
            marked(&format!("{}§{}", FLOW.get(..at).unwrap(), if at % 2 == 0 { "\n}\n" } else { "" }));
        client.open(&folder, "flows/orders.flow", &text);
        for method in
            ["completion", "hover", "definition", "references", "documentHighlight", "prepareRename"]
        {
            let answer = client.at(&folder, &format!("textDocument/{method}"), &place, json!({}));
            assert!(answer.get("error").is_none(), "{method} after {text}: {answer}");
        }
        client.at(&folder, "textDocument/rename", &place, json!({ "newName": "another" }));
        let range = json!({ "start": { "line": 0, "character": 0 }, "end": place });
        for method in ["semanticTokens/full", "foldingRange", "formatting", "codeAction"] {
            let params =
                json!({ "textDocument": document, "range": range, "context": { "diagnostics": [] } });
            let answer = client.ask(&format!("textDocument/{method}"), params);
            assert!(
                answer["result"].is_array() || answer["result"].is_object(),
                "{method} after {text}: {answer}"
            );
        }
    }
}

/// How long a flow of 500 lines takes from a letter typed to its problems told. A figure to look
/// at; nothing depends on it.
#[test]
fn a_long_flow_is_checked_while_it_is_typed() {
    let folder = project();
    let mut client = Client::start(&folder);
    client.hello(&folder);
    let mut text = FLOW.to_owned();
    for number in 0.. {
        if text.lines().count() >= 500 {
            break;
        }
        write!(text, "map more_{number} {{\n    a = order.customer.email ?? order.number\n    b = to_lower(order.customer.full_name) when order.lines.len() > {number}\n}}\n").unwrap();
    }
    client.open(&folder, "flows/orders.flow", &text);
    client.problems();
    let mut took = Vec::new();
    for round in 0..20 {
        let start = Instant::now();
        client.change(&folder, "flows/orders.flow", &format!("{text}// {round}\n"));
        client.problems();
        took.push(start.elapsed());
    }
    took.sort();
    println!("{} lines: {:?} in the middle, {:?} at most", text.lines().count(), took[10], took[19]);
}
