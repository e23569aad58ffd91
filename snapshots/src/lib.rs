//! edgepack-snapshots
