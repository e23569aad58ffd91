//! The imported host calls, one line per row of `edgepack_format::host_calls`. A test of the stub compares the two.
//! In the guest they are wasm imports; natively the stub's library provides them.

macro_rules! host_calls {
    ($($name:ident = $native:literal ($($param:ident: $ty:ty),*) $(-> $result:ty)?;)*) => {
        #[cfg_attr(target_arch = "wasm32", link(wasm_import_module = "edge"))]
        unsafe extern "C" {
            $(
                #[cfg_attr(not(target_arch = "wasm32"), link_name = $native)]
                pub(crate) fn $name($($param: $ty),*) $(-> $result)?;
            )*
        }
    };
}

host_calls! {
    program_args = "edge_program_args" (p0: *mut u8, p1: usize) -> i32;
    program_exit = "edge_program_exit" (p0: i32);
    program_panic = "edge_program_panic" (p0: *const u8, p1: usize);
    env_get = "edge_env_get" (p0: *const u8, p1: usize, p2: *mut u8, p3: usize) -> i32;
    env_names = "edge_env_names" (p0: *mut u8, p1: usize) -> i32;
    cwd_get = "edge_cwd_get" (p0: *mut u8, p1: usize) -> i32;
    cwd_set = "edge_cwd_set" (p0: *const u8, p1: usize) -> i32;
    process_id = "edge_process_id" (p0: i32) -> i32;
    user_id = "edge_user_id" (p0: i32) -> i32;
    umask = "edge_umask" (p0: i32) -> i32;
    kill = "edge_kill" (p0: i32, p1: i32) -> i32;
    signal_watch = "edge_signal_watch" (p0: i32, p1: i32) -> i32;
    target_machine = "edge_target_machine" () -> i32;
    system_info = "edge_system_info" (p0: i32, p1: *mut u8, p2: usize) -> i32;
    resource_usage = "edge_resource_usage" (p0: *mut u8) -> i32;
    memory_usage = "edge_memory_usage" (p0: *mut u8) -> i32;
    clock_realtime = "edge_clock_realtime" () -> i64;
    clock_monotonic = "edge_clock_monotonic" () -> i64;
    timezone_offset = "edge_timezone_offset" (p0: i64) -> i32;
    timezone_name = "edge_timezone_name" (p0: *mut u8, p1: usize) -> i32;
    random_fill = "edge_random_fill" (p0: *mut u8, p1: usize) -> i32;
    wait = "edge_wait" (p0: i64, p1: *mut u8, p2: usize) -> i32;
    watch = "edge_watch" (p0: i32, p1: i32) -> i32;
    stdio_kind = "edge_stdio_kind" (p0: i32) -> i32;
    stdio_is_output = "edge_stdio_is_output" (p0: i32) -> i32;
    stdio_write = "edge_stdio_write" (p0: i32, p1: *const u8, p2: usize) -> i32;
    stream_read = "edge_stream_read" (p0: i32, p1: *mut u8, p2: usize) -> i32;
    stream_write = "edge_stream_write" (p0: i32, p1: *const u8, p2: usize) -> i32;
    stream_shutdown = "edge_stream_shutdown" (p0: i32) -> i32;
    stream_close = "edge_stream_close" (p0: i32) -> i32;
    tty_size = "edge_tty_size" (p0: i32, p1: *mut u8) -> i32;
    tty_mode = "edge_tty_mode" (p0: i32, p1: i32) -> i32;
    tcp_open = "edge_tcp_open" (p0: i32) -> i32;
    tcp_bind = "edge_tcp_bind" (p0: i32, p1: *const u8, p2: i32) -> i32;
    tcp_connect = "edge_tcp_connect" (p0: i32, p1: *const u8) -> i32;
    unix_open = "edge_unix_open" () -> i32;
    unix_bind = "edge_unix_bind" (p0: i32, p1: *const u8, p2: usize) -> i32;
    unix_connect = "edge_unix_connect" (p0: i32, p1: *const u8, p2: usize) -> i32;
    socket_listen = "edge_socket_listen" (p0: i32, p1: i32) -> i32;
    socket_accept = "edge_socket_accept" (p0: i32) -> i32;
    socket_error = "edge_socket_error" (p0: i32) -> i32;
    socket_name = "edge_socket_name" (p0: i32, p1: i32, p2: *mut u8) -> i32;
    socket_option = "edge_socket_option" (p0: i32, p1: i32, p2: i32) -> i32;
    resolve = "edge_resolve" (p0: *const u8, p1: usize, p2: i32, p3: i32) -> i32;
    resolve_result = "edge_resolve_result" (p0: i32, p1: *mut u8, p2: usize) -> i32;
    file_open = "edge_file_open" (p0: *const u8, p1: usize, p2: i32, p3: i32) -> i32;
    file_close = "edge_file_close" (p0: i32) -> i32;
    file_read = "edge_file_read" (p0: i32, p1: *mut u8, p2: usize, p3: i64) -> i32;
    file_write = "edge_file_write" (p0: i32, p1: *const u8, p2: usize, p3: i64) -> i32;
    file_stat = "edge_file_stat" (p0: i32, p1: *mut u8) -> i32;
    file_truncate = "edge_file_truncate" (p0: i32, p1: i64) -> i32;
    file_sync = "edge_file_sync" (p0: i32, p1: i32) -> i32;
    file_chmod = "edge_file_chmod" (p0: i32, p1: i32) -> i32;
    file_chown = "edge_file_chown" (p0: i32, p1: i32, p2: i32) -> i32;
    file_times = "edge_file_times" (p0: i32, p1: i64, p2: i64) -> i32;
    path_stat = "edge_path_stat" (p0: *const u8, p1: usize, p2: i32, p3: *mut u8) -> i32;
    path_statfs = "edge_path_statfs" (p0: *const u8, p1: usize, p2: *mut u8) -> i32;
    path_access = "edge_path_access" (p0: *const u8, p1: usize, p2: i32) -> i32;
    path_list = "edge_path_list" (p0: *const u8, p1: usize, p2: *mut u8, p3: usize) -> i32;
    path_readlink = "edge_path_readlink" (p0: *const u8, p1: usize, p2: *mut u8, p3: usize) -> i32;
    path_realpath = "edge_path_realpath" (p0: *const u8, p1: usize, p2: *mut u8, p3: usize) -> i32;
    path_mkdir = "edge_path_mkdir" (p0: *const u8, p1: usize, p2: i32) -> i32;
    path_rmdir = "edge_path_rmdir" (p0: *const u8, p1: usize) -> i32;
    path_unlink = "edge_path_unlink" (p0: *const u8, p1: usize) -> i32;
    path_rename = "edge_path_rename" (p0: *const u8, p1: usize, p2: *const u8, p3: usize) -> i32;
    path_link = "edge_path_link" (p0: *const u8, p1: usize, p2: *const u8, p3: usize) -> i32;
    path_symlink = "edge_path_symlink" (p0: *const u8, p1: usize, p2: *const u8, p3: usize) -> i32;
    path_chmod = "edge_path_chmod" (p0: *const u8, p1: usize, p2: i32) -> i32;
    path_chown = "edge_path_chown" (p0: *const u8, p1: usize, p2: i32, p3: i32, p4: i32) -> i32;
    path_times = "edge_path_times" (p0: *const u8, p1: usize, p2: i64, p3: i64, p4: i32) -> i32;
    path_copy = "edge_path_copy" (p0: *const u8, p1: usize, p2: *const u8, p3: usize, p4: i32) -> i32;
}
