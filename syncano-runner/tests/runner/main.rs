//! What scripts can do, and what they can't. One binary; every test has a runner of its own.
//!
//! What hostile scripts try, and where that is tested. The files `hostile_*` run at `process` and at `namespace`, and there
//! against copied and against started processes of Python. In JavaScript it is the test of the same file below `javascript`,
//! with the same name unless another stands after the semicolon; a dash: no JavaScript can say it.
//!
//! | attempt | test |
//! |---|---|
//! | fork bomb; a daemon by a double fork | `hostile_processes::processes_sockets_and_the_kernel_are_closed`; `processes_and_sockets_are_closed`, `bombs_fail_alone` |
//! | threads that outlive `main`, bombs of threads | `hostile_processes::{what_is_left_running_never_reaches_the_next_call, threads_work_and_are_limited}`; `threads_are_the_process_s_own`, `bombs_fail_alone`, `nothing_that_a_call_leaves_outlives_it` |
//! | sleeping, spinning, ignoring SIGXCPU past the timeout; endless output | `hostile_inventions::what_ends_a_process_in_a_hurry_is_told_and_costs_one_call`; `what_never_ends_is_ended` |
//! | memory hog, deep recursion | `hostile_inventions::what_ends_a_process_in_a_hurry_is_told_and_costs_one_call` |
//! | segmentation fault | the same; `process.abort()` there |
//! | `os._exit`, `sys.exit(text)`, SyntaxError, exception | the same |
//! | closing all descriptors | the same; `outputs_and_channel_that_are_spoilt_cost_its_own_calls_only` |
//! | kill(-1), kill(0), kill(parent) | `hostile_processes::processes_sockets_and_the_kernel_are_closed`; `processes_and_sockets_are_closed` |
//! | ptrace, process_vm_readv | the same; `process._debugProcess` there |
//! | `/proc/*/mem`, `/proc/*/environ`, listing `/proc` | `hostile_files::{the_machine_s_files_are_closed, the_server_s_environment_and_descriptors_stay_with_it}` |
//! | setuid(0) | `hostile_processes::processes_sockets_and_the_kernel_are_closed`; `hostile_files::the_machine_s_files_are_closed` |
//! | unshare, mount, bpf, keyctl, io_uring, userfaultfd; raw sockets | `hostile_processes::processes_sockets_and_the_kernel_are_closed`; — |
//! | TCP, UDP, abstract Unix sockets | the same; `processes_and_sockets_are_closed` |
//! | `/etc/shadow`, the database | `hostile_files::the_machine_s_files_are_closed` |
//! | another instance's files | `hostile_files::another_worker_s_folder_is_closed` |
//! | writing `/usr`, a large file | `hostile_files::{the_machine_s_files_are_closed, a_large_file_is_refused}` |
//! | filling `/tmp`, 5,000 files | at `namespace`, which promises it: `levels::a_full_folder_is_an_error_and_empty_for_the_next_call`; the same with `_in_javascript` |
//! | files left for the next call | `hostile_files::{its_own_folder_works_and_is_empty_for_the_next_call, nothing_is_left_on_the_disk}`; `its_own_folder_works_and_is_gone_afterwards` |
//! | bombs of descriptors | `hostile_processes::too_many_descriptors_fail_alone`; `bombs_fail_alone` |
//! | memfd | `hostile_processes::memory_that_no_limit_counts_and_watching_files_are_refused`; — |
//! | forging or flooding answers | `hostile_processes::{forged_answers_stay_with_their_script, an_answer_for_the_next_call_is_not_taken, a_flood_of_output_does_not_stop_the_timer}`; `forged_answers_stay_with_their_script`, `hostile_internals` |
//! | never reading its input | `hostile_inventions::an_input_that_nobody_reads_ends_with_the_timeout` |
//! | an instance's 100 sleeping calls | the same at each level, since only the server decides: `fairness::a_hundred_sleeping_calls_of_one_instance_leave_workers_for_others`; `a_hundred_sleeping_calls_in_javascript_leave_workers_for_others` |
//! | a script of one instance and what is another's | `hostile_files::{a_script_is_nobody, another_worker_s_folder_is_closed}`, `fresh`, `pool` |
//!
//! And of our own invention, in `hostile_inventions`: seals, offsets, locks and holes on the outputs that the server reads;
//! descriptors sent over the channel; an answer that never ends; guessed numbers of answers; a channel that is doubled or made
//! non-blocking; links in the folder that the server, as root, removes; rights, leases and watches on files that others read
//! too; storms of signals; priorities and limits; System V and POSIX objects, keys, counters, filters that ask somebody, pages
//! that are shared by merging. JavaScript tries what of it can be said there: outputs, channel, folder, rights on files,
//! priorities.

// The hostile scripts run at each level, from the same files.
#![allow(clippy::duplicate_mod)]
// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

mod support;

mod arguments;
mod at_namespace;
mod at_namespace_started;
mod at_process;
mod backlog;
mod checks;
mod exits;
mod fairness;
mod folders;
mod fresh;
mod javascript;
mod leftovers;
mod levels;
mod life;
mod lifespan;
mod machine;
mod memory;
mod network;
mod outside;
mod pool;
mod responses;
mod styles;
mod values;
mod zygote;
