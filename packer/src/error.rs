//! What can be wrong with what is packed or opened.

use edgepack_format::container::ContainerError;

/// Why something could not be packed or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An image is no multiple of a chunk, or too large.
    #[error("a memory image of {bytes} bytes is not a whole number of 64 KiB chunks, or beyond 4 GiB")]
    ImageSize {
        /// Its size.
        bytes: usize,
    },
    /// A section or an index beyond what the format can say.
    #[error("the app is too large: {what} takes {bytes} bytes, at most {bytes_max} fit")]
    TooLarge {
        /// What.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The container is not one, or damaged.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// A compressed part cannot be read.
    #[error("{what} cannot be decompressed")]
    Decompress {
        /// Which.
        what: String,
        /// zstd's reason.
        source: std::io::Error,
    },
    /// Compression failed.
    #[error("compressing failed")]
    Compress(#[source] std::io::Error),
    /// The stub is no executable for Linux.
    #[error("the stub is not an ELF executable: {0}")]
    Stub(String),
    /// The file is neither a container nor an executable with one.
    #[error("this is neither an edgepack container nor an executable made by edgepack")]
    NothingInside,
}

/// With this crate's error.
pub type Result<T> = std::result::Result<T, Error>;
