//! edgepack-engine
