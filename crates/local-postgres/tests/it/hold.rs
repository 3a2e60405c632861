//! The process that the tests kill: owns a server in `FOLDER`, of the kind `scratch` or `durable`,
//! writes down where it is, and waits.

use std::{env, fs, path::PathBuf, thread, time::Duration};

use local_postgres::{LocalPostgres, Options};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [folder, kind] = arguments.as_slice() else { panic!("usage: hold-local-postgres FOLDER KIND") };
    let folder = PathBuf::from(folder);
    let postgres = if kind == "scratch" {
        LocalPostgres::scratch().await
    } else {
        LocalPostgres::start(Options::new(folder.join("postgres"))).await
    };
    let postgres = postgres.expect("the server starts");
    let facts =
        format!("{}\n{}\n{}\n", postgres.port(), postgres.url("postgres"), postgres.data_dir().display());
    fs::write(folder.join("facts.new"), facts).expect("the folder is writable");
    fs::rename(folder.join("facts.new"), folder.join("facts")).expect("the folder is writable");
    thread::sleep(Duration::from_mins(1));
}
