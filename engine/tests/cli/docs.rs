//! The guides for operators, tried out: their files are read, their commands called.

use super::town::{Folder, golden};

const GUIDE: &str = include_str!("../../../docs/operating.md");
const SECRETS: &str = include_str!("../../../docs/secrets.md");
const PLAN: &str = include_str!("../../../docs/plan.md");
const PRIVACY: &str = include_str!("../../../docs/privacy.md");
const FLOW: &str = include_str!("../../../flows/ccv_salespos-mpluskassa/orders.flow");

/// Fenced blocks: what stands behind the fence, and the text.
fn blocks(text: &str) -> Vec<(&str, &str)> {
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

/// Words of a command; what stands in double quotes is one.
fn words(call: &str) -> Vec<&str> {
    let parts = call.split('"').enumerate();
    parts
        .flat_map(|(at, part)| if at % 2 == 1 { vec![part] } else { part.split_whitespace().collect() })
        .collect()
}

#[tokio::test]
async fn the_guides_commands_exist() {
    let folder = Folder::new();
    let mut calls = 0;
    let blocks = [GUIDE, SECRETS, PRIVACY, PLAN].map(blocks).concat();
    for line in blocks.iter().filter(|(head, _)| *head == "console").flat_map(|(_, body)| body.lines()) {
        // The rest is what they say.
        let Some((_, call)) = line.split_once("weft ") else { continue };
        let args = [words(call), vec!["--help"]].concat();
        let told = folder.weft(&args).await;
        assert_eq!(told.code, Some(0), "{line}\n{}{}", told.out, told.err);
        calls += 1;
    }
    assert!(calls >= 20);
}

#[tokio::test]
async fn every_fault_is_in_the_guide() {
    for (name, _) in connectors::simulator::Fault::ALL {
        assert!(GUIDE.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[tokio::test]
async fn the_stand_ins_explain_themselves() {
    let folder = Folder::new();
    golden("simulate_unknown", folder.show(&["simulate", "mplus"]).await);
    golden("simulate_unknown_fault", folder.show(&["simulate", "mpluskassa", "--fault", "bsy=20%"]).await);
    golden("help", folder.show(&["--help"]).await);
    golden("unknown_command", folder.show(&["rnu"]).await);
}
