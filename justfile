# Shortcuts to the commands that the documents give; no script depends on `just`.

# What there is.
default:
    @just --list

# A running server over an invented company.
demo:
    cargo run --release --bin watchpost-http -- --demo

# Everything that `cargo test` knows.
test:
    cargo test --workspace

# Formatting, lints, documentation.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Exactly what a change must pass.
ci:
    bash .ci/run

# Licences, advisories, duplicates (needs `cargo install cargo-deny`).
deny:
    cargo deny check

# Speed and memory of the parts.
bench:
    cargo bench --workspace

# The MCP clients of others against our binaries (needs Node.js and Python).
interop:
    bash tests/interop/run

# Kill -9 at random moments, a hundred rounds.
torture:
    bash tests/durability/kill-rounds 100

# Against the peers of the benchmark folder in SHARED_DIR.
bench-versus:
    bash tests/speed/versus
