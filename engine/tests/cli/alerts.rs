//! `weft alert test`, and what is said of channels that cannot be used.

use super::docs::blocks;
use super::page::free_ports;
use super::town::{Folder, golden};

const WRONG: &str = r#"
[alerts]
after = "soon"
refused_over = 3

[alerts.nobody]
kind = "mail"
server = "smtp.example.com"
from = "weft@example.com"

[alerts.open]
kind = "mail"
server = "smtp.example.com"
from = "weft@example.com"
to = "a@example.com"
tls = "off"
user = "weft"
password = { file = "password" }

[alerts.plain]
kind = "mail"
password = "geheim"

[alerts.chat]
kind = "slak"

[alerts.pager]
kind = "webhook"
url = { env = "NO_SUCH_VARIABLE" }
adress = "x"
"#;

#[tokio::test]
async fn a_channel_is_tried_and_a_wrong_one_is_explained() {
    let folder = Folder::new();
    folder.put("weft.toml", "name = \"Koffiehuis\"\n");
    let none = folder.show(&["alert", "test"]).await;
    folder.put("password", "geheim").put("weft.toml", WRONG);
    let wrong = folder.show(&["check"]).await;
    let router = axum::Router::new().route("/taken", axum::routing::post(|| async {}));
    let running =
        connectors::simulator::serve(router, 0, connectors::simulator::Faults::default()).await.unwrap();
    let url = running.url();
    folder.put(
        "weft.toml",
        format!(
            "name = \"Koffiehuis\"\n[alerts.chat]\nkind = \"slack\"\nurl = \"{url}/taken\"\n\
             [alerts.other]\nkind = \"teams\"\nurl = \"{url}/secret-7f3a\"\n"
        ),
    );
    let both = folder.show(&["alert", "test"]).await;
    let one = folder.show(&["alert", "test", "chat"]).await;
    let unknown = folder.show(&["alert", "test", "chatt"]).await;
    assert!(!both.contains("secret-7f3a"));
    golden("alerts", [none, wrong, both, one, unknown].join("\n\n"));
}

/// The channels of the guide, and its commands, with a chat that takes what is sent and a mail
/// server that is not there.
#[tokio::test]
async fn the_guides_channels_are_tried() {
    let guide = include_str!("../../../docs/alerts.md");
    let blocks = blocks(guide);
    let (_, channels) = blocks.iter().find(|(head, _)| *head == "toml").unwrap();
    let calls: Vec<&str> =
        blocks.iter().filter(|(head, _)| *head == "sh").flat_map(|(_, body)| body.lines()).collect();
    assert_eq!(calls, ["weft alert test", "weft alert test chat"]);
    let router = axum::Router::new().route("/taken", axum::routing::post(|| async {}));
    let running =
        connectors::simulator::serve(router, 0, connectors::simulator::Faults::default()).await.unwrap();
    let folder = Folder::new();
    let [nobody, _] = free_ports();
    let here = format!("\"127.0.0.1\"\nport = {nobody}");
    folder.put("weft.toml", channels.replace("\"smtp.example.com\"", &here));
    let mut told = Vec::new();
    for call in calls {
        let args: Vec<&str> = call.split(' ').skip(1).collect();
        let mut command = folder.command(&args);
        command.env("SMTP_PASSWORD", "geheim").env("SLACK_URL", format!("{}/taken", running.url()));
        let output = command.output().await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        told.push(format!(
            "$ {call}\n{}[exit code {}]",
            String::from_utf8(text).unwrap(),
            output.status.code().unwrap()
        ));
    }
    golden("alerts_of_the_guide", told.join("\n\n"));
}
