# Shortcuts for the commands in the documentation. No script depends on `just`.

# Lists the recipes.
default:
    @just --list

# Runs a server with the data of an invented company.
demo:
    cargo run --bin watchpost-http -- --demo

# Runs all Rust tests.
test:
    cargo test --workspace

# Checks formatting, lints and documentation.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Runs exactly the checks that a change must pass.
ci:
    bash .ci/run

# Checks licenses, advisories and duplicate versions (needs `cargo install cargo-deny`).
deny:
    cargo deny check

# Measures the speed and memory of single components.
bench:
    cargo bench --workspace

# Runs third-party MCP clients against our binaries (needs Node.js and Python).
interop:
    bash tests/interop/run

# Runs the long form of the checks that `ci` runs in a short form.
full:
    bash tests/full/run

# Kills the server at random moments, a hundred times.
torture:
    bash tests/durability/kill-rounds 100

# Measures Watchpost against the other servers in the benchmark directory of SHARED_DIR.
bench-versus:
    bash tests/speed/versus
