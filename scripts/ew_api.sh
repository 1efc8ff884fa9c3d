#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints the part of the public header that the table of element-wise functions makes: for
# each row a function and the macro that hands it the caller's line. CPP names the C
# preprocessor: ew_api.sh EW.DEF
set -eu
if [ $# -ne 1 ] || [ ! -r "$1" ]; then
	echo "usage: ew_api.sh EW.DEF" >&2
	exit 2
fi

rows() {
	printf '%s\n' '#define EW(name, id, n, takes, flags, start, f, i, v, doc) ROW name n doc END' \
		"#include \"$1\""
}

echo '/* SPDX-License-Identifier: Apache-2.0 */'
echo '/* The element-wise functions; made from src/base/ew.def by scripts/ew_api.sh. */'
rows "$(cd "$(dirname "$1")" && pwd)/$(basename "$1")" | ${CPP:-cc -E} -P - | tr '\n' ' ' | awk '
BEGIN { RS = "ROW "; args[1] = "a"; args[2] = "a, b"; args[3] = "a, b, c"
	types[1] = "adze_tensor a"; types[2] = types[1] ", adze_tensor b"
	types[3] = types[2] ", adze_tensor c" }
NR == 1 { next }
{
	name = $1; n = $2
	sub(/^[^"]*"/, ""); sub(/"[^"]*END.*$/, ""); gsub(/" +"/, "")
	if (!(n in args)) { print "ew_api.sh: " name " has " n " operands" > "/dev/stderr"; exit 1 }
	at = args[n]; sub(/^a/, "ADZE_AT(a)", at)
	printf "\n/** %s */\n", $0
	printf "ADZE_API adze_tensor adze_%s(%s);\n", name, types[n]
	printf "#define adze_%s(%s) adze_%s(%s)\n", name, args[n], name, at
	rows++
}
END { if (rows == 0) { print "ew_api.sh: no rows" > "/dev/stderr"; exit 1 } }'
