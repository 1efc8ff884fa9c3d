#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How much of the code the test programs run: lines, by folder and by file, for the graph, the
# kernels' plain parts and the CPU device. Needs gcc and Debian's lcov; some five minutes.
#     scripts/coverage.sh [FOLDER]      build in FOLDER (build/coverage), after ./bootstrap
set -eu
sources=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-build/coverage}
mkdir -p "$folder" && cd "$folder"
[ -f Makefile ] || "$sources/configure" --quiet --disable-shared CC=gcc \
	CFLAGS='-O0 -g --coverage -fprofile-update=atomic' LDFLAGS=--coverage
make -j"$(nproc)" > make.log 2>&1
find . -name '*.gcda' -exec rm -f {} +
make -j"$(nproc)" "${ADZE_COVERAGE_TARGET:-check-short}" > check.log 2>&1 ||
	echo "coverage: tests failed, see $folder/check.log" >&2
lcov --quiet --capture --directory . --output-file all.info 2> lcov.log
for part in ir kernels devices/cpu src/base src; do
	lcov --quiet --extract all.info "$sources/$part/*" --output-file part.info 2>> lcov.log
	lcov --summary part.info 2>&1 | awk -v part="$part" '
		/lines/ { print part ": " $2 " of lines, " substr($3, 2) " of " $5 }'
done
lcov --quiet --extract all.info "$sources/ir/*" "$sources/kernels/*" "$sources/devices/cpu/*" \
	--output-file part.info 2>> lcov.log
lcov --list part.info 2> /dev/null | awk -F'|' '/%/ && $2 + 0 < 95 { print "  below 95 %: " $1, $2 }'
