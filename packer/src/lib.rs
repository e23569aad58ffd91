//! edgepack-packer
