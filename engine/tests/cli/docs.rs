//! The guides for operators, tried out: their files are read, their commands called.

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use super::town::{Folder, golden};

const GUIDE: &str = include_str!("../../../docs/operating.md");
const PRIVACY: &str = include_str!("../../../docs/privacy.md");
pub(crate) const FLOW: &str = include_str!("../../../flows/ccv_salespos-mpluskassa/orders.flow");

/// Fenced blocks: what stands behind the fence, and the text.
pub(crate) fn blocks(text: &str) -> Vec<(&str, &str)> {
    text.split("\n```")
        .skip(1)
        .step_by(2)
        .map(|block| {
            let (head, body) = block.split_once('\n').unwrap();
            (head, body)
        })
        .collect()
}

// shows R80, R88
#[tokio::test]
async fn the_guides_files_make_a_project() {
    let folder = Folder::new();
    let mut files = 0;
    for (head, body) in blocks(GUIDE) {
        if let Some((_, name)) = head.split_once("file=") {
            folder.put(name, body);
            files += 1;
        }
    }
    assert_eq!(files, 2);
    folder.put("till.secret", "s\n").put("flows/orders.flow", FLOW);
    for script in ["address", "amounts"] {
        let path = format!("{}/../scripts/{script}.rhai", env!("CARGO_MANIFEST_DIR"));
        folder.put(&format!("scripts/{script}.rhai"), std::fs::read(path).unwrap());
    }
    let output = folder.command(&["check"]).env("SHOP_SECRET", "s").output().await.unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), "✓ 1 flow checked, nothing wrong\n"));
    // The same project, with what the guide to privacy says.
    let (_, main) = blocks(PRIVACY).into_iter().find(|(head, _)| head.ends_with("file=weft.toml")).unwrap();
    let told = folder.put("weft.toml", main).weft(&["check"]).await;
    assert_eq!(
        (told.code, told.out.as_str()),
        (Some(0), "✓ 1 flow checked, nothing wrong\n"),
        "{}",
        told.err
    );
}

/// Words of a command; what stands in quotes is one.
fn words(call: &str) -> Vec<&str> {
    let Some(quote) = call.chars().find(|letter| matches!(letter, '"' | '\'')) else {
        return call.split_whitespace().collect();
    };
    let (before, rest) = call.split_once(quote).unwrap();
    let (within, after) = rest.split_once(quote).unwrap_or((rest, ""));
    [before.split_whitespace().collect(), vec![within], words(after)].concat()
}

/// The guides, and what they are called.
pub(crate) fn guides() -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pages = vec![root.join("README.md")];
    for folder in ["docs", "docs/errors", "docs/pairs", "docs/systems"] {
        pages.extend(std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()));
    }
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    let read =
        |page: std::path::PathBuf| (page.display().to_string(), std::fs::read_to_string(&page).unwrap());
    pages.into_iter().map(read).collect()
}

/// What is typed on a line: without the shell's own, and without what is said of it.
fn call(line: &str) -> Option<&str> {
    let line = line.trim_start().trim_start_matches("$ ");
    let (before, call) = line.split_once("weft ")?;
    let is_assignment = |word: &str| word.contains('=') || matches!(word, "sudo" | "env");
    if !before.split_whitespace().all(is_assignment) {
        return None;
    }
    let ends = [" #", " <", " >", " |", " &&"].iter().filter_map(|end| call.find(end)).min();
    Some(call.get(..ends.unwrap_or(call.len()))?.trim())
}

#[tokio::test]
async fn the_guides_commands_exist() {
    let folder = Folder::new();
    let (mut calls, mut wrong) = (0, Vec::new());
    for (page, text) in guides() {
        let blocks = blocks(&text);
        // A terminal is played as well, see `guides.rs`; what else stands in it is what it says.
        let lines = blocks.iter().flat_map(|(head, body)| {
            let head = head.split(' ').next();
            let is_typed = move |line: &&str| head == Some("sh") || line.starts_with("$ ");
            let lines = matches!(head, Some("sh" | "console")).then_some(body.lines());
            lines.into_iter().flatten().filter(is_typed)
        });
        for line in lines {
            let Some(call) = call(line) else { continue };
            let args = [words(call), vec!["--help"]].concat();
            let told = folder.weft(&args).await;
            if told.code != Some(0) {
                wrong.push(format!("{page}: {line}\n{}{}", told.out, told.err));
            }
            calls += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(calls >= 100, "{calls}");
}

/// The mistake that the README shows is one in the flow that it shows.
#[tokio::test]
async fn the_mistake_of_the_readme_is_told_so() {
    let readme = include_str!("../../../README.md");
    let blocks = blocks(readme);
    let of = |begin: &str| blocks.iter().find(|(_, body)| body.starts_with(begin)).unwrap().1;
    let (flow, shown) = (of("flow "), of("F096"));
    assert!(flow.contains("is_paid == true"));
    let folder = Folder::new();
    folder.put("weft.toml", "[flows.orders]\nfile = \"orders.flow\"\n");
    folder.put("orders.flow", flow.replace("is_paid == true", "is_paid = true"));
    let told = folder.weft(&["check"]).await;
    assert_eq!(told.code, Some(2));
    let said: Vec<&str> = told.err.lines().map(str::trim_end).collect();
    assert!(said.join("\n").contains(shown), "{}", told.err);
}

/// What somebody types and what comes of it is `console`, and played; see `guides.rs`.
#[test]
fn no_terminal_is_written_down_as_text() {
    for (page, text) in guides() {
        for (head, body) in blocks(&text) {
            let head = head.split(' ').next().unwrap_or_default();
            let is_typed = |line: &&str| match head {
                "console" => false,
                // Commands alone.
                "sh" => line.starts_with("$ "),
                _ => line.starts_with("$ ") || line.starts_with("weft "),
            };
            let found = body.lines().find(is_typed);
            assert_eq!(found, None, "{page}: use `console`, or `sh` without what it says");
        }
    }
}

#[tokio::test]
async fn every_fault_is_in_the_guide() {
    for (name, _) in connectors::simulator::Fault::ALL {
        assert!(GUIDE.contains(&format!("| `{name}` |")), "{name}");
    }
}

/// The world of a pair goes on when there is something to go on with.
#[tokio::test]
async fn the_world_of_a_pair_waits_for_the_first_flows() {
    let folder = Folder::new();
    let mut command = folder.command(&["simulate", "mpluskassa-softmaat", "--json"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut systems = Vec::new();
    for _ in 0..2 {
        let line = lines.next_line().await.unwrap().unwrap();
        let account: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert!(account["answers"].as_object().is_some_and(|answers| !answers.is_empty()), "{line}");
        systems.push(account["system"].as_str().unwrap().to_owned());
    }
    systems.sort();
    assert_eq!(systems, ["mpluskassa", "softmaat"]);
    child.stdin.as_mut().unwrap().write_all(b"\n").await.unwrap();
    let told: serde_json::Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!(told["went_on"], false, "{told}");
    assert!(told["told"].as_str().unwrap().starts_with("nothing has come over yet: first run "), "{told}");
}

#[tokio::test]
async fn the_stand_ins_explain_themselves() {
    let folder = Folder::new();
    golden("simulate_unknown", folder.show(&["simulate", "mplus"]).await);
    golden("simulate_unknown_fault", folder.show(&["simulate", "mpluskassa", "--fault", "bsy=20%"]).await);
    golden("simulate_one_is_no_pair", folder.show(&["simulate", "mpluskassa", "--products", "20"]).await);
    let pair = "ccv_salespos-mpluskassa";
    golden("simulate_pair_empty", folder.show(&["simulate", pair, "--empty"]).await);
    golden("help", folder.show(&["--help"]).await);
    golden("unknown_command", folder.show(&["rnu"]).await);
}
