//! What scripts can do, and what they can't. One binary; every test has a runner of its own.
//!
//! What hostile scripts try, and where that is tested: in Python and, where it can be said there, in JavaScript (in the file of
//! the same name below `javascript`). The files `hostile_*` run at each level that the machine gives.
//!
//! | attempt | test |
//! |---|---|
//! | fork bomb; a daemon by a double fork | `hostile_processes::processes_sockets_and_the_kernel_are_closed` (no `fork` at all) |
//! | threads that outlive `main`, bombs of threads | `hostile_processes::{what_is_left_running_never_reaches_the_next_call, threads_work_and_are_limited}` |
//! | sleeping, spinning, ignoring SIGXCPU past the timeout | `hostile_inventions::{what_ends_a_process_in_a_hurry_is_told_and_costs_one_call, what_never_ends_is_ended}`, `exits` |
//! | memory hog, deep recursion, segmentation fault, endless output | `hostile_inventions::what_ends_a_process_in_a_hurry_is_told_and_costs_one_call`, `exits` |
//! | `os._exit`, `sys.exit(text)`, SyntaxError, exception | the same |
//! | closing all descriptors | the same, and `hostile_inventions::a_channel_that_is_closed_spoilt_or_doubled_costs_its_own_calls_only` |
//! | kill(-1), kill(0), kill(parent); ptrace, process_vm_readv | `hostile_processes::processes_sockets_and_the_kernel_are_closed` |
//! | `/proc/*/mem`, `/proc/*/environ`, listing `/proc` | `hostile_files::{the_machine_s_files_are_closed, the_server_s_environment_and_descriptors_stay_with_it}` |
//! | unshare, mount, setuid(0), bpf, keyctl, io_uring, userfaultfd | `hostile_processes::processes_sockets_and_the_kernel_are_closed`, `hostile_files::the_machine_s_files_are_closed` |
//! | raw, TCP, UDP, abstract Unix sockets | `hostile_processes::processes_sockets_and_the_kernel_are_closed`, the probes (`levels`) |
//! | `/etc/shadow`, the database, another instance's files | `hostile_files::{the_machine_s_files_are_closed, another_worker_s_folder_is_closed}`, the probes |
//! | writing `/usr`, a large file | `hostile_files::{the_machine_s_files_are_closed, a_large_file_is_refused}` |
//! | filling `/tmp`, many files | `levels::a_full_folder_is_an_error_and_empty_for_the_next_call` (at `namespace`, which promises it) |
//! | files left for the next call | `hostile_files::{its_own_folder_works_and_is_empty_for_the_next_call, nothing_is_left_on_the_disk}` |
//! | bombs of descriptors, memfd | `hostile_processes::{too_many_descriptors_fail_alone, memory_that_no_limit_counts_and_watching_files_are_refused}` |
//! | forging or flooding answers | `hostile_processes::{forged_answers_stay_with_their_script, an_answer_for_the_next_call_is_not_taken, a_flood_of_output_does_not_stop_the_timer}` |
//! | never reading its input | `hostile_inventions::an_input_that_nobody_reads_ends_with_the_timeout` |
//! | an instance's 100 sleeping calls | `fairness::a_hundred_sleeping_calls_of_one_instance_leave_workers_for_others` |
//! | a script of one instance and what is another's | `hostile_files::a_script_is_nobody`, `fresh`, `pool` |
//!
//! And of our own invention, in `hostile_inventions`: seals, offsets, locks and holes on the outputs that the server reads;
//! descriptors sent over the channel; an answer that never ends; guessed numbers of answers; a channel that is doubled or made
//! non-blocking; links in the folder that the server, as root, removes; rights, leases and watches on files that others read
//! too; storms of signals; priorities and limits; System V and POSIX objects, keys, counters, filters that ask somebody, pages
//! that are shared by merging.

// The hostile scripts run at each level, from the same files.
#![allow(clippy::duplicate_mod)]
// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

mod support;

mod arguments;
mod at_namespace;
mod at_namespace_started;
mod at_process;
mod checks;
mod exits;
mod fairness;
mod fresh;
mod javascript;
mod levels;
mod life;
mod network;
mod outside;
mod pool;
mod responses;
mod styles;
mod zygote;
