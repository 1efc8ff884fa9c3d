#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The ```c blocks of a page as C: a function for each, which builds into the graph `g` and gives
# the tensor `y`, and the list `doc_examples` of them. doc_examples.sh PAGE
set -eu
exec awk '
/^```c$/ {
	inside = 1
	printf "static adze_tensor doc_example_%d(adze_graph *g)\n{\n", ++n
	next
}
/^```$/ && inside {
	inside = 0
	print "\treturn y;\n}\n"
	next
}
inside { print "\t" $0 }
END {
	print "static adze_tensor (*const doc_examples[])(adze_graph *) = {"
	for (i = 1; i <= n; i++)
		print "\tdoc_example_" i ","
	print "};"
}' "$1"
