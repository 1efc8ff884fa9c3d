#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints a header with every `#include "..."` line replaced by that file's text, so that it
# stands alone. A header comes in once; a table (*.def) each time it is included. Names are
# looked for in the folders, in their order: flatten.sh HEADER FOLDER...
set -eu
if [ $# -lt 2 ] || [ ! -r "$1" ]; then
	echo "usage: flatten.sh HEADER FOLDER..." >&2
	exit 2
fi
header=$1
shift
exec awk -v header="$header" -v folders="$*" '
function find(name, i, line, path) {
	for (i = 1; i <= nfolder; i++) {
		path = folder[i] "/" name
		if ((getline line < path) >= 0) {
			close(path)
			return path
		}
	}
	print "flatten.sh: " name " is in none of: " folders > "/dev/stderr"
	failed = 1
	return ""
}
function paste(path, line, name, from) {
	while ((getline line < path) > 0) {
		if (line !~ /^[ \t]*#[ \t]*include[ \t]*"/) {
			print line
			continue
		}
		name = line
		sub(/^[^"]*"/, "", name)
		sub(/".*$/, "", name)
		if (name !~ /\.def$/ && (name in seen))
			continue
		seen[name] = 1
		from = find(name)
		if (from != "")
			paste(from)
	}
	close(path)
}
BEGIN {
	nfolder = split(folders, folder, " ")
	paste(header)
	exit failed
}'
