#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzzer of a build for some seconds, from its corpus in tests/fuzz/corpus. What
# it finds is left in BUILD/tests/fuzz. Speaks TAP: run_fuzz.sh SOURCES BUILD SECONDS
set -u
sources=$(cd "$1" && pwd)
cd "$2/tests/fuzz" || exit 1
n=0 failed=0
fuzzers=$(ls "$sources"/tests/fuzz/*_fuzz.c)
echo "1..$(echo "$fuzzers" | wc -l)"
for fuzzer in $fuzzers; do
	name=$(basename "$fuzzer" .c)
	n=$((n + 1))
	mkdir -p "$name.found"
	corpus=$sources/tests/fuzz/corpus/${name%_fuzz}
	[ -d "$corpus" ] || corpus=
	# Golden files are graphs.
	[ "$name" != air_fuzz ] || corpus="$corpus $sources/tests/golden"
	if "./$name" -max_total_time="$3" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$name.found/" "$name.found" $corpus > "$name.log" 2>&1; then
		echo "ok $n - $name, $(sed -n 's/^stat::number_of_executed_units: *//p' "$name.log") inputs"
	else
		failed=$((failed + 1))
		echo "not ok $n - $name"
		tail -n 40 "$name.log" | sed 's/^/# /'
	fi
done
exit $((failed != 0))
