;; A guest as small as the contract allows. Its "script" is a row of letters, each one step: see `$execute`.
;; State lives in memory only: 64 position, 68 steps, 72 script, 76 its length, 80 heap top, 84 last result.
(module
  (import "edge" "stdio_write" (func $stdio_write (param i32 i32 i32) (result i32)))
  (import "edge" "stdio_kind" (func $stdio_kind (param i32) (result i32)))
  (import "edge" "env_get" (func $env_get (param i32 i32 i32 i32) (result i32)))
  (import "edge" "env_names" (func $env_names (param i32 i32) (result i32)))
  (import "edge" "cwd_get" (func $cwd_get (param i32 i32) (result i32)))
  (import "edge" "file_open" (func $file_open (param i32 i32 i32 i32) (result i32)))
  (import "edge" "target_machine" (func $target_machine (result i32)))
  (import "edge" "clock_realtime" (func $clock_realtime (result i64)))
  (import "edge" "program_panic" (func $program_panic (param i32 i32)))
  (memory (export "memory") 4)
  (global $sp (export "__stack_pointer") (mut i32) (i32.const 65536))
  (data (i32.const 16) "PORT")
  (data (i32.const 24) "/data/config")
  (data (i32.const 40) "broken")
  (data (i32.const 128) "    at <anonymous> (/app/main.js:0:5)")

  ;; Takes anything for a library.
  (func (export "edge_bootstrap") (param $at i32) (param $length i32) (result i32)
    (i32.store (i32.const 88) (i32.wrap_i64 (call $clock_realtime)))
    (i32.const 0))

  (func (export "edge_alloc") (param $bytes i32) (result i32)
    (if (i32.eqz (i32.load (i32.const 80))) (then (i32.store (i32.const 80) (i32.const 131072))))
    (i32.load (i32.const 80))
    (i32.store (i32.const 80) (i32.add (i32.load (i32.const 80)) (local.get $bytes))))

  ;; Skips magic, mode and entry.
  (func (export "edge_load") (param $at i32) (param $length i32) (result i32)
    (local.set $at (i32.add (local.get $at) (i32.const 9)))
    (local.set $at (i32.add (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 4))))
    (i32.store (i32.const 76) (i32.load (local.get $at)))
    (i32.store (i32.const 72) (i32.add (local.get $at) (i32.const 4)))
    ;; An empty script is refused.
    (i32.eqz (i32.load (i32.const 76))))

  (func (export "edge_steps") (result i64) (i64.sub (i64.extend_i32_u (i32.load (i32.const 68))) (i64.const 1)))

  (func (export "edge_backtrace") (param $at i32) (param $capacity i32) (result i32)
    (memory.copy (local.get $at) (i32.const 128) (i32.const 37))
    (i32.store8 (i32.add (local.get $at) (i32.const 33)) (i32.add (i32.const 48) (i32.load (i32.const 68))))
    (i32.const 37))

  (func (export "edge_start") (param $stop_at i64) (result i32)
    (local $letter i32)
    (loop $next
      (if (i32.ge_u (i32.load (i32.const 64)) (i32.load (i32.const 76))) (then (return (i32.const 1))))
      (if (i64.eq (i64.extend_i32_u (i32.load (i32.const 68))) (local.get $stop_at)) (then (return (i32.const 0))))
      (i32.store (i32.const 68) (i32.add (i32.load (i32.const 68)) (i32.const 1)))
      (local.set $letter (i32.load8_u (i32.add (i32.load (i32.const 72)) (i32.load (i32.const 64)))))
      (i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.const 1)))
      (if (i32.eq (local.get $letter) (i32.const 0x74 (; t ;))) (then (return (i32.const 2))))
      (call $execute (local.get $letter))
      (br $next))
    (unreachable))

  (func $execute (param $letter i32)
    (if (i32.eq (local.get $letter) (i32.const 0x77 (; w: writes its own letter and the position ;))) (then
      (i32.store8 (i32.const 96) (i32.const 0x77))
      (i32.store8 (i32.const 97) (i32.add (i32.const 48) (i32.load (i32.const 64))))
      (call $result (call $stdio_write (i32.const 1) (i32.const 96) (i32.const 2)))))
    (if (i32.eq (local.get $letter) (i32.const 0x6b (; k: asks what stdout is ;))) (then
      (call $result (call $stdio_kind (i32.const 1)))))
    (if (i32.eq (local.get $letter) (i32.const 0x65 (; e: reads PORT ;))) (then
      (call $result (call $env_get (i32.const 16) (i32.const 4) (i32.const 96) (i32.const 16)))))
    (if (i32.eq (local.get $letter) (i32.const 0x6e (; n: lists the environment ;))) (then
      (call $result (call $env_names (i32.const 96) (i32.const 16)))))
    (if (i32.eq (local.get $letter) (i32.const 0x64 (; d: asks for the directory ;))) (then
      (call $result (call $cwd_get (i32.const 96) (i32.const 16)))))
    (if (i32.eq (local.get $letter) (i32.const 0x66 (; f: opens a file for reading ;))) (then
      (call $result (call $file_open (i32.const 24) (i32.const 12) (i32.const 0) (i32.const 0)))))
    (if (i32.eq (local.get $letter) (i32.const 0x6d (; m: asks for the machine ;))) (then
      (call $result (call $target_machine))))
    (if (i32.eq (local.get $letter) (i32.const 0x63 (; c: reads the clock ;))) (then
      (call $result (i32.wrap_i64 (call $clock_realtime)))))
    (if (i32.eq (local.get $letter) (i32.const 0x70 (; p: panics ;))) (then
      (call $program_panic (i32.const 40) (i32.const 6))))
    (if (i32.eq (local.get $letter) (i32.const 0x75 (; u: traps ;))) (then (unreachable)))
    (if (i32.eq (local.get $letter) (i32.const 0x6c (; l: never ends ;))) (then (loop $ever (br $ever))))
  )

  (func $result (param $value i32) (i32.store (i32.const 84) (local.get $value))))
