//! `weft fmt`, and the forms in which `weft check` tells problems to programs.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use super::docs::blocks;
use super::town::{Folder, golden};

const UNTIDY: &str = "flow   \"Orders: shop to till\"\nsource shop:ccv_salespos\ntarget till: mpluskassa\n\n\n\nfetch order from shop.orders\nmap sums {\ntotal=order.total_incl // the whole\n  number = order.number\n}\nnotify `${sums.number}`\n";

const TIDY: &str = "flow \"Orders: shop to till\"\nsource shop: ccv_salespos\ntarget till: mpluskassa\n\nfetch order from shop.orders\nmap sums {\n    total  = order.total_incl  // the whole\n    number = order.number\n}\nnotify `${sums.number}`\n";

const BROKEN: &str = "flow \"Orders\"\nskip (\n";

fn project() -> Folder {
    let folder = Folder::new();
    folder
        .put("weft.toml", "[flows.orders]\nfile = \"flows/orders.flow\"\n")
        .put("flows/orders.flow", UNTIDY)
        .put("flows/deep/tidy.flow", TIDY)
        .put("broken.flow", BROKEN);
    folder
}

fn text(folder: &Folder, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).unwrap()
}

#[tokio::test]
async fn layout_is_shown_then_set_then_there() {
    let folder = project();
    golden("fmt_check", folder.show(&["fmt", "--check"]).await);
    assert_eq!(text(&folder, "flows/orders.flow"), UNTIDY);
    golden("fmt_json", folder.show(&["fmt", "--check", "--json", "flows"]).await);
    golden("fmt_files", folder.show(&["fmt", "orders", "broken.flow"]).await);
    assert_eq!(text(&folder, "flows/orders.flow"), TIDY);
    assert_eq!(text(&folder, "broken.flow"), BROKEN, "what cannot be read is left alone");
    golden("fmt_nothing", folder.show(&["fmt"]).await);
    let left = std::fs::read_dir(folder.path().join("flows")).unwrap().count();
    assert_eq!(left, 2, "nothing else lies in the folder");
}

#[tokio::test]
async fn a_flow_is_laid_out_from_stdin() {
    let folder = Folder::new();
    for (given, out, code) in [(UNTIDY, TIDY, 0), (TIDY, TIDY, 0), (BROKEN, "", 2)] {
        let mut child = folder
            .command(&["fmt", "--stdin"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(given.as_bytes()).await.unwrap();
        let done = child.wait_with_output().await.unwrap();
        assert_eq!((String::from_utf8(done.stdout).unwrap().as_str(), done.status.code()), (out, Some(code)));
    }
}

/// Each line of the guide does what stands behind it.
#[cfg(unix)]
#[tokio::test]
async fn the_guide_says_what_is_laid_out() {
    const GUIDE: &str = include_str!("../../../docs/formatting.md");
    const ALL: [&str; 4] = ["flows/orders.flow", "flows/stock.flow", "flows/deep/prices.flow", "a.flow"];
    let [orders, stock, prices, a] = ALL;
    // What a line changes, its exit code, and a word of what it says.
    let said: [(&str, &[&str], i32, &str); 5] = [
        ("all flows of the project", &[orders, stock, a], 0, ""),
        ("these, by name or by file", &[orders, stock], 0, ""),
        ("every flow file in a folder", &[orders, stock, prices], 0, ""),
        ("change nothing; show what would change", &[], 1, "+    total  = order.total_incl"),
        ("for editors: one flow in, one flow out", &[], 0, TIDY),
    ];
    let (_, lines) = blocks(GUIDE).into_iter().find(|(head, _)| *head == "sh").unwrap();
    let lines: Vec<(&str, &str)> = lines.lines().map(|line| line.split_once(" # ").unwrap()).collect();
    assert_eq!(lines.iter().map(|(_, says)| *says).collect::<Vec<_>>(), said.map(|(says, ..)| says));
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_weft")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    for ((line, says), (_, changes, code, shows)) in lines.into_iter().zip(said) {
        let folder = Folder::new();
        folder.put(
            "weft.toml",
            "[flows.orders]\nfile = \"flows/orders.flow\"\n[flows.stock]\nfile = \"flows/stock.flow\"\n\
             [flows.a]\nfile = \"a.flow\"\n",
        );
        for name in ALL {
            folder.put(name, UNTIDY);
        }
        let mut shell = tokio::process::Command::new("sh");
        shell.args(["-c", line]).current_dir(folder.path()).env("PATH", &path);
        let told = shell.output().await.unwrap();
        let out = String::from_utf8(told.stdout).unwrap();
        let changed: Vec<&str> = ALL.into_iter().filter(|name| text(&folder, name) == TIDY).collect();
        assert_eq!((changed.as_slice(), told.status.code()), (changes, Some(code)), "{line} # {says}");
        assert!(out.contains(shows), "{line} # {says}\n{out}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_keeps_its_rights_and_its_links() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = project();
    let path = folder.path().join("flows/orders.flow");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("flows/orders.flow", folder.path().join("link.flow")).unwrap();
    assert_eq!(folder.weft(&["fmt", "link.flow"]).await.code, Some(0));
    assert_eq!(text(&folder, "flows/orders.flow"), TIDY);
    assert!(std::fs::symlink_metadata(folder.path().join("link.flow")).unwrap().is_symlink());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

const WRONG: &str = "flow \"Bestellingen\"\nsource shop: ccv_salespos\ntarget till: mpluskassa\n\nfetch order from shop.orders\nnotify `é ${order.nummber} ${order.numbr}`\nlookup order in till.relations by email = \"x\"\n";

#[tokio::test]
async fn problems_are_told_as_sarif() {
    let folder = Folder::new();
    folder.put("weft.toml", "").put("a flow.flow", WRONG);
    let told = folder.weft(&["check", "--format", "sarif", "a flow.flow"]).await;
    assert_eq!(told.code, Some(2), "{}", told.err);
    let log: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().ends_with("sarif-2.1.0.json"));
    let [run] = log["runs"].as_array().unwrap().as_slice() else { panic!("one run") };
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "weft");
    let rules = driver["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3, "{results:#?}");
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert_eq!(result["level"], "error");
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["artifactLocation"]["uri"].as_str().unwrap().ends_with("/a%20flow.flow"));
        for edge in ["startLine", "startColumn", "endLine", "endColumn"] {
            assert!(place["region"][edge].as_u64().unwrap() > 0);
        }
    }
    let region = &results[0]["locations"][0]["physicalLocation"]["region"];
    // Columns count characters: what stands before has one of two bytes.
    let line = "notify `é ${order.nummber} ${order.numbr}`";
    let column = line.chars().position(|letter| letter == 'm').unwrap();
    let (start, end) = (region["startColumn"].as_u64().unwrap(), region["endColumn"].as_u64().unwrap());
    assert!(start <= column as u64 && end - start == "nummber".len() as u64, "{region}");
    // Every `did you mean` can be followed by a program.
    let [fix] = results[0]["fixes"].as_array().unwrap().as_slice() else { panic!("one fix: {}", results[0]) };
    assert_eq!(fix["description"]["text"], "change `nummber` to `number`");
    let [change] = fix["artifactChanges"].as_array().unwrap().as_slice() else { panic!("one file: {fix}") };
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(change["artifactLocation"], place["artifactLocation"]);
    assert_eq!(change["replacements"][0]["deletedRegion"], *region);
    assert_eq!(change["replacements"][0]["insertedContent"]["text"], "number");
    let meant = |result: &Value| result["message"]["text"].as_str().unwrap().contains("did you mean");
    for result in results {
        assert_eq!(result.get("fixes").is_some(), meant(result), "{result}");
    }
    let taken = results.iter().find(|result| result.get("relatedLocations").is_some()).unwrap();
    let at = |result: &Value, list: &str| result[list][0]["physicalLocation"]["region"]["startLine"].clone();
    assert_eq!((at(taken, "locations"), at(taken, "relatedLocations")), (7.into(), 5.into()));
}

#[tokio::test]
async fn a_project_without_problems_is_sarif_without_results() {
    let folder = Folder::new();
    folder.put("weft.toml", "").put("a.flow", TIDY);
    let told = folder.weft(&["check", "--format", "sarif", "a.flow"]).await;
    assert_eq!(told.code, Some(0), "{}", told.out);
    let log: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
    folder.put("weft.toml", "name = ");
    let told = folder.weft(&["check", "--format", "sarif"]).await;
    assert_eq!(told.code, Some(2));
    let log: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "R007");
}

#[tokio::test]
async fn json_is_one_line_a_problem() {
    let folder = Folder::new();
    folder.put("weft.toml", "").put("a.flow", WRONG);
    let (one, other) = (
        folder.weft(&["check", "--format", "json", "a.flow"]).await,
        folder.weft(&["check", "--json", "a.flow"]).await,
    );
    assert_eq!((&one.out, one.code), (&other.out, other.code));
    assert_eq!(one.out.lines().count(), 4);
    for line in one.out.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_watch_tells_again_after_each_change_and_ends_well() {
    let folder = Folder::new();
    folder.put("weft.toml", "").put("a.flow", WRONG);
    let mut child = folder
        .command(&["check", "--watch", "a.flow"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut until = async |wanted: &str| {
        let reading = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains(wanted) {
                    return true;
                }
            }
            false
        };
        assert!(tokio::time::timeout(Duration::from_mins(2), reading).await.unwrap(), "no `{wanted}`");
    };
    until("mend the above").await;
    until("watching").await;
    folder.put("a.flow", TIDY);
    until("nothing wrong").await;
    until("watching").await;
    folder.put("a.flow", BROKEN);
    until("mend the above").await;
    until("watching").await;
    let id = child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let ended = tokio::time::timeout(Duration::from_mins(1), child.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(0));
}
