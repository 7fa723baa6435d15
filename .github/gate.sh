#!/usr/bin/env bash
# What action.yml runs: builds lockbench from the action's own checkout, makes
# sure that the base is there, and gates. Its exit code is the gate's.
set -euo pipefail

bin=$(mktemp -d)
(cd "$ACTION" && go build -o "$bin/lockbench" ./cmd/lockbench)

# actions/checkout fetches one commit; the base is another.
if [ -z "$BASE" ] || [ "$BASE" = 0000000000000000000000000000000000000000 ]; then
	echo "::error title=lockbench gate::no base: want the input base, since the event has none"
	exit 2
fi
git cat-file -e "$BASE^{commit}" 2>/dev/null || git fetch --no-tags --depth=1 origin "$BASE"

report=${RUNNER_TEMP:-$bin}/lockbench-gate
flags=(--base "$BASE" --format github --out "$report")
pass() { [ -z "$2" ] || flags+=("$1=$2"); } # only what is set: a flag goes before the config
pass --head "$HEAD"
pass --bench "$BENCH"
pass --skip "$SKIP"
pass --margin "$MARGIN"
pass --budget "$BUDGET"
pass --config "$CONFIG"
pass --cannot-tell "$CANNOT_TELL"
read -ra words <<<"$PACKAGES"
for p in ${words[@]+"${words[@]}"}; do pass --packages "$p"; done
read -ra words <<<"$ARGS"

code=0
"$bin/lockbench" gate "${flags[@]}" ${words[@]+"${words[@]}"} || code=$?
verdict=
[ ! -f "$report/verdict" ] || verdict=$(cat "$report/verdict")
if [ -n "${GITHUB_OUTPUT:-}" ]; then
	printf 'verdict=%s\nreport=%s\n' "$verdict" "$report" >>"$GITHUB_OUTPUT"
fi
exit "$code"
