#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds and tests what `make check` in one build does not reach: another compiler,
# sanitizers, plain C kernels, each optional library left out, another processor, fuzzers,
# an installation, a release. Each has a folder and a log below BUILD/variants; a line says
# how it went, and BUILD/variants/tally has the sums: NAME PASSED FAILED SKIPPED.
#
#     variants.sh SOURCES BUILD [NAME]...     without names: all of them
set -u
if [ $# -lt 2 ] || [ ! -f "$1/configure" ]; then
	echo "usage: variants.sh SOURCES BUILD [NAME]...   (after ./bootstrap)" >&2
	exit 2
fi
sources=$(cd "$1" && pwd)
mkdir -p "$2/variants"
variants=$(cd "$2/variants" && pwd)
shift 2
jobs=-j$(nproc)
: > "$variants/tally"
unset ADZE_ISA ADZE_THREADS ADZE_LOG ADZE_CACHE_DIR ADZE_BLAS ADZE_BIND MAKEFLAGS

# count NAME PASSED FAILED SKIPPED
count() {
	echo "$1 $2 $3 $4" >> "$variants/tally"
	seconds=$(($(date +%s) - began))
	echo "variant $1: $2 passed, $3 failed, $4 skipped ($seconds s)"
	[ "$3" -eq 0 ] || grep -n '^FAIL:\|^ERROR:\|error:\|\*\*\*\|^not ok' "$variants/$1.log" |
		head -n 40 | sed "s|^|    $variants/$1.log:|"
}

# build NAME FOLDER CONFIGURE-ARGUMENT...: configures where that was not done, and makes all
build() {
	name=$1
	folder=$variants/$2
	shift 2
	began=$(date +%s)
	mkdir -p "$folder"
	find "$folder" -name '*.trs' -exec rm -f {} +
	(
		cd "$folder" || exit
		if [ ! -f Makefile ] || [ "$sources/configure" -nt config.status ]; then
			"$sources/configure" --quiet "$@" || exit
		fi
		make $jobs
	) > "$variants/$name.log" 2>&1 && return
	count "$name" 0 1 0
	return 1
}

# check NAME FOLDER TARGET: runs the tests of a build, and counts
check() {
	make -C "$2" $jobs "$3" >> "$variants/$1.log" 2>&1
	status=$?
	set -- "$1" $("$sources/tests/tally.sh" "$2")
	# Tests that could not be built leave no results.
	[ $status -eq 0 ] || [ "$3" -gt 0 ] || set -- "$1" "$2" 1 "$4"
	count "$@"
}

# tap NAME COMMAND...: counts the lines of a command that speaks TAP
tap() {
	name=$1
	shift
	"$@" > "$variants/$name.tap" 2>> "$variants/$name.log"
	cat "$variants/$name.tap" >> "$variants/$name.log"
	count "$name" $(awk '
		/^1\.\./ { planned = substr($0, 4) }
		/^not ok/ { failed++ }
		/^ok.*# SKIP/ { skipped++ }
		/^ok/ { passed++ }
		END {
			missing = planned - passed - failed
			print passed - skipped, failed + (missing > 0 || !planned), skipped + 0
		}' "$variants/$name.tap")
}

build_clang() { # NAME
	build "$1" clang CC=clang CFLAGS='-O1 -g' --enable-werror --prefix="$variants/prefix"
}
variant_clang() { build_clang clang && check clang "$folder" check; }

# ADZE_ISA is read when a program runs, so another variant's build serves.
variant_scalar() {
	build_clang scalar || return
	export ADZE_ISA=scalar
	check scalar "$folder" check
	unset ADZE_ISA
}

# The library of one compiler with programs of the other.
variant_install() {
	build_clang install || return
	rm -rf "$variants/prefix"
	CC=cc tap install sh "$sources/tests/install_test.sh" "$sources" "$folder"
}

variant_sanitize() {
	build sanitize sanitize CFLAGS='-O1 -g' --enable-sanitize --enable-werror --disable-shared \
		--without-criterion && check sanitize "$folder" check
}

# The programs in which threads meet, with ThreadSanitizer: what computes without them is left out,
# since it would take ten times as long. Criterion's runner has threads of its own.
variant_tsan() {
	build tsan tsan CFLAGS='-O1 -g' --enable-tsan --enable-werror --disable-shared \
		--without-criterion --without-openblas && check tsan "$folder" check-threads
}

build_bare() { # NAME
	build "$1" without_all CFLAGS=-O1 --enable-debug --disable-shared \
		--prefix="$variants/prefix_static" --without-openblas --without-hwloc \
		--without-criterion --without-zlib --disable-cuda --disable-futex
}
variant_without_all() { build_bare without_all && check without_all "$folder" check; }

# What a product ships: one file that needs nothing.
variant_static() {
	build_bare static || return
	rm -rf "$variants/prefix_static"
	CC=cc tap static sh "$sources/tests/install_test.sh" "$sources" "$folder" -static
}

without() { # VARIANT OPTION
	build "$1" "$1" CFLAGS=-O0 --disable-shared "$2" && check "$1" "$folder" check-short
}
variant_without_openblas() { without without_openblas --without-openblas; }
variant_without_hwloc() { without without_hwloc --without-hwloc; }
variant_without_criterion() { without without_criterion --without-criterion; }
variant_without_cuda() { without without_cuda --disable-cuda; }

# Debian's packages for aarch64, unpacked aside: nothing of the system changes.
unpack_arm64() { # FOLDER
	[ ! -f "$1/done" ] || return 0
	mkdir -p "$1/lists/partial" "$1/cache/archives/partial" "$1/root" && cd "$1" || return
	set -- -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::Cache="$1/cache" \
		-o Dir::State::lists="$1/lists" -o Dir::State::status=/dev/null \
		-o APT::Sandbox::User=root -o Dir::Etc::sourceparts="$1/sources"
	mkdir -p sources
	cp /etc/apt/sources.list.d/debian.sources sources/ 2> /dev/null
	apt-get "$@" update && apt-get "$@" download libjansson-dev libxxhash-dev || return
	for package in *.deb; do
		dpkg-deb -x "$package" root || return
	done
	# The static library alone: its shared one is another package.
	rm -f root/usr/lib/aarch64-linux-gnu/*.so && touch done
}

# All of the library where its two libraries for aarch64 can be had, else the kernels.
variant_aarch64() {
	began=$(date +%s)
	arm64=$variants/arm64-packages
	if (unpack_arm64 "$arm64") > "$variants/arm64-packages.log" 2>&1; then
		set --
	else
		echo "variant aarch64: no packages for arm64 ($variants/arm64-packages.log); kernels alone"
		set -- --enable-kernels-only
	fi
	emulator='qemu-aarch64 -L /usr/aarch64-linux-gnu'
	PKG_CONFIG_LIBDIR=$arm64/root/usr/lib/aarch64-linux-gnu/pkgconfig \
	PKG_CONFIG_SYSROOT_DIR=$arm64/root EMULATOR=$emulator \
	build aarch64 aarch64 --host=aarch64-linux-gnu CFLAGS=-O1 --disable-shared --without-openblas \
		--without-hwloc --without-criterion --without-zlib "$@" || return
	printf '#!/bin/sh\nexec %s %s "$@"\n' "$emulator" "$folder/adze" > "$folder/run-adze"
	chmod +x "$folder/run-adze"
	# No compiler here makes what an emulated program could load: CXX.
	export ADZE="$folder/run-adze" CXX=none
	check aarch64 "$folder" check
	unset ADZE CXX
}

variant_fuzz() {
	build fuzz fuzz CC=clang CFLAGS='-O1 -g' --enable-fuzz --disable-shared --without-criterion ||
		return
	tap fuzz sh "$sources/tests/run_fuzz.sh" "$sources" "$folder" "${ADZE_FUZZ_SECONDS:-10}"
}

variant_distcheck() {
	began=$(date +%s)
	folder=$variants/distcheck
	mkdir -p "$folder"
	(
		cd "$folder" || exit
		if [ ! -f Makefile ] || [ "$sources/configure" -nt config.status ]; then
			"$sources/configure" --quiet || exit
		fi
		make $jobs distcheck-short DISTCHECK_CONFIGURE_FLAGS=--enable-werror
	) > "$variants/distcheck.log" 2>&1
	count distcheck $(($? == 0)) $(($? != 0)) 0
}

all="clang scalar install sanitize tsan without_all static without_openblas without_hwloc
	without_criterion without_cuda aarch64 fuzz distcheck"
for variant in ${*:-$all}; do
	"variant_$variant"
done
awk '{ failed += $3; ran += $2 + $3 } END { exit failed > 0 || ran == 0 }' "$variants/tally"
