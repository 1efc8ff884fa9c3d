#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints C text that defines `const char NAME[]` with the bytes of FILE and a zero byte, for
# each pair of arguments: embed.sh NAME FILE [NAME FILE]... Needs only POSIX od and awk.
set -eu
if [ $# -lt 2 ] || [ $(($# % 2)) -ne 0 ]; then
	echo "usage: embed.sh NAME FILE [NAME FILE]..." >&2
	exit 2
fi
echo "/* SPDX-License-Identifier: Apache-2.0 - made by scripts/embed.sh */"
while [ $# -gt 0 ]; do
	test -r "$2" || { echo "embed.sh: cannot read $2" >&2; exit 1; }
	echo
	echo "extern const char $1[];"
	echo "const char $1[] = {"
	od -An -v -tu1 "$2" | awk '{ for (i = 1; i <= NF; i++) printf "%s,", $i; print "" }'
	echo "0};"
	shift 2
done
