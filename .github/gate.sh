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
set -- --base "$BASE" --head "$HEAD" --bench "$BENCH" --margin "$MARGIN" --budget "$BUDGET" --format github --out "$report"
read -ra packages <<<"$PACKAGES"
for p in "${packages[@]}"; do set -- "$@" --packages "$p"; done
[ -z "$CONFIG" ] || set -- "$@" --config "$CONFIG"
[ -z "$CANNOT_TELL" ] || set -- "$@" --cannot-tell "$CANNOT_TELL"
read -ra args <<<"$ARGS"

code=0
"$bin/lockbench" gate "$@" "${args[@]}" || code=$?
verdict=
[ ! -f "$report/verdict" ] || verdict=$(cat "$report/verdict")
if [ -n "${GITHUB_OUTPUT:-}" ]; then
	printf 'verdict=%s\nreport=%s\n' "$verdict" "$report" >>"$GITHUB_OUTPUT"
fi
exit "$code"
