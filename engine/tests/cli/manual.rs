//! Completions and manual pages are made from the commands, and say the same.

use super::town::Folder;

/// Commands as the help lists them.
async fn commands(folder: &Folder) -> Vec<String> {
    let help = folder.weft(&["--help"]).await.out;
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    lines
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn completions_know_every_command() {
    let folder = Folder::new();
    let commands = commands(&folder).await;
    assert!(commands.len() > 25, "{commands:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let told = folder.weft(&["completions", shell]).await;
        assert_eq!((told.code, told.err.as_str()), (Some(0), ""), "{shell}");
        for command in &commands {
            assert!(told.out.contains(command.as_str()), "{shell} does not know {command}");
        }
    }
    // A shell can read what is made for it.
    let mut bash = std::process::Command::new("bash");
    let text = folder.weft(&["completions", "bash"]).await.out;
    folder.put("weft.bash", text);
    let read = bash.args(["-n", "weft.bash"]).current_dir(folder.path()).status().unwrap();
    assert!(read.success());
    let odd = folder.weft(&["completions", "basch"]).await;
    assert_eq!(odd.code, Some(2));
    assert!(odd.err.contains("a similar value exists: 'bash'"), "{}", odd.err);
}

#[tokio::test]
async fn each_command_has_a_manual_page() {
    let folder = Folder::new();
    let main = folder.weft(&["man"]).await.out;
    assert!(main.contains("Keeps business systems in step"), "{main}");
    let told = folder.weft(&["man", "pages/man1"]).await;
    assert_eq!(told.code, Some(0), "{}", told.err);
    for command in commands(&folder).await {
        let page = folder.path().join(format!("pages/man1/weft-{command}.1"));
        assert!(page.is_file(), "no page for {command}");
    }
    let page = std::fs::read_to_string(folder.path().join("pages/man1/weft-run.1")).unwrap();
    assert!(page.contains("\\-\\-full") && page.contains(".TH"), "{page}");
    folder.put("taken", "a file");
    let told = folder.show(&["man", "taken"]).await;
    assert!(told.contains("R093") && told.contains("[exit code 2]"), "{told}");
}
