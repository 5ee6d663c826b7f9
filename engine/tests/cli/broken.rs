//! Files of a project that are wrong: each told with its place, its cause and the next step.
//!
//! Nothing of a project with a wrong file runs, and its store stays as it was.

use super::town::{CUSTOMERS, Folder, Town, golden};

/// A project that has run once and therefore has a store.
async fn project() -> (Town, Folder) {
    let town = Town::with_customers(3).await;
    let folder = town.project(&[("customers", CUSTOMERS)]);
    let told = folder.weft(&["run"]).await;
    assert_eq!(told.code, Some(0), "{}{}", told.out, told.err);
    (town, folder)
}

/// Breaks the project, runs it, and gives what it says; the store must be as before, and
/// neither system asked for anything.
async fn broken(breaks: impl FnOnce(&Town, &Folder)) -> String {
    let (town, folder) = project().await;
    breaks(&town, &folder);
    let before =
        (std::fs::read(folder.store()).unwrap(), town.shop_server.requests(), town.till_server.requests());
    let said = folder.show(&["run"]).await;
    let after =
        (std::fs::read(folder.store()).unwrap(), town.shop_server.requests(), town.till_server.requests());
    assert!(before == after, "something was done all the same:\n{said}");
    said
}

/// The main file, with something replaced.
fn edit(folder: &Folder, from: &str, to: &str) {
    let text = std::fs::read_to_string(folder.path().join("weft.toml")).unwrap();
    assert!(text.contains(from), "{text}");
    folder.put("weft.toml", text.replacen(from, to, 1));
}

fn replace_flow(folder: &Folder, from: &str, to: &str) {
    assert!(CUSTOMERS.contains(from));
    folder.put("flows/customers.flow", CUSTOMERS.replacen(from, to, 1));
}

const USE: &str = "target till: mpluskassa\n";

macro_rules! cases {
    ($($name:ident: $breaks:expr;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                golden(stringify!($name), broken($breaks).await);
            }
        )*
    };
}

cases! {
    flow_is_not_utf8: |_, folder| {
        folder.put("flows/customers.flow", [CUSTOMERS.as_bytes(), b"// caf\xe9\n"].concat());
    };
    flow_is_empty: |_, folder| { folder.put("flows/customers.flow", ""); };
    flow_is_missing: |_, folder| {
        std::fs::remove_file(folder.path().join("flows/customers.flow")).unwrap();
    };
    flow_has_an_unknown_system: |_, folder| replace_flow(folder, "mpluskassa", "mpluskasa");
    script_is_missing: |_, folder| {
        folder.put("scripts/names.rhai", "fn tidy(text) { text.trim() }\n");
        replace_flow(folder, USE, &format!("{USE}use \"scripts/name.rhai\" as names\n"));
    };
    script_is_broken: |_, folder| {
        folder.put("scripts/names.rhai", "fn tidy(text) {\n    text.trim(\n}\n");
        replace_flow(folder, USE, &format!("{USE}use \"scripts/names.rhai\" as names\n"));
    };
    script_is_not_utf8: |_, folder| {
        folder.put("scripts/names.rhai", b"fn tidy(text) { text }\n// \xff\n");
        replace_flow(folder, USE, &format!("{USE}use \"scripts/names.rhai\" as names\n"));
    };
    main_file_syntax: |_, folder| edit(folder, "[connections.till]", "[connections.till");
    main_file_unknown_table: |_, folder| edit(folder, "[connections.shop]", "[connection.shop]");
    main_file_unknown_key: |_, folder| edit(folder, "public_key", "publik_key");
    main_file_unknown_system: |_, folder| edit(folder, "system = \"mpluskassa\"", "system = \"mplus\"");
    main_file_secret_in_plain_text: |_, folder| {
        edit(folder, "secret = { file = \"till.secret\" }", "secret = \"p@ss/word&1\"");
    };
    main_file_missing_env: |_, folder| {
        edit(folder, "{ file = \"till.secret\" }", "{ env = \"WEFT_TEST_NOT_SET\" }");
    };
    main_file_missing_secret_file: |_, folder| edit(folder, "till.secret", "till.secrets");
    main_file_wrong_type_of_value: |_, folder| edit(folder, "reads_per_minute = 1000000", "reads_per_minute = [1]");
    main_file_not_a_number: |_, folder| edit(folder, "reads_per_minute = 1000000", "reads_per_minute = \"many\"");
    main_file_wrong_address: |_, folder| edit(folder, "address = \"http://", "address = \"htp//");
    main_file_wrong_role: |_, folder| {
        edit(folder, "file = \"flows/customers.flow\"", "file = \"flows/customers.flow\"\ntill = \"shop\"");
    };
    main_file_role_without_connection: |_, folder| edit(folder, "[connections.till]", "[connections.counter]");
    main_file_role_to_nowhere: |_, folder| {
        edit(folder, "file = \"flows/customers.flow\"", "file = \"flows/customers.flow\"\ntill = \"tilt\"");
    };
    main_file_role_to_faulty_connection: |_, folder| {
        edit(folder, "file = \"flows/customers.flow\"", "file = \"flows/customers.flow\"\ntill = \"till\"");
        edit(folder, "{ file = \"till.secret\" }", "{ file = \"tilt.secret\" }");
    };
    main_file_unknown_role: |_, folder| {
        edit(folder, "file = \"flows/customers.flow\"", "file = \"flows/customers.flow\"\ncounter = \"till\"");
    };
    main_file_is_empty: |_, folder| { folder.put("weft.toml", ""); };
    main_file_is_not_utf8: |_, folder| { folder.put("weft.toml", b"name = \"Caf\xe9\"\n"); };
    several_mistakes_at_once: |_, folder| {
        edit(folder, "public_key", "publik_key");
        edit(folder, "{ file = \"till.secret\" }", "{ env = \"WEFT_TEST_NOT_SET\" }");
    };
    settings_syntax: |_, folder| { folder.put("settings/customers.toml", "[settings\n"); };
    settings_unknown: |_, folder| { folder.put("settings/customers.toml", "[settings]\nonly_activ = true\n"); };
    settings_of_wrong_type: |_, folder| {
        replace_flow(folder, "\nfetch", "\nsetting prefix: text\n    ask \"Text before the name?\"\nsetting limit: integer = 3\n\nfetch");
        folder.put("settings/customers.toml", "[settings]\nprefix = 5\nlimit = \"x\"\n");
    };
    settings_without_answer: |_, folder| {
        replace_flow(folder, "\nfetch", "\nsetting prefix: text\n    ask \"Text before the name?\"\n\nfetch");
    };
    profile_is_broken: |_, folder| {
        folder.put("systems/webwinkel.toml", "name = \"webwinkel\"\ntitle = Webwinkel\n");
    };
    profile_lacks_what_it_needs: |_, folder| {
        folder.put("systems/webwinkel.toml", "name = \"webwinkel\"\ntitle = \"Webwinkel\"\n");
    };
    files_connection_without_folder: |_, folder| {
        edit(folder, "[flows.customers]", "[connections.export]\nsystem = \"files\"\nfolder = \"uitvoer\"\n\n[flows.customers]");
    };
}

/// What a flow is checked against is the same whether it is run or checked.
#[tokio::test]
async fn checked_as_it_is_run() {
    let (_town, folder) = project().await;
    edit(&folder, "file = \"flows/customers.flow\"", "file = \"flows/customers.flow\"\ncounter = \"till\"");
    folder.put("settings/customers.toml", "[settings]\nonly_activ = true\n");
    golden("checked_as_it_is_run", folder.show(&["check"]).await);
}

#[tokio::test]
async fn no_project() {
    let folder = Folder::new();
    golden("no_project", folder.show(&["run"]).await);
    golden("no_project_json", folder.show(&["run", "--json"]).await);
}

#[tokio::test]
async fn unknown_flow_name() {
    let (_town, folder) = project().await;
    golden("unknown_flow", folder.show(&["run", "custmers"]).await);
    golden("unknown_flow_elsewhere", folder.show(&["runs", "--flow", "stock"]).await);
    golden("unknown_flow_checked", folder.show(&["check", "custmers"]).await);
}

// shows R81
#[tokio::test]
async fn no_flow_is_on() {
    let (_town, folder) = project().await;
    edit(&folder, "file = \"flows/customers.flow\"", "file = \"flows/customers.flow\"\non = false");
    golden("no_flow_is_on", folder.show(&["run"]).await);
}

#[tokio::test]
async fn broken_projects_for_programs() {
    let (_town, folder) = project().await;
    replace_flow(&folder, "mpluskassa", "mpluskasa");
    golden("broken_flow_json", folder.show(&["run", "--json"]).await);
    edit(&folder, "public_key", "publik_key");
    edit(&folder, "{ file = \"till.secret\" }", "{ env = \"WEFT_TEST_NOT_SET\" }");
    golden("broken_main_file_json", folder.show(&["run", "--json"]).await);
}
