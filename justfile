# The everyday commands. `just` lists them; each is one line that also works without `just`.

# Lists the commands.
default:
    @just --list

# Formats the code, and checks it as CI does.
check:
    cargo fmt --all
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Runs the tests of one crate, those whose name contains FILTER if it is given: `just test syncano-core names`.
test CRATE FILTER='':
    cargo test -p {{CRATE}} --locked -- {{FILTER}}

# Runs all tests of the workspace.
test-all:
    cargo test --workspace --locked

# Runs one case of the macro's compile errors, by its file name: `just ui script_missing`.
ui CASE:
    cargo test -p syncano-client --test ui --locked -- trybuild={{CASE}}

# Rewrites the expected texts: compile errors, expansions, `--help`, types. Read the difference before you commit it.
goldens:
    TRYBUILD=overwrite cargo test -p syncano-client --test ui --locked
    INSTA_UPDATE=always cargo test -p syncano-macros --locked
    UPDATE_GOLDEN=1 cargo test -p syncano-cli --test help --locked
    UPDATE_GOLDEN=1 cargo test -p syncano-cli --test types --locked

# Opens the documentation of the crates.
docs:
    cargo doc --workspace --no-deps --locked --open

# Measures calls, in the short form that CI runs: NAME is peers, growth or large.
bench NAME:
    benches/{{NAME}}.py --smoke

# Checks licences, banned crates and sources of the dependencies; needs cargo-deny.
deny:
    cargo deny check bans licenses sources

# Checks the spelling; needs typos.
spelling:
    typos

# Everything that must hold before a change lands.
ci:
    .ci/run
