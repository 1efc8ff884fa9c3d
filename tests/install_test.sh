#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs a build into its prefix, which must be empty, and builds every example against what
# is there, with pkg-config alone: shared, and static. Speaks TAP: install_test.sh SOURCES BUILD
set -u
sources=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
CC=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0 failed=0

check() { # NAME COMMAND...: the command must succeed
	name=$1
	shift
	n=$((n + 1))
	if "$@" > "$work/out" 2>&1; then
		echo "ok $n - $name"
	else
		failed=$((failed + 1))
		echo "not ok $n - $name"
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
	sort -u "$work/names" > "$work/defined"
	[ -s "$work/declared" ] && ! comm -3 "$work/declared" "$work/defined" | grep .
}
build_shared() { # EXAMPLE
	"$CC" -std=c11 -O1 "$1" $(pkg-config --cflags --libs adze) -lm -o "$work/shared-program" &&
		LD_LIBRARY_PATH=$prefix/lib ldd "$work/shared-program" | grep -q "$prefix/lib/libadze"
}
build_static() { # EXAMPLE
	libs=$(pkg-config --static --libs adze | sed 's/-ladze\b/-l:libadze.a/')
	"$CC" -std=c11 -O1 -Wl,--gc-sections "$1" $(pkg-config --cflags adze) $libs -lm \
		-o "$work/static-program" && ! ldd "$work/static-program" | grep libadze
}
run_example() { # PROGRAM: without arguments it works on what is in examples/data
	(cd "$sources/examples" && LD_LIBRARY_PATH=$prefix/lib "$1")
}

# pkg-config --static names what OpenBLAS would need to be linked statically itself; its
# libgfortran may be absent where only shared libraries are installed.
examples=$(ls "$sources"/examples/*.c)
echo "1..$((7 + 4 * $(echo "$examples" | wc -l)))"
check "install, uninstall without a trace, install again" install_twice
check "install with DESTDIR" install_staged
check "the version is pkg-config's" sh -c 'pkg-config --modversion adze | grep -q ^0'
check "the shared library shows adze_* alone" shared_names
check "the public header declares what the shared library shows, and no more" declared_names
check "the static library shows adze_* alone" static_names
check "the command runs" "$prefix/bin/adze" --help
for example in $examples; do
	name=$(basename "$example" .c)
	check "$name builds" build_shared "$example"
	check "$name runs" run_example "$work/shared-program"
	check "$name builds statically" build_static "$example"
	check "$name, static, runs" run_example "$work/static-program"
done
exit $((failed != 0))
