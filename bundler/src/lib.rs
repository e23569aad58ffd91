//! edgepack-bundler
