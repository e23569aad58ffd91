//! `cargo xtask device-test`: the packed Express app as process 1 of a whole machine, with Debian's kernel for it, under
//! qemu; reached over virtio-net by a client out here.

mod initramfs;
mod kernel;
mod machine;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use edgepack_format::targets::{self, Target};

use self::initramfs::{Entry, archive};
use self::kernel::Kernel;
use self::machine::{Output, Running};
use crate::bench::express;
use crate::project::Project;
use crate::run::{command, output, run};
use crate::stub::zig_cc;
use crate::{dist, setup, tools};

/// A machine as qemu makes it, as small as gateways are.
struct Machine {
    /// The target's short name.
    target: &'static str,
    qemu: &'static str,
    cpu: &'static str,
    /// Debian's package that depends on the newest kernel, and its name of the architecture.
    kernel: &'static str,
    debian: &'static str,
    megabytes: u32,
}

const MACHINES: &[Machine] = &[
    Machine {
        target: "arm64",
        qemu: "qemu-system-aarch64",
        cpu: "cortex-a53",
        kernel: "linux-image-arm64",
        debian: "arm64",
        megabytes: 256,
    },
    Machine {
        target: "armv7",
        qemu: "qemu-system-arm",
        cpu: "cortex-a7",
        kernel: "linux-image-armmp",
        debian: "armhf",
        megabytes: 128,
    },
];

/// Builds everything and tests the machines that are named; all of them if none is.
pub(crate) fn test(project: &Project, names: &[&str]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !MACHINES.iter().any(|machine| machine.target == **name)) {
        bail!("there is no machine for {unknown}: arm64 or armv7");
    }
    dist::stubs(project)?;
    let edgepack = dist::command_itself(project)?;
    let asked = MACHINES.iter().filter(|machine| names.is_empty() || names.contains(&machine.target));
    asked.into_iter().try_for_each(|machine| check(project, &edgepack, machine))
}

/// All machines, with a command that is built.
pub(crate) fn check_all(project: &Project) -> Result<()> {
    let edgepack = project.target().join("release/edgepack");
    MACHINES.iter().try_for_each(|machine| check(project, &edgepack, machine))
}

/// Boots it, asks it once, tells it to end.
fn check(project: &Project, edgepack: &Path, machine: &Machine) -> Result<()> {
    setup::packages(project, setup::MACHINES)?;
    let target = targets::find(machine.target).with_context(|| format!("there is no target {}", machine.target))?;
    let kernel = Kernel::fetch(project, machine.kernel, machine.debian)?;
    let folder = project.cache.join("device");
    fs::create_dir_all(&folder)?;
    let app = app(project, edgepack, target, &folder)?;
    let initramfs = folder.join(format!("{}.cpio", target.short));
    fs::write(&initramfs, archive(&contents(&kernel, &loader(project, target)?, &app)?)?)?;
    println!("{} with {} MB, Linux {}:", target.short, machine.megabytes, kernel.version);
    for output in [Output::Pipe, Output::Console] {
        println!("  {output}: {}", Running::start(machine, &kernel, &initramfs, output)?.serves_and_ends()?);
    }
    Ok(())
}

/// The fixture, listening to the outside.
fn app(project: &Project, edgepack: &Path, target: &Target, folder: &Path) -> Result<PathBuf> {
    let source =
        project.cached("device-express", &["fixtures/apps/express", "xtask/src/device/app.js"], "", |folder| {
            run(command("cp", ["-R"], &project.root).arg(express(project)?.join(".")).arg(folder))?;
            fs::write(folder.join("device.js"), include_str!("device/app.js")).map_err(Into::into)
        })?;
    let out = folder.join(format!("express-{}", target.short));
    let mut build = command(&edgepack.display().to_string(), ["build", "--target", target.short], &source);
    output(build.arg("device.js").arg("-o").arg(&out))?;
    Ok(out)
}

/// `device/init.c` for the target.
fn loader(project: &Project, target: &Target) -> Result<PathBuf> {
    let source = "xtask/src/device/init.c";
    let folder = project.cached("device-init", &[source], target.triple, |folder| {
        let mut compiler = zig_cc(project, &tools::zig(project)?, target)?;
        run(compiler.args(["-Os", "-static", "-s", "-o"]).arg(folder.join("init")).arg(project.root.join(source)))
    })?;
    Ok(folder.join("init"))
}

fn contents(kernel: &Kernel, loader: &Path, app: &Path) -> Result<Vec<Entry>> {
    let mut entries = vec![
        Entry::folder("dev"),
        Entry::console("dev/console"),
        Entry::program("init", fs::read(loader)?),
        Entry::program("app", fs::read(app)?),
    ];
    for module in &kernel.modules {
        let name = module.file_name().context("a module is a file")?.to_string_lossy().into_owned();
        entries.push(Entry::program(&name, fs::read(module)?));
    }
    Ok(entries)
}
