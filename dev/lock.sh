#!/usr/bin/env bash
# Renews requirements/*.txt: every version with its hashes, and no word of where it was fetched.
set -euo pipefail
compile() {
  .venv/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
    --python-version 3.11 --universal "$@"
}
for extra in operator worker gateway dev; do
  compile pyproject.toml --extra "$extra" --output-file "requirements/$extra.txt"
done
for name in build comfyui-standin; do
  compile "requirements/$name.in" --output-file "requirements/$name.txt"
done
