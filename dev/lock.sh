#!/usr/bin/env bash
# Renews requirements/*.txt: every version with its hashes, and no word of where it was fetched. dev.txt is the one
# resolution, of all programs and tools; the other files take their versions from it, so that images ship what tests ran.
# Versions stay while they fit; `bash dev/lock.sh --upgrade` or `--upgrade-package NAME` renews them.
set -euo pipefail
options=("$@")
compile() {
  .venv/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
    --python-version 3.11 --universal "${options[@]}" "$@"
}
compile pyproject.toml --extra dev --output-file requirements/dev.txt
for extra in operator worker gateway; do
  compile pyproject.toml --extra "$extra" --constraint requirements/dev.txt --output-file "requirements/$extra.txt"
done
for name in build comfyui-standin; do
  compile "requirements/$name.in" --constraint requirements/dev.txt --output-file "requirements/$name.txt"
done
