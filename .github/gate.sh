#!/usr/bin/env bash
# What action.yml runs: builds lockbench from the action's own checkout, makes
# sure that the base is there, gates, and comments on the pull request. Its exit
# code is the gate's, except that "cannot tell" is a warning.
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
for name in head bench skip cpus cpu tags unit metric margin fdr confidence budget min-rounds timeout cannot-tell new removed \
	slice builds pin seed history machine locks tolerance config; do
	variable=$(tr a-z- A-Z_ <<<"$name")
	pass "--$name" "${!variable}"
done
for name in exact sim; do
	variable=$(tr a-z- A-Z_ <<<"$name")
	case ${!variable} in
	'' | false) ;;
	true) flags+=("--$name") ;;
	*)
		echo "::error title=lockbench gate::$name: want true or false, have ${!variable}"
		exit 2
		;;
	esac
done
read -ra words <<<"$PACKAGES"
for p in ${words[@]+"${words[@]}"}; do pass --packages "$p"; done
read -ra words <<<"$WITH"
for p in ${words[@]+"${words[@]}"}; do pass --with "$p"; done
read -ra words <<<"$ARGS"

code=0
"$bin/lockbench" gate "${flags[@]}" ${words[@]+"${words[@]}"} || code=$?
verdict=
[ ! -f "$report/verdict" ] || verdict=$(cat "$report/verdict")
if [ -n "${GITHUB_OUTPUT:-}" ]; then
	printf 'verdict=%s\nreport=%s\n' "$verdict" "$report" >>"$GITHUB_OUTPUT"
fi

# comment writes the report into the one comment that the pull request has of it.
comment() {
	local comments="repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" ids request
	# A comment cannot show a file, so it has no picture.
	grep -v "^!\[" "$report/report.md" >"$bin/comment.md" || return
	ids=$(gh api --paginate "$comments" --jq '.[] | select(.body | startswith("<!-- lockbench gate -->")) | .id') || return
	request=(--method POST "$comments")
	[ -z "$ids" ] || request=(--method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/${ids%%$'\n'*}")
	gh api "${request[@]}" --field "body=@$bin/comment.md" >/dev/null
}

case $COMMENT in
'' | false) ;;
*)
	if [ -z "$PULL_REQUEST" ] || [ -z "$verdict" ]; then
		: # a push has no pull request, and what was interrupted has no report
	elif ! command -v gh >/dev/null; then
		echo "::notice title=lockbench gate::no comment: this runner has no gh; the summary of the job has the report"
	elif ! comment 2>"$bin/why"; then
		why=$(tr '\n' ' ' <"$bin/why")
		echo "::notice title=lockbench gate::no comment: the token may not write one: it wants pull-requests: write, which that of a fork never has; the summary of the job has the report (${why//%/%25})"
	fi
	;;
esac

if [ "$code" = 3 ]; then
	echo "::warning title=lockbench gate::nothing is known to be worse, but some of it cannot be told; the report says what it would take"
	code=0
fi
exit "$code"
