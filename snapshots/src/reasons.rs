//! Why start-up stopped, in the words of someone who writes Node programs: a phrase per barrier call.

/// Host call → phrase; `{}` is the call's argument (a variable's name, a path, a host).
const PHRASES: &[(&str, &str)] = &[
    ("program_args", "process.argv is read"),
    ("program_exit", "process.exit is called"),
    ("env_get", "process.env.{} is granted"),
    ("env_names", "the granted environment variables are listed"),
    ("cwd_get", "process.cwd() is read, with --allow-read for everything"),
    ("cwd_set", "process.chdir({}) is called"),
    ("process_id", "process.pid is read"),
    ("user_id", "the process's {} is read"),
    ("umask", "process.umask is called"),
    ("kill", "process.kill is called"),
    ("system_info", "{} of the system is read"),
    ("resource_usage", "the process's resource usage is read"),
    ("memory_usage", "memory usage is read"),
    ("memory_budget", "it takes more than 512 MB of memory"),
    ("clock_realtime", "the clock is read"),
    ("clock_monotonic", "the clock is read"),
    ("timezone_offset", "the time zone is read"),
    ("timezone_name", "the time zone is read"),
    ("random_fill", "random bytes are drawn"),
    ("wait", "the event loop has to wait"),
    ("watch", "a stream is watched"),
    ("stream_read", "a stream is read"),
    ("stream_write", "a stream is written"),
    ("stream_shutdown", "a stream is ended"),
    ("stream_close", "a stream is closed"),
    ("tty_size", "the terminal's size is read"),
    ("tty_mode", "the terminal's mode is set"),
    ("tcp_open", "a socket is opened"),
    ("tcp_bind", "a server listens"),
    ("tcp_connect", "a connection is made"),
    ("unix_open", "a socket is opened"),
    ("unix_bind", "a server listens on {}"),
    ("unix_connect", "a connection to {} is made"),
    ("socket_listen", "a server listens"),
    ("socket_accept", "a connection is accepted"),
    ("socket_error", "a connection is made"),
    ("socket_name", "a socket's address is read"),
    ("socket_option", "a socket's option is set"),
    ("resolve", "the name {} is resolved"),
    ("resolve_result", "a name is resolved"),
    ("file_open", "{} is opened"),
    ("file_close", "a file is closed"),
    ("file_read", "a file is read"),
    ("file_write", "a file is written"),
    ("file_stat", "a file is looked at"),
    ("file_truncate", "a file is cut"),
    ("file_sync", "a file is synced"),
    ("file_chmod", "a file's mode is changed"),
    ("file_chown", "a file's owner is changed"),
    ("file_times", "a file's times are changed"),
    ("path_stat", "{} is looked at"),
    ("path_statfs", "the file system of {} is looked at"),
    ("path_access", "{} is looked at"),
    ("path_list", "{} is listed"),
    ("path_readlink", "the link {} is read"),
    ("path_realpath", "{} is looked at"),
    ("path_mkdir", "{} is created"),
    ("path_rmdir", "{} is removed"),
    ("path_unlink", "{} is removed"),
    ("path_rename", "{} is renamed"),
    ("path_link", "{} is linked"),
    ("path_symlink", "{} is created"),
    ("path_chmod", "the mode of {} is changed"),
    ("path_chown", "the owner of {} is changed"),
    ("path_times", "the times of {} are changed"),
    ("path_copy", "{} is copied"),
];

/// The phrase of a call, or the call's own name if the table has none yet.
pub(crate) fn reason(call: &str, argument: &str) -> String {
    match PHRASES.iter().find(|(name, _)| *name == call) {
        Some((_, phrase)) => phrase.replace("{}", argument),
        None => format!("the host call {call} is made"),
    }
}

#[cfg(test)]
mod tests {
    use edgepack_format::host_calls::{HOST_CALLS, Sealed};

    use super::*;

    #[test]
    fn every_barrier_has_a_phrase_and_every_phrase_a_call() {
        for row in HOST_CALLS.iter().filter(|row| row.sealed == Sealed::Barrier) {
            assert!(PHRASES.iter().any(|(name, _)| *name == row.name), "add a phrase for {} to reasons.rs", row.name);
        }
        for (name, _) in PHRASES {
            assert!(
                edgepack_format::host_calls::find(name).is_some(),
                "reasons.rs names {name}, which is no host call"
            );
        }
    }
}
