// Starts `weft lsp` and lets the editor speak to it. Everything else is the server's.

const { commands, window, workspace } = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

let client;

async function start() {
  const command = workspace.getConfiguration("weft").get("path") || "weft";
  const run = { command, args: ["lsp"], transport: TransportKind.stdio };
  client = new LanguageClient("weft", "Weft", { run, debug: run }, {
    documentSelector: [
      { scheme: "file", language: "weft" },
      { scheme: "file", pattern: "**/*.rhai" },
    ],
    synchronize: {
      fileEvents: workspace.createFileSystemWatcher("**/{weft.toml,*.flow,*.rhai,systems/*.toml}"),
    },
  });
  try {
    await client.start();
  } catch (error) {
    window.showErrorMessage(
      `Weft: \`${command} lsp\` cannot be started (${error.message}). Install weft, or name it in the setting weft.path.`,
    );
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.stop().catch(() => {});
}

async function activate(context) {
  const restart = async () => {
    await stop();
    await start();
  };
  context.subscriptions.push(
    commands.registerCommand("weft.restart", restart),
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("weft.path")) restart();
    }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
