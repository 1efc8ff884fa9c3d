#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The header as it is installed stands alone and can be used, as C11, C17 and C++17, with gcc
# and clang. Speaks TAP.
set -u
builddir=${builddir:-.}
header=$builddir/include/adze.h
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0 failed=0

result() { # STATUS NAME
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		failed=$((failed + 1))
		echo "not ok $n - $2"
	fi
}

compile() { # COMPILER LANGUAGE STANDARD
	name="adze.h as $3 with $1"
	if ! command -v "${1%% *}" > /dev/null; then
		n=$((n + 1))
		echo "ok $n - $name # SKIP no ${1%% *} here"
		return
	fi
	$1 -std="$3" -Wall -Wextra -pedantic -Werror -fsyntax-only -I"$work" -x "$2" \
		"$work/alone.c" > "$work/out" 2>&1
	status=$?
	sed 's/^/# /' "$work/out"
	result $status "$name"
}

echo "1..7"
grep -n '#[ 	]*include[ 	]*"' "$header"
result $((! $?)) "nothing of ours is left to include"
cp "$header" "$work/" || exit 1
cat > "$work/alone.c" << 'END'
#include <adze.h>
#include <adze.h>
#define LINEAR(T, O, S, L) T(weight, "out in") O(bias, "out")
ADZE_STRUCT(linear, LINEAR);
#define NET(T, O, S, L) T(embed, "v d") L(linear, layers) S(linear, head)
ADZE_STRUCT(net, NET);
#define NET_IN(A) A(x) A(state)
#define NET_OUT(A) A(y) A(state)
ADZE_FUNCTION(net_forward, net, NET_IN, NET_OUT);

static struct net_forward_out net_forward(struct net m, struct net_forward_in in)
{
	struct net_forward_out out;
	out.y = adze_relu(adze_add(adze_dot(m.embed, in.x, "d"), m.head.bias));
	out.state = in.state;
	return out;
}

int main(void)
{
	return adze_status_text(ADZE_OK) == 0;
}
END
for compiler in gcc clang; do
	compile $compiler c c11
	compile $compiler c c17
done
for compiler in g++ clang++; do
	compile $compiler c++ c++17
done
exit $((failed != 0))
