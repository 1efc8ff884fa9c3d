#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The command `adze`: what it prints, its exit codes, and what it leaves behind, on good and
# on bad input. Speaks TAP. By hand: builddir=build tests/cmd_test.sh
set -u
LC_ALL=C
export LC_ALL
adze=${ADZE:-${builddir:-.}/adze}
top=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd)
case $adze in
/*) ;;
*) adze=$PWD/$adze ;;
esac
[ -x "$adze" ] || { echo "Bail out! $adze is not there"; exit 1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
ADZE_CACHE_DIR=$work/cache
export ADZE_CACHE_DIR
unset ADZE_ISA ADZE_LOG
n=0 failed=0

# result CODE NAME: a test's line, with what was printed where it failed.
result() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		failed=$((failed + 1))
		echo "not ok $n - $2"
		sed 's/^/# out: /' out | head -n 20
		sed 's/^/# err: /' err | head -n 20
	fi
}

# expect CODE NAME PATTERN ARGUMENTS...: exit code, and a line that matches on either output.
# A failure prints nothing but words that begin with "adze: " on standard error.
expect() {
	want=$1 name=$2 pattern=$3
	shift 3
	"$adze" "$@" > out 2> err < /dev/null
	got=$?
	good=0
	[ "$got" -eq "$want" ] || { good=1; echo "# exit code $got, not $want"; }
	cat out err | grep -q -e "$pattern" || { good=1; echo "# nothing matches: $pattern"; }
	if [ "$want" -ne 0 ]; then
		[ ! -s out ] || { good=1; echo "# a failure printed to standard output"; }
		grep -q '^adze: ' err || { good=1; echo "# no words"; }
	fi
	result "$good" "$name"
}

# quiet NAME ARGUMENTS...: success, without a word.
quiet() {
	name=$1
	shift
	"$adze" "$@" > out 2> err < /dev/null && [ ! -s out ] &&
		! grep -v '^adze: found in the cache' err > /dev/null
	result $? "$name"
}

# same NAME A B: two files hold the same bytes.
same() {
	cmp "$2" "$3" > out 2> err
	result $? "$1"
}

# absent NAME FILES: no such file was made, whole or in part.
absent() {
	name=$1
	shift
	ls -d "$@" > out 2> /dev/null
	: > err
	[ ! -s out ]
	result $? "$name"
}

# Inputs and weights, made by the command itself.
cat > make.air <<'END'
graph make() {
	%1 = const {0, 1, 2, 3, 4, 5, 6, 7} : f32[2, 4]
	%2 = const {1, 0, 0, 0, -1, 0, 0, 0, 0, 0, 0, 2} : f32[3, 4]
	%3 = const {1, 2, 3} : i32[3]
	%4 = const {} : f32[0, 4]
	return x=%1, w=%2, i=%3, none=%4
}
END
cat > layer.air <<'END'
graph layer(%x: f32[t<=512, d=4], %w: weight f32[3, d=4]) {
	%1 = dot %x, %w, sum_a=[1], sum_b=[1]
	%2 = relu %1
	return y=%2
}
END
cat > count.air <<'END'
graph count(%n: i32[]) {
	%1 = const {1} : i32[]
	%2 = add %n, %1
	return n=%2 into %n
}
END
cat > loop.air <<'END'
graph loop(%n: i32[]) {
	body two_more(%n: i32[]) {
		%1 = const {2} : i32[]
		%2 = add %n, %1
		return n=%2
	}
	%1 = neg %n
	%2 = abs %1
	%3 = scan %2, body=two_more, carry=1, length=3
	return n=%3
}
END
cat > zero.air <<'END'
graph zero() {
	%1 = const {5} : i32[]
	return n=%1
}
END
printf 'graph g(%%x: f32[2]) {\n\t%%1 = frobnicate %%x\n\treturn y=%%1\n}\n' > syntax.air
printf 'graph g(%%x: f32[2], %%y: f32[3]) {\n\t%%1 = add %%x, %%y\n\treturn y=%%1\n}\n' > type.air

expect 0 "run without inputs" 'x f32\[2, 4\]: 0 1 2 3 4 5 6 7' run make.air
quiet "run writes .npy" run make.air -o x=x.npy -o none=none.npy -o i=i.npy
quiet "run writes .safetensors" run make.air --outputs all.safetensors
quiet "zero.air" run zero.air -o n=n.npy

expect 0 "help" 'usage: adze COMMAND' --help
if [ -z "${EMULATOR-}" ]; then
	bench=bench
	expect 2 "a part of the bench that is not there" "there is no part 'moles'" bench moles
	expect 2 "no number of threads" "no numbers of threads in '0'" bench --threads 0 ceilings
else
	bench=''
	n=$((n + 1))
	echo "ok $n - bench # SKIP an emulated command cannot become another program"
fi
expect 0 "version" '^adze [0-9]' --version
expect 0 "version as a command" '^adze [0-9]' version
for c in demo run compile inspect graph opt ops passes types kernels devices env $bench \
	version; do
	expect 0 "help of $c" "usage: adze $c" "$c" --help
	expect 2 "unknown option of $c" "no option '--nonsense'" "$c" --nonsense
done
expect 2 "no command" 'a command is missing'
expect 2 "unknown command" "no command 'frob'" frob

# Lists.
expect 0 "ops" '^softmax ' ops
expect 0 "ops as JSON" '"name": "softmax"' ops --json
expect 0 "ops as Markdown" '^| `softmax` |' ops --markdown
expect 0 "passes" '^fuse ' passes
expect 0 "blocks" '^q4_0 *2 *32 *18 *4 bits' blocks
expect 0 "types" '^f4e2m1 *4 *float *F4 *no' types
expect 0 "kernels" '^add_f32  *add_f32_scalar  *scalar  *yes' kernels add_f32
expect 0 "kernels as JSON" '"family": "gemm_f32"' kernels --json gemm
expect 1 "kernels of no family" "'nonsense'" kernels nonsense
expect 0 "devices" '^cpu  *yes' devices
expect 0 "devices as JSON" '"usable": true' devices --json
expect 0 "env" "^ADZE_CACHE_DIR  *$work/cache" env
expect 2 "operand of a list" "one operand too many" env here

# inspect
expect 0 "inspect weights" '^  w  *F32  *\[3, 4\]  *48$' inspect all.safetensors
expect 0 "inspect weights as JSON" '"bytes": 48' inspect all.safetensors --json
expect 0 "inspect npy" 'npy, f32\[2, 4\], 32 bytes' inspect x.npy
expect 0 "inspect a graph" 'input  *x  *f32\[t<=512, d=4\]  *8192' inspect layer.air
expect 0 "inspect the digits" 'fc1.weight  *F32  *\[96, 64\]  *24576' \
	inspect "$top/examples/data/digits.safetensors"
expect 1 "inspect nothing" 'nowhere' inspect nowhere.safetensors
expect 1 "inspect a folder of nothing" 'model.safetensors' inspect .
expect 1 "inspect what is no weight file" 'layer.txt' inspect layer.txt
expect 2 "inspect needs a file" 'a file is missing' inspect
dd if=all.safetensors of=cut.safetensors bs=1 count=100 2> /dev/null
expect 1 "inspect half a weight file" 'cut.safetensors' inspect cut.safetensors
dd if=x.npy of=cut.npy bs=1 count=130 2> /dev/null
expect 1 "inspect half an .npy file" 'cut.npy' inspect cut.npy

# run
in="-i x=x.npy"
w="-w all.safetensors"
expect 0 "run" 'y f32\[t=2, 3\]: 0 0 6 4 0 14' run layer.air $in $w
expect 0 "run found it in the cache" 'found in the cache' run layer.air $in $w
expect 0 "inputs from .safetensors" ': 0 0 6 4 0 14' run layer.air --inputs all.safetensors $w
expect 0 "run as JSON" '"cached": true' run layer.air $in $w --json
expect 0 "run with one thread" ': 0 0 6 4 0 14' run layer.air $in $w --threads 1
expect 0 "run many times" '20 calls: median' run layer.air $in $w --repeat 20
expect 0 "reference" ': 0 0 6 4 0 14' run layer.air $in $w --device reference
expect 0 "trace" 'trace: .*gemm' run layer.air $in $w --device trace
expect 0 "trace of a body" 'trace:   step 2 .*ew' run loop.air -i n=n.npy -d trace
expect 0 "a loop" 'n i32\[\]: 11' run loop.air -i n=n.npy
expect 0 "no rows at all" 'y f32\[t=0, 3\]:$' run layer.air -i x=none.npy $w
expect 0 "no rows at all, reference" 'y f32\[t=0, 3\]:$' run layer.air -i x=none.npy $w -d reference
expect 0 "state goes from call to call" 'n i32\[\]: 12' run count.air -i n=n.npy -r 7
expect 0 "state goes from call to call, reference" 'n i32\[\]: 12' run count.air -i n=n.npy -r 7 \
	-d reference
quiet "outputs of the cpu" run layer.air $in $w -o y=y1.npy
quiet "outputs of the reference" run layer.air $in $w -o y=y2.npy -d reference
same "the same bytes" y1.npy y2.npy

expect 1 "missing input" "input 'x' f32\[t<=512, d=4\] is missing" run layer.air $w
expect 1 "missing weight file" "weight 'w' f32\[3, d=4\] is missing" run layer.air $in
expect 1 "input that is not there" 'nowhere.npy' run layer.air -i x=nowhere.npy $w
expect 1 "weights that are not there" 'nowhere.st' run layer.air $in -w nowhere.st
expect 1 "unknown input" "no input 'z'" run layer.air $in $w -i z=x.npy
expect 1 "unknown output" "no output 'z'" run layer.air $in $w -o z=z.npy
expect 1 "input of another type" "input 'x' is f32.*i32" run layer.air -i x=i.npy $w
expect 1 "input of another type, reference" "input 'x' is f32.*i32" run layer.air -i x=i.npy $w \
	-d reference
sed 's/f32\[3, d=4\]/f32[4, d=4]/' layer.air > shape.air
expect 1 "weight of another shape" "weight 'w'" run shape.air $in $w
expect 1 "weight of another shape, reference" "weight 'w'" run shape.air $in $w -d reference
sed 's/%w/%v/g' layer.air > absent.air
expect 1 "weight that is not in the file" "'v'" run absent.air $in $w
expect 1 "no such graph" 'nowhere.air' run nowhere.air
expect 1 "a syntax error has its place" 'syntax.air:2:[0-9]*: .*frobnicate' run syntax.air
expect 1 "a type error has its place" 'type.air:2:[0-9]*: .*add' run type.air
expect 1 "no such device" "no device 'gpu'" run layer.air $in $w -d gpu
expect 1 "damaged input" 'cut.npy' run layer.air -i x=cut.npy $w
expect 1 "damaged weights" 'cut.safetensors' run layer.air $in -w cut.safetensors
# With AddressSanitizer an allocation that cannot be had would end the program.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}allocator_may_return_null=1
export ASAN_OPTIONS
printf 'graph big() {\n\t%%1 = iota : f32[35184372088832]\n\treturn y=%%1\n}\n' > big.air
expect 1 "memory that cannot be had" 'no memory' run big.air
expect 1 "memory that cannot be had, reference" 'no memory' run big.air -d reference
expect 1 "an output that cannot be written" 'no/folder' run layer.air $in $w -o y=no/folder.npy
expect 2 "no graph" 'is missing' run
expect 2 "two graphs" 'one operand too many' run layer.air count.air
expect 2 "input without a file" 'NAME=FILE' run layer.air -i x
expect 2 "input twice" 'twice' run layer.air $in $in
expect 2 "no threads" '1 to 1024' run layer.air --threads 0
expect 2 "threads that are no number" '1 to 1024' run layer.air --threads 2x
expect 2 "an option without its value" 'needs a value' run layer.air --weights
expect 2 "an option that is short for several" 'several' run layer.air --inp=x
expect 2 "trace writes nothing" 'trace' run layer.air $in $w -d trace -o y=y3.npy
for bad in nowhere.npy cut.npy i.npy; do
	"$adze" run layer.air -i x=$bad $w -o y=left.npy --outputs left.safetensors > out 2> err
done
absent "a failed run writes nothing" left.* y3.npy

# Profiles.
expect 0 "a profile" '^gemm f32 *dot+relu y *1 .* layer.air:2$' run layer.air $in $w --profile
expect 0 "what a profile says below" '^1 call, median .* between steps$' run layer.air $in $w --profile
expect 0 "a profile as lines" '"profile":"step","step":"gemm f32"' run layer.air $in $w --profile --json
expect 0 "a profile of many calls" '^gemm f32 *dot+relu y *20 ' run layer.air $in $w -r 20 --profile
expect 0 "a profile of a loop" '^ew i32 *add n *3 ' run loop.air -i n=n.npy --profile
expect 0 "a profile of no rows" '^gemm f32 ' run layer.air -i x=none.npy $w --profile
quiet "a profile to files" run layer.air $in $w --profile=p.txt --profile-trace t.json \
	--report r.svg --outputs all2.safetensors
grep -q '^gemm f32' p.txt && grep -q '^{"displayTimeUnit' t.json && grep -q '^<svg' r.svg
result $? "the files of a profile"

expect 1 "a profile to nowhere" 'no/folder' run layer.air $in $w --profile=no/folder.txt
expect 1 "a trace to nowhere" 'no/folder' run layer.air $in $w --profile-trace no/folder.json
expect 1 "a report to nowhere" 'no/folder' run layer.air $in $w --report no/folder.svg
expect 1 "a report to a folder" 'cache' run layer.air $in $w --report cache
if [ -w /dev/full ]; then
	for o in --profile=/dev/full "--profile-trace /dev/full" "--report /dev/full"; do
		expect 1 "a full disk: $o" '/dev/full: .*pace' run layer.air $in $w $o
	done
fi
expect 2 "a trace of no name" 'needs a value' run layer.air $in $w --profile-trace
expect 2 "a profile of the reference" 'no steps' run layer.air $in $w --profile -d reference
expect 1 "a profile of the trace device" 'cannot tell' run layer.air $in $w --profile -d trace

# opt and graph
expect 0 "opt" 'stage=planned' opt layer.air
expect 0 "opt up to a stage" 'stage=grouped' opt layer.air --stage grouped
expect 0 "opt with some passes" 'graph layer' opt layer.air --passes fold,simplify
expect 2 "opt with an unknown pass" "no pass 'frob'" opt layer.air --passes fold,frob
expect 2 "opt with an unknown stage" "no stage 'frob'" opt layer.air --stage frob
expect 1 "opt with a pass out of order" 'plan' opt layer.air --passes plan
expect 0 "a fusion report" "saves" opt layer.air --report
expect 0 "a fusion report as JSON" "\"apart_from\"" opt layer.air --json
expect 0 "opt as for another device" "stage=planned" opt layer.air --device trace
expect 1 "a report without groups" "no groups" opt layer.air --report --stage lowered
expect 2 "opt for no device" "no device" opt layer.air --device frob
expect 1 "opt of a syntax error" 'syntax.air:2' opt syntax.air
"$adze" graph layer.air > once.air 2> err
"$adze" graph once.air > twice.air 2> err
same "graph prints what it reads" once.air twice.air
expect 0 "graph for Graphviz" 'digraph' graph layer.air --dot
expect 0 "graph at a stage" 'stage=lowered' graph layer.air --stage lowered

# compile
quiet "compile" compile layer.air -o layer.adze
expect 0 "an executable runs" ': 0 0 6 4 0 14' run layer.adze $in $w
expect 0 "an executable in the reference" ': 0 0 6 4 0 14' run layer.adze $in $w -d reference
expect 0 "the profile of an executable" '^gemm f32 .* layer.air:2$' run layer.adze $in $w --profile
expect 0 "inspect says what memory it needs" 'memory of a call: .*at least' inspect layer.adze
expect 0 "inspect an executable" 'executable of graph layer for cpu:' inspect layer.adze
expect 0 "inspect an executable as JSON" '"name": "code"' inspect layer.adze --json
expect 0 "the graph of an executable" '%1 = dot %x, %w' graph layer.adze
ADZE_CACHE_DIR=off "$adze" compile layer.air -o again.adze > out 2> err
same "the same executable again" layer.adze again.adze
expect 1 "compile an executable" 'executable already' compile layer.adze -o twice.adze
expect 1 "compile a type error" 'type.air:2' compile type.air -o bad.adze
expect 1 "compile for no device" "no device 'gpu'" compile layer.air -o bad.adze -d gpu
expect 1 "compile to nowhere" 'no/folder' compile layer.air -o no/folder.adze
expect 2 "compile to no file" 'is missing' compile layer.air
absent "a failed compile writes nothing" bad.adze* twice.adze*
dd if=layer.adze of=cut.adze bs=1 count=400 2> /dev/null
expect 1 "half an executable" 'cut.adze' run cut.adze $in $w
{ dd if=layer.adze bs=1 count=600 && printf 'X' && dd if=layer.adze bs=1 skip=601; } \
	> damaged.adze 2> /dev/null
expect 1 "a damaged executable" 'checksum' run damaged.adze $in $w
expect 1 "inspect a damaged executable" 'checksum' inspect damaged.adze

# The cache: off, and damaged.
ADZE_CACHE_DIR=off "$adze" run layer.air $in $w -v > out 2> err
grep -q 'compiled for cpu' err
result $? "the cache can be off"
find cache -name '*.adze' | while read -r f; do echo damage > "$f"; done
expect 0 "a damaged cache compiles again" 'compiled for cpu' run layer.air $in $w -v
expect 0 "and is mended" 'found in the cache' run layer.air $in $w

# Files left aside, and standard output that is full or gone.
absent "no file is left aside" ./*.tmp.* cache/*.tmp.* cache/*/*.tmp.*
if [ -w /dev/full ]; then
	"$adze" ops > /dev/full 2> err
	[ $? -eq 1 ] && grep -q 'standard output' err
	result $? "a full disk is a failure"
fi
{ "$adze" kernels --json; echo $? > code; } 2> err | head -n 1 > out
[ "$(cat code)" -eq 1 ] && [ ! -s err ]
result $? "a reader that goes away is no accident"

# demo
expect 0 "demo" '356 of 360 held-out images right: 98.89 %' demo
expect 0 "demo, the second network" '12 of 12 held-out images right' demo
expect 0 "demo as JSON" '"step": "copy out"' demo --json
expect 1 "demo without the images it is told to use" 'nowhere/t10k' demo --images nowhere
expect 2 "demo takes no operand" 'no operand' demo digits

echo "1..$n"
exit $((failed != 0))
