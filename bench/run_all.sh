#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs adze bench and the peers on the same shapes, then writes one table and one plot.
#
#     bench/run_all.sh [FOLDER]    lines.jsonl, table.md and plot.svg in FOLDER
#
# ADZE         the command [adze, or ./adze in a build folder]
# ADZE_PEERS   the Python that has the peers, "" for none [python3]; bench/peers/README.md
# ADZE_QUIET   a command that runs another while the machine is quiet [none]
# ADZE_STEPS   names of the steps below to run [all]
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-bench-results}
adze=${ADZE:-$([ -x ./adze ] && echo ./adze || echo adze)}
python=${ADZE_PEERS-python3}
quiet=${ADZE_QUIET:-}

# one NAME PARTS FILTER THREADS [PEER...]: a step's lines.
if [ "${1:-}" = --one ]; then
	parts=$3 filter=$4 counts=$5
	shift 5
	for threads in $counts; do
		# shellcheck disable=SC2086
		"$adze" bench $parts --json --threads $threads --filter "$filter"
		for peer in "$@"; do
			"$python" -W ignore "$here/peers/peer_$peer.py" --threads $threads \
				--filter "$filter"
		done
	done
	exit
fi
mkdir -p "$out" || exit 1

# step NAME PARTS FILTER THREADS [PEER...]: a part of the shapes, by adze and by these peers.
step() {
	name=$1
	case " ${ADZE_STEPS:-$name} " in
	*" $name "*) ;;
	*) return ;;
	esac
	[ -n "$python" ] || set -- "$1" "$2" "$3" "$4"
	echo "$name" >&2
	$quiet "$0" --one "$@" > "$out/$name.json" 2> "$out/$name.err" ||
		echo "$name failed: $out/$name.err" >&2
}

step ceilings ceilings . '1 2'
step rows graphs '^(chain|gelu_add|silu_mul|softmax|layer_norm|rms_norm|add_rms_norm)$' '1 2'
step attention graphs '^attention' '1 2' torch
step product graphs '^product$' '1 2'
step compile graphs '^(compile.*|open)$' '1 2'
for type in f32_f32 f32_f16 f32_bf16 bf16_bf16 i8_i8 u8_i8 f32_q8_0 f32_q4_0 f32_q4_k; do
	peers=
	case $type in f32_f32 | f32_f16 | bf16_bf16) peers="torch jax" ;; esac
	# shellcheck disable=SC2086
	step "product_$type" graphs "^product_nt_${type}_m(1|4|16|64|512)$" '1 2' $peers
done
step perceptron models '^(perceptron|digits|fashion)' '1 2' torch onnx jax
step minilm models '^minilm' '1 2' torch onnx jax
step resnet models '^resnet' '1 2' torch onnx
# In pieces of minutes.
for type in f32 f16 bf16 q8_0 q4_0 q4_k; do
	peers="llama torch"
	case $type in q*) peers=llama ;; esac
	# shellcheck disable=SC2086
	for threads in 1 2; do
		step "llama_110m_${type}_$threads" models "^llama_110m_${type}_" $threads $peers
		step "llama_1b_${type}_$threads" models \
			"^llama_1b_${type}_(decode|prefill_16|prefill_128)$" $threads $peers
		step "llama_1b_${type}_512_$threads" models "^llama_1b_${type}_prefill_512$" \
			$threads $peers
	done
done

cat "$out"/*.json > "$out/lines" && mv "$out/lines" "$out/lines.jsonl"
"${python:-python3}" "$here/bench_table.py" "$out/lines.jsonl" --svg "$out/plot.svg" \
	> "$out/table.md" && cat "$out/table.md"
