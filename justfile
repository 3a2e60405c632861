# Recipes for people. `just` lists them; CI runs `just ci` and nothing else.

default:
    @just --list

# Everything on this machine, nothing configured
run *args:
    cargo run -- {{args}}

test *args:
    cargo test --workspace {{args}}

ci:
    .ci/run

# Regenerate openapi/openapi.json and the TypeScript client
openapi:
    cargo run --quiet -- openapi > openapi/openapi.json.new
    mv openapi/openapi.json.new openapi/openapi.json
    cd openapi && npm ci --silent --no-audit --no-fund && npm run --silent generate

# Run the conformance suite against every provider's sandbox and write docs/conformance.md
conformance:
    WRITE_CONFORMANCE=1 cargo test --quiet -p pg-adapter --test it conformance

# Check the SQL against the database of a running `just run` and remember the answers in .sqlx
prepare:
    #!/usr/bin/env bash
    set -euo pipefail
    export DATABASE_URL=$(sed -n 's/.*"database_url":"\([^"]*\)".*/\1/p' .dangol/running.json)
    rm -f .sqlx/*.json && mkdir -p .sqlx
    touch crates/{platform,identity,billing,booking,crm,exports,messaging,notifications,reporting}/src/lib.rs
    SQLX_OFFLINE_DIR="$PWD/.sqlx" cargo check --workspace

# Benchmarks: `just bench billing-run`, and `api`, `reconcile`, `webhooks`, `reports`, `import`, `export`, `segments`, `fanout`, `campaign`
bench name *args:
    cargo run --release -p bench -- {{name}} {{args}}
