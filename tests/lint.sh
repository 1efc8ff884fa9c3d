#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The rules of the tree that a program can check: who includes whom, calls that a library
# must not make, sizes, names, spelling of a file's head. Speaks TAP and prints offenders.
# By hand: tests/lint.sh
set -u
LC_ALL=C
export LC_ALL
cd "${srcdir:-$(dirname "$0")/..}" || exit 1
n=0 failed=0

folders="src ir kernels devices tests bench examples"
code=$(find $folders -name '*.[ch]' -o -name '*.inc' -o -name '*.cuh' | sort)
tables=$(find $folders -name '*.def' | sort)
other=$(find $folders scripts -name '*.sh' -o -name '*.py' -o -name '*.am' | sort)
other="$other configure.ac Makefile.am bootstrap quickstart .ci/run"
library=$(find src ir kernels devices -name '*.[ch]' -o -name '*.inc' | sort |
	grep -v '^src/main[^/]*$\|^src/cmd[^/]*$')

# report NAME COMMAND: what the command prints offends; nothing may come.
report() {
	n=$((n + 1))
	offenders=$(eval "$2")
	if [ -z "$offenders" ]; then
		echo "ok $n - $1"
	else
		failed=$((failed + 1))
		echo "not ok $n - $1"
		echo "$offenders" | sed 's/^/#   /'
	fi
}

# Prints FILE:LINE: and the code without comments and without what stands in quotes.
bare() {
	awk '
	FNR == 1 { inside = 0 }
	{
		s = $0
		gsub(/\\["\\]/, "", s)
		gsub(/"[^"]*"/, "\"\"", s)
		out = ""
		while (s != "") {
			at = inside ? index(s, "*/") : index(s, "/*")
			if (!inside) {
				out = out (at ? substr(s, 1, at - 1) : s)
			}
			if (!at)
				break
			s = substr(s, at + 2)
			inside = !inside
		}
		sub(/\/\/.*/, "", out)
		if (out ~ /[^ \t]/)
			print FILENAME ":" FNR ":" out
	}' "$@"
}

# may_include FOLDER PATTERN: quoted includes of files below FOLDER that do not match.
may_include() {
	find "$1" -name '*.[ch]' -o -name '*.inc' -o -name '*.def' | sort | xargs grep -Hn \
		'^[ 	]*#[ 	]*include[ 	]*"' /dev/null | grep -v "\"\($2\)"
}

rule_direction() {
	may_include src/base 'config\.h\|base/'
	may_include ir 'config\.h\|base/\|ir/'
	may_include kernels 'config\.h\|base/\|kernels/'
	may_include devices 'config\.h\|base/\|ir/\|kernels/\|devices/'
	may_include src 'config\.h\|base/\|ir/\|devices/\|nn/\|models/\|[a-z0-9_]*\.[a-z]*"'
}

rule_lower() {
	find devices -name '*.[ch]' ! -path devices/cpu/cpu_lower.c |
		xargs grep -l '#include "ir/graph\.h"' | xargs grep -l '#include "kernels/kernels\.h"'
}

word='\(^\|[^A-Za-z0-9_.>]\)'

# In the library's code, calls of these names (alternatives of a pattern).
calls() {
	bare $library | grep "$word\($1\) *(" | grep -v '__attribute__'
}

rule_memory() {
	calls 'malloc\|calloc\|realloc\|free\|strn*dup\|v*asprintf\|aligned_alloc\|posix_memalign' |
		grep -v '^src/base/mem\.c:'
	calls 'getline\|getdelim\|open_memstream\|scandir'
}

rule_quiet() {
	calls 'abort\|_*exit\|_Exit\|quick_exit\|v*printf\|puts\|putchar\|perror\|err\|warnx*\|errx'
	bare $library | grep "${word}std\(out\|err\)\b"
}

rule_no_changes() {
	calls 'setenv\|putenv\|setlocale\|signal\|sigaction\|atexit\|system\|popen\|strtok\|rand\|srand\|chdir\|umask'
}

rule_environment() {
	calls 'getenv\|secure_getenv' | cut -d: -f1 | sort -u | sed 1d
}

rule_names() {
	for f in $code $tables $other; do
		case $f in
		*.am | .ci/run) ;;
		*) echo "${f##*/}" ;;
		esac
	done | sort | uniq -d
}

rule_licence() {
	for f in $code; do
		head -n 1 "$f" | grep -q '^/\* SPDX-License-Identifier: Apache-2\.0' || echo "$f"
	done
	for f in $other; do
		head -n 2 "$f" | grep -q '^# SPDX-License-Identifier: Apache-2\.0' || echo "$f"
	done
}

rule_blanks() {
	grep -nE '[ 	]+$' $code $tables $other | cut -c 1-80
}

rule_finished() {
	bare $code | grep '#[ 	]*if[ 	]*0'
	grep -nE '\b(TODO|FIXME|XXX|HACK)\b' $code $tables
}

rule_budgets() {
	for f in $code; do
		lines=$(wc -l < "$f")
		[ "$lines" -lt 800 ] || echo "$f: $lines lines; fewer than 800 are allowed"
	done
	awk '
	{
		s = $0
		gsub(/[\200-\277]/, "", s)
		width = 0
		parts = split(s, part, "\t")
		for (i = 1; i <= parts; i++) {
			width += length(part[i])
			if (i < parts)
				width += 8 - width % 8
		}
		if (width > 100)
			print FILENAME ":" FNR ": " width " columns; at most 100 are allowed"
	}
	/^\{/ { from = FNR }
	/^\}/ && from {
		if (FNR - from + 1 >= 70)
			print FILENAME ":" from ": a function of " FNR - from + 1 \
				" lines; fewer than 70 are allowed"
		from = 0
	}' $code
}

rule_listed() {
	listed=" $(cat $(find $folders -name sources.am) | tr '\t\n\\' '   ') "
	for f in $code $tables; do
		case $f in
		examples/* | tests/data/* | tests/nocompile/* | *.cuh) continue ;;
		tests/*_test.c | tests/fuzz/*_fuzz.c) f=${f%.c} ;;
		esac
		case $listed in
		*" $f "*) ;;
		*) echo "$f" ;;
		esac
	done
}

# Functions on tensors, but for inputs and weights; those of src/nn/ have docs/nn.md.
rule_examples() {
	grep -ho 'ADZE_API adze_tensor adze_[a-z0-9_]*(' src/adze*.h |
		sed 's/.* adze_//; s/(//; s/_at$//' | grep -v '^input$\|^weight$' |
		while read -r f; do
			grep -q "^EXAMPLE($f, adze_$f(" src/examples.def ||
				echo "src/examples.def: there is no EXAMPLE($f, ...)"
		done
}

echo "1..13"
report "includes follow src/base <- ir, kernels <- devices <- src" rule_direction
report "cpu_lower.c alone sees the graph and a CPU kernel together" rule_lower
report "the library takes memory through mem.h alone" rule_memory
report "the library does not abort, exit or print" rule_quiet
report "the library changes nothing of the program around it" rule_no_changes
report "one file of the library reads the environment" rule_environment
report "base names are unique" rule_names
report "every file names its licence first" rule_licence
report "no blanks at the end of a line" rule_blanks
report "no dead code, nothing left for later" rule_finished
report "files below 800 lines, functions below 70, lines up to 100 columns" rule_budgets
report "every source is listed in a sources.am" rule_listed
report "every function on tensors has an example" rule_examples
exit $((failed != 0))
