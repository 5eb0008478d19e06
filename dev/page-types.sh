#!/usr/bin/env bash
# Checks the JSDoc types of the web page with TypeScript, which npm brings into a folder that is gone afterwards.
set -euo pipefail
TYPESCRIPT=5 PREACT=11.2.0 HTM=3.1.1
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/page/vendor"
cp -r gateway/genpool_gateway/page/js "$work/page/"
echo 'export * from "preact";' >"$work/page/vendor/preact.d.ts"
echo 'export * from "preact/hooks";' >"$work/page/vendor/hooks.d.ts"
echo 'export { default } from "htm";' >"$work/page/vendor/htm.d.ts"
cat >"$work/tsconfig.json" <<'JSON'
{"compilerOptions": {"checkJs": true, "allowJs": true, "noEmit": true, "strict": true, "target": "es2022", "module": "esnext",
 "moduleResolution": "bundler", "lib": ["es2023", "dom", "dom.iterable"], "skipLibCheck": true}, "include": ["page/js"]}
JSON
cd "$work"
npm install --silent --no-save --no-package-lock "typescript@$TYPESCRIPT" "preact@$PREACT" "htm@$HTM" >/dev/null
npx tsc --project .
echo "page-types: no fault"
