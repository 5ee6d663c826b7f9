# The commands worth remembering. `just ci` is what CI runs.

# List the commands
default:
    @just --list

# Run the demo: two stand-in systems, every flow of the pair
try *ARGS:
    cargo run -- demo {{ ARGS }}

# Check the flows that come with Weft
check:
    cargo run -- check flows/*/*.flow

# All tests
test:
    cargo test --workspace

# Take what the golden files now say; the diff is the review
accept:
    INSTA_UPDATE=always cargo test --workspace

# Formatting and lints, warnings denied
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# The documentation of the code
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Licences, advisories and sources of everything we depend on. Without an advisory database
# on the machine (it lives in a repository of its own) advisories are left out, and said so.
deny:
    cargo deny --offline check advisories || echo "no advisory database here: advisories were not checked"
    cargo deny check bans licenses sources

# Look for texts that break a promise, so many seconds for each target
fuzz SECONDS="60" *TARGETS:
    fuzz/run {{ SECONDS }} {{ TARGETS }}

# Months of the daemon in seconds, alone, so that its memory says something
soak:
    WEFT_SOAK=1 cargo test -p engine --lib soak -- --nocapture

# Kill the daemon with -9 at random, so many rounds from that seed on; each says its seed
crash ROUNDS="20" SEED="1":
    WEFT_CRASH_ROUNDS={{ ROUNDS }} WEFT_CRASH_SEED={{ SEED }} cargo test -p engine --test cli crash -- --nocapture

# What things cost beside programs written by hand, some minutes; `just bench small` tries it
bench *ARGS:
    cargo build --release --bin weft
    cargo bench -p benches --bench mapping
    cargo bench -p benches --bench check
    cargo bench -p benches --bench sync -- {{ ARGS }}

# What CI runs
ci: test lint docs deny (fuzz "15")

# The guides as a book, in target/book
book:
    command -v mdbook >/dev/null || cargo install --locked mdbook
    mdbook build
