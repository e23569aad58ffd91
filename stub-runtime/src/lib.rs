//! The host calls.
