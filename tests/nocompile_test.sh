#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Mixing up the kinds of things is an error of the compiler's: each program of nocompile/ but
# control.c is refused, with a message about its types, by every compiler at hand and without
# any flag that asks for strictness.
set -u
srcdir=${srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
builddir=${builddir:-$srcdir}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# The header as the build makes it; by hand where there is no build.
if [ ! -r "$builddir/src/ew_api.h" ]; then
	CPP="${CC:-cc} -E" sh "$srcdir/scripts/ew_api.sh" "$srcdir/src/base/ew.def" \
		> "$work/ew_api.h" || exit 1
fi

compilers=
for cc in "${CC:-cc}" gcc clang; do
	case " $compilers " in
	*" ${cc%% *} "*) continue ;;
	esac
	command -v "${cc%% *}" > /dev/null 2>&1 && compilers="$compilers ${cc%% *}"
done

n=0
say() { # RESULT NAME
	n=$((n + 1))
	echo "$1 $n - $2"
}
compile() { # COMPILER FILE
	LC_ALL=C "$1" -std=c17 -fsyntax-only -I"$srcdir/src" -I"$builddir/src" -I"$work" \
		"$srcdir/tests/nocompile/$2.c" > "$work/out" 2>&1
}

for cc in $compilers; do
	if compile "$cc" control && [ ! -s "$work/out" ]; then
		say ok "$cc compiles control.c"
	else
		say "not ok" "$cc compiles control.c"
		sed 's/^/# /' "$work/out"
		continue
	fi
	for file in "$srcdir"/tests/nocompile/*.c; do
		name=$(basename "$file" .c)
		[ "$name" = control ] && continue
		if compile "$cc" "$name"; then
			say "not ok" "$cc refuses $name.c"
		elif grep -q "error: .*\(incompatible type\|no member\|not compatible\)" "$work/out"; then
			say ok "$cc refuses $name.c"
		else
			say "not ok" "$cc refuses $name.c for its types"
			sed 's/^/# /' "$work/out"
		fi
	done
done
echo "1..$n"
[ "$n" -gt 1 ]
