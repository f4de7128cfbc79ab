#!/bin/sh
# Write the lock files from pyproject.toml; `tools/lock.sh --upgrade` takes the newest versions that fit.
set -eu
export UV_CUSTOM_COMPILE_COMMAND="make lock"
upgrade=${1:-}
compile() {
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url $upgrade "$@"
}
compile --output-file requirements/uv.txt requirements/uv.in
compile --output-file requirements/runtime.txt --group build pyproject.toml
compile --output-file requirements/dev.txt --constraint requirements/runtime.txt \
    --group build --group test --group check --group docs pyproject.toml
