//! `weft dead`: what a person sees of refused records, and what becomes of them.

use super::town::{CUSTOMERS, Folder, Town, golden};

/// Three customers of whom two are refused.
async fn refused() -> (Town, Folder) {
    let town = Town::with_customers(3).await;
    let refuse = "fail `${customer.email} is on the black list` if customer.email != \"klant1@voorbeeld.example\"\nupsert";
    let folder = town.project(&[("customers", &CUSTOMERS.replace("upsert", refuse))]);
    assert_eq!(folder.weft(&["run"]).await.code, Some(1));
    (town, folder)
}

/// The record with times and keys that are the same every day.
async fn shown(folder: &Folder, name: &str, args: &[&str]) {
    golden(name, folder.show(args).await);
}

#[tokio::test]
async fn refused_records_are_shown_and_tried_again() {
    let (town, folder) = refused().await;
    shown(&folder, "dead_list", &["dead", "list"]).await;
    shown(&folder, "dead_list_json", &["dead", "list", "klant2@voorbeeld.example", "--json"]).await;
    shown(&folder, "dead_show", &["dead", "show", "klant2@voorbeeld.example"]).await;
    shown(&folder, "dead_no_such", &["dead", "show", "klant9@voorbeeld.example"]).await;
    shown(&folder, "dead_which", &["dead", "replay"]).await;
    shown(&folder, "dead_unconfirmed", &["dead", "replay", "--all"]).await;
    shown(&folder, "dead_replay_refused", &["dead", "replay", "klant2@voorbeeld.example"]).await;
    folder.put("flows/customers.flow", CUSTOMERS);
    let shown_again = folder.show(&["dead", "show", "klant3@voorbeeld.example"]).await;
    assert!(shown_again.contains("the flow has changed since"), "{shown_again}");
    shown(&folder, "dead_replay", &["dead", "replay", "--reason", "BLACK LIST", "--yes"]).await;
    shown(&folder, "dead_none", &["dead", "list"]).await;
    assert_eq!(town.till.relations().len(), 3);
}

#[tokio::test]
async fn a_refused_record_is_edited_and_given_up() {
    let (town, folder) = refused().await;
    let klant = |number: u32| format!("klant{number}@voorbeeld.example");
    let (two, three) = (klant(2), klant(3));
    shown(&folder, "dead_edit", &["dead", "edit", &two, "--set", "email=beter@voorbeeld.example"]).await;
    shown(&folder, "dead_edit_key", &["dead", "edit", &two, "--set", "id=4711"]).await;
    shown(&folder, "dead_edit_nothing", &["dead", "edit", &two, "--set", "email"]).await;
    folder.put("edited.json", "[1]");
    shown(&folder, "dead_edit_no_record", &["dead", "edit", &two, "--file", "edited.json"]).await;
    folder.put("editor", "#!/bin/sh\nsed -i 's/Sanne/Marieke/' \"$1\"\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path().join("editor"), mode).unwrap();
        let editor = folder.path().join("editor");
        let edited =
            folder.command(&["dead", "edit", &two]).env("EDITOR", editor).env_remove("VISUAL").status().await;
        assert!(edited.unwrap().success());
        let left = std::fs::read_dir(folder.path().join(".weft")).unwrap().flatten();
        assert!(left.into_iter().all(|file| !file.file_name().to_string_lossy().contains("edit")));
    }
    let letter = folder.show(&["dead", "show", &two]).await;
    assert!(letter.contains("beter@voorbeeld.example") && letter.contains("Marieke"), "{letter}");
    assert!(letter.contains(&two) && letter.contains("Sanne"), "the original stays: {letter}");
    let drop = ["dead", "drop", &three, "--why", "a test account"];
    let dropped = folder.command(&drop).env("USER", "ann").output().await.unwrap();
    assert!(dropped.status.success(), "{}", String::from_utf8_lossy(&dropped.stderr));
    shown(&folder, "dead_closed", &["dead", "list", "--closed"]).await;
    folder.put("flows/customers.flow", CUSTOMERS);
    let tried = folder.weft(&["run"]).await;
    assert_eq!(tried.code, Some(0), "{}{}", tried.out, tried.err);
    let emails: Vec<String> =
        town.till.relations().iter().map(|relation| relation.text("email").unwrap().to_owned()).collect();
    assert!(emails.contains(&"beter@voorbeeld.example".to_owned()), "{emails:?}");
    let history = folder.show(&["records", &three]).await;
    assert!(history.contains("dropped by ann: a test account"), "{history}");
}
