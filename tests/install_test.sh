#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs a build into its prefix, which must be empty, and builds every example against what
# is there, with pkg-config alone: shared, and with libadze.a. Speaks TAP:
#
#     install_test.sh SOURCES BUILD           what is linked besides may be shared
#     install_test.sh SOURCES BUILD -static   a build without shared libraries, all static
set -u
sources=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
CC=${CC:-cc}
all_static=${3-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0 failed=0

check() { # NAME COMMAND...: the command must succeed
	what=$1
	shift
	n=$((n + 1))
	if "$@" > "$work/out" 2>&1; then
		echo "ok $n - $what"
	else
		failed=$((failed + 1))
		echo "not ok $n - $what"
		tail -n 20 "$work/out" | sed 's/^/#   /'
	fi
}

# The prefix that the build was configured for must be empty, so that nothing old serves.
prefix=$(sed -n 's/^prefix = //p' "$build/Makefile")
if [ -n "$(ls -A "$prefix" 2> /dev/null)" ]; then
	echo "Bail out! $prefix is not empty"
	exit 1
fi
PKG_CONFIG_PATH=$prefix/lib/pkgconfig
export PKG_CONFIG_PATH

install_twice() {
	make -C "$build" install && make -C "$build" uninstall &&
		[ -z "$(find "$prefix" ! -type d)" ] && make -C "$build" install
}
install_staged() {
	make -C "$build" install DESTDIR="$work/stage" && [ -f "$work/stage$prefix/include/adze.h" ]
}
only_ours() { # FILE of names: those that are not adze_* are printed
	grep -q adze_version "$1" && ! grep -v '^adze_' "$1"
}
shared_names() {
	nm -D --defined-only "$prefix/lib/libadze.so" | awk '{ print $3 }' > "$work/names"
	only_ours "$work/names"
}
static_names() {
	nm --defined-only --extern-only "$prefix/lib/libadze.a" |
		awk 'NF == 3 { print $3 }' > "$work/static-names"
	only_ours "$work/static-names"
}
declared_names() {
	echo '#include <adze.h>' | "$CC" -E -P -I"$prefix/include" -x c - | tr '\n' ' ' |
		tr ';{}' '\n\n\n' | sed -n '/visibility/{s/.*visibility("default"))) *//;s/(.*//;s/.*[ *]//p;}' |
		sort -u > "$work/declared"
	sort -u "$work/static-names" > "$work/defined"
	[ -s "$work/declared" ] && ! comm -3 "$work/declared" "$work/defined" | grep .
}
build_shared() { # EXAMPLE
	"$CC" -std=c11 -O1 "$1" $(pkg-config --cflags --libs adze) -o "$work/shared-program" &&
		LD_LIBRARY_PATH=$prefix/lib ldd "$work/shared-program" | grep "$prefix/lib/libadze"
}
build_static() { # EXAMPLE
	libs=$(pkg-config --static --libs adze | sed 's/-ladze\b/-l:libadze.a/')
	"$CC" -std=c11 -O1 $all_static -Wl,--gc-sections "$1" $(pkg-config --cflags adze) $libs \
		-o "$work/static-program" && ! ldd "$work/static-program" | grep libadze
}
run_example() { # PROGRAM NAME: in its folder, with the data of its name where there is some
	cd "$sources/examples" || return
	set -- "$1" "data/$2.safetensors" "data/$2-test.safetensors"
	[ -f "$2" ] || set -- "$1"
	LD_LIBRARY_PATH=$prefix/lib "$@"
}
run_moved() { # the command, alone in another folder
	cp "$prefix/bin/adze" "$work/moved" && "$work/moved" --help
}

examples=$(ls "$sources"/examples/*.c)
each=$([ -n "$all_static" ] && echo 2 || echo 4)
common=$([ -n "$all_static" ] && echo 6 || echo 7)
echo "1..$((common + each * $(echo "$examples" | wc -l)))"
check "install, uninstall without a trace, install again" install_twice
check "install with DESTDIR" install_staged
check "the version is pkg-config's" sh -c 'pkg-config --modversion adze | grep ^0'
[ -n "$all_static" ] || check "the shared library shows adze_* alone" shared_names
check "the static library shows adze_* alone" static_names
check "the header declares what the library shows, and no more" declared_names
check "the command runs alone" run_moved
for example in $examples; do
	name=$(basename "$example" .c)
	if [ -z "$all_static" ]; then
		check "$name, shared, builds" build_shared "$example"
		check "$name, shared, runs" run_example "$work/shared-program" "$name"
	fi
	check "$name, static, builds" build_static "$example"
	check "$name, static, runs" run_example "$work/static-program" "$name"
done
exit $((failed != 0))
