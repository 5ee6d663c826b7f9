//! The same scenes with the real program, which is killed with -9 again and again on its way.
//! Both books end as in a run that nothing disturbed.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use super::scenes::Scene;
use super::world::World;
use super::{books, differ, fair, reason};

/// Times that a run of each flow is killed.
const KILLS: u64 = 2;

/// Runs after which a flow has to have come to rest.
const PATIENCE: usize = 8;

/// A project on disk between the systems of a world.
struct Folder(tempfile::TempDir);

/// The program as this run of the tests has built it.
fn program() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let program = here.parent().unwrap().with_file_name(format!("weft{}", std::env::consts::EXE_SUFFIX));
    assert!(program.is_file(), "no program `{}`: cargo build first", program.display());
    program
}

impl Folder {
    async fn new(world: &World, scene: &Scene) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut main = world.connections(folder.path()).await;
        for (name, answers) in scene.flows {
            let flow = format!("flows/{}/{name}.flow", scene.pair);
            main.push_str(&format!("[flows.{name}]\nfile = \"{flow}\"\n\n"));
            put(folder.path(), &flow, &super::super::pair::files("flows", "flow")[&flow]);
            put(folder.path(), &format!("settings/{name}.toml"), answers);
        }
        for (path, text) in super::super::pair::files("scripts", "rhai") {
            put(folder.path(), &path, &text);
        }
        put(folder.path(), "weft.toml", &main);
        Self(folder)
    }

    fn command(&self, args: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(program());
        command.arg("--project").arg(self.0.path()).args(args).env_remove("WEFT_LOG").kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts a run and kills it after so many requests. False: it had ended by itself.
    async fn kill(&self, flow: &str, world: &World, after: u64) -> bool {
        let last = world.requests() + after;
        let mut child = self.command(&["run", flow]).spawn().unwrap();
        while world.requests() < last {
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            tokio::time::sleep(Duration::from_micros(300)).await;
        }
        child.start_kill().unwrap();
        child.wait().await.unwrap().code().is_none()
    }

    /// Runs a flow over all records until nothing changes; what is refused in the end.
    async fn settle(&self, flow: &str) -> Vec<String> {
        let mut last = None;
        for _ in 0..PATIENCE {
            let output = self.command(&["--json", "run", flow, "--full"]).output().await.unwrap();
            let told = String::from_utf8_lossy(&output.stdout).into_owned();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(matches!(output.status.code(), Some(0 | 1)), "{flow}: {told}{said}");
            let mut run =
                told.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
            let run = run.rfind(|line| line["counts"].is_object()).unwrap();
            let mut refused: Vec<String> = run["refused"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| format!("{}: {}", one["key"].as_str().unwrap(), one["reason"].as_str().unwrap()))
                .collect();
            refused.sort();
            let is_busy = ["created", "updated", "waiting"].iter().any(|count| run["counts"][count] != 0);
            if !is_busy && last.as_ref() == Some(&refused) {
                return refused;
            }
            last = Some(refused);
        }
        panic!("{flow} does not come to rest: {last:#?}");
    }
}

fn put(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A flow of the scene is killed some times and comes to rest, then the next one.
async fn ends_alike(scene: &Scene, seed: u64) -> u64 {
    let fair = fair(scene).await;
    let mut random = fastrand::Rng::with_seed(seed);
    let world = World::new(scene.pair, (scene.set)()).await;
    let folder = Folder::new(&world, scene).await;
    let (mut refused, mut killed) = (Vec::new(), 0);
    for (name, _) in scene.flows {
        for _ in 0..KILLS {
            killed += u64::from(folder.kill(name, &world, random.u64(2..40)).await);
        }
        refused.extend(folder.settle(name).await.iter().map(|one| format!("{name}: {}", reason(one))));
    }
    let books = books::state(&world.books());
    assert!(fair.refused == refused, "seed {seed}: refused: {}", differ(&fair.refused, &refused));
    assert!(fair.books == books, "seed {seed}: {}", differ(&fair.books, &books));
    assert_eq!(fair.books.len(), books.len(), "seed {seed}: something is doubled or lost");
    killed
}

/// All scenes, from a seed that `WEFT_CRASH_SEED` sets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_the_way_both_books_end_the_same() {
    let seed = std::env::var("WEFT_CRASH_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7_u64);
    let rounds = std::env::var("WEFT_CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    for seed in seed..seed + rounds {
        let mut killed = 0;
        for scene in super::SCENES {
            let now = ends_alike(scene, seed).await;
            println!("seed {seed}: {}, {now} kills, the same books", scene.pair);
            killed += now;
        }
        assert!(killed > 20, "seed {seed}: hardly anything was killed");
    }
}
