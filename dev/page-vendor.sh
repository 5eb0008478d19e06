#!/usr/bin/env bash
# Renews the libraries of the web page, which are kept as files: gateway/genpool_gateway/page/vendor, and the checker of
# accessibility for the tests. docs/adr/0021 says why these. Versions stand here; npm checks what it fetches.
set -euo pipefail
PREACT=11.2.0 HTM=3.1.1 AXE=4.14.1
cd "$(dirname "$0")/.."
page=gateway/genpool_gateway/page/vendor
axe=tests/integration/gateway/page/vendor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for package in "preact@$PREACT" "htm@$HTM" "axe-core@$AXE"; do
  mkdir "$work/${package%@*}"
  npm pack --silent --pack-destination "$work" "$package" >/dev/null
  tar xzf "$work/${package/@/-}.tgz" -C "$work/${package%@*}" --strip-components 1
done
mkdir -p "$page" "$axe"
plain() { sed -E 's|//# sourceMappingURL=.*$||' "$1"; }
plain "$work/preact/dist/preact.mjs" >"$page/preact.js"
plain "$work/preact/hooks/dist/hooks.mjs" | sed 's|from"preact"|from"./preact.js"|' >"$page/hooks.js"
plain "$work/htm/dist/htm.module.js" >"$page/htm.js"
cp "$work/axe-core/axe.min.js" "$axe/axe.min.js"
{
  printf 'preact.js and hooks.js: preact %s\n\n' "$PREACT"; cat "$work/preact/LICENSE"
  printf '\n\nhtm.js: htm %s\n\n' "$HTM"; cat "$work/htm/LICENSE"
} >"$page/LICENSES.txt"
{ printf 'axe.min.js: axe-core %s\n\n' "$AXE"; cat "$work/axe-core/LICENSE"; } >"$axe/LICENSES.txt"
wc -c "$page"/*.js "$axe"/*.js
