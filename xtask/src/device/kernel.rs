//! Debian's kernel for another machine, by apt, which checks it; nothing is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::run::{command, output, run};

/// What it takes to have a network card in qemu's `virt` machine, in the order of loading. All of them are modules in
/// Debian's kernels, and there is no `ip=` either.
const MODULES: &[&str] = &[
    "drivers/virtio/virtio_mmio.ko",
    "net/core/failover.ko",
    "drivers/net/net_failover.ko",
    "drivers/net/virtio_net.ko",
];

/// Unpacked.
pub(super) struct Kernel {
    pub(super) version: String,
    pub(super) image: PathBuf,
    pub(super) modules: Vec<PathBuf>,
}

impl Kernel {
    /// The one that Debian has when it is first asked for.
    pub(super) fn fetch(project: &Project, package: &str, architecture: &str) -> Result<Kernel> {
        let folder = project.cached("kernel", &[], package, |folder| {
            let apt = Apt::new(folder, architecture)?;
            let newest = apt.dependency(package)?;
            run(apt.command("apt-get").args(["--quiet", "download", &newest]).current_dir(folder))?;
            let unpack = |package: &Path| run(command("dpkg-deb", ["--extract"], folder).arg(package).arg(folder));
            unpack(&found(folder, &newest)?)?;
            fs::remove_file(found(folder, &newest)?)?;
            fs::remove_dir_all(&apt.folder).map_err(Into::into)
        })?;
        let image = found(&folder.join("boot"), "vmlinuz-")?;
        let version = image.file_name().map(|name| name.to_string_lossy().replace("vmlinuz-", ""));
        let version = version.context("a kernel has a name")?;
        let modules = folder.join("lib/modules").join(&version).join("kernel");
        Ok(Kernel { image, modules: MODULES.iter().map(|module| modules.join(module)).collect(), version })
    }
}

/// apt with lists of its own, for another architecture than this machine's.
struct Apt {
    folder: PathBuf,
    architecture: String,
}

impl Apt {
    fn new(folder: &Path, architecture: &str) -> Result<Apt> {
        let apt = Apt { folder: folder.join("apt"), architecture: architecture.to_owned() };
        fs::create_dir_all(apt.folder.join("lists/partial"))?;
        fs::create_dir_all(apt.folder.join("cache/archives/partial"))?;
        if let Err(error) = run(apt.command("apt-get").args(["--quiet", "--quiet", "update"])) {
            // One of several lists may be missing while a mirror is being renewed; what is downloaded is checked anyway.
            eprintln!("{error:#}; going on with the lists that came");
        }
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut apt = command(program, [] as [&str; 0], &self.folder);
        let options = [
            format!("APT::Architecture={}", self.architecture),
            format!("APT::Architectures::={}", self.architecture),
            format!("Dir::State::Lists={}", self.folder.join("lists").display()),
            "Dir::State::status=/dev/null".to_owned(),
            format!("Dir::Cache={}", self.folder.join("cache").display()),
            // The folder is this user's alone.
            "APT::Sandbox::User=root".to_owned(),
        ];
        apt.args(options.iter().flat_map(|option| ["-o", option]));
        apt
    }

    /// `  Depends: linux-image-6.1.0-50-armmp`
    fn dependency(&self, package: &str) -> Result<String> {
        let text = output(self.command("apt-cache").args(["depends", package]))?;
        let name = text.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
        Ok(name.with_context(|| format!("Debian has no {package} for {}", self.architecture))?.to_owned())
    }
}

/// The file whose name begins so.
fn found(folder: &Path, start: &str) -> Result<PathBuf> {
    let mut files = fs::read_dir(folder).with_context(|| format!("{} is not there", folder.display()))?.flatten();
    let file = files.find(|file| file.file_name().to_string_lossy().starts_with(start));
    Ok(file.with_context(|| format!("no {start} in {}", folder.display()))?.path())
}
