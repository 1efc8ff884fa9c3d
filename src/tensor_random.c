/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers from a state that the graph is given and gives back.
 */
#include "forms.h"

/* The state behind `blocks` blocks: the counter goes on, with a carry where it has two words. */
static adze_tensor advance(adze_tensor state, int64_t words, uint64_t blocks)
{
	adze_shape one = shape_make(ADZE_U64, 1, (int64_t[]){1});
	adze_tensor part[3], n = (adze_constant)(state.graph, &one, &blocks);
	for (int64_t i = 0; i < words; i++)
		part[i] = (adze_slice)(state, "0", i, i + 1, 1);
	part[1] = f_add(part[1], n);
	if (words == 3)
		part[2] = f_add(part[2], (adze_convert)(f_lt(part[1], n), ADZE_U64));
	return adze_concat_at(NULL, 0, part, (size_t)words, "0");
}

adze_tensor(adze_rng_bits)(adze_tensor state, adze_dtype dtype, const char *dims,
			   adze_tensor *next)
{
	struct tensor_op op = tensor_begin("rng_bits", &state, 1);
	adze_shape shape;
	adze_tensor y = form_of(&op, 0);
	if (next != NULL)
		*next = y;
	if (!tensor_dims(&op, NULL, dtype, dims, &shape))
		return form_end(&op, y);
	const adze_shape *s = tensor_type(&op, state.id);
	if (s->dtype != ADZE_U64 || s->rank != 1 || !dim_is_static(&s->dim[0]) ||
	    (s->dim[0].size != 2 && s->dim[0].size != 3))
		return form_end(&op, form_refuse(&op, state, "a state is u64[3] for Philox, u64[2] "
							     "for Threefry"));
	int64_t words = s->dim[0].size, block = words == 3 ? 16 : 8;
	y = form_of(&op, ir_emit1(op.graph, words == 3 ? OP_RNG_PHILOX : OP_RNG_THREEFRY, state.id,
				  NULL, &shape));
	if (next != NULL && adze_is(y))
		*next = advance(state, words,
				(uint64_t)((shape_bytes(&shape) + block - 1) / block));
	return form_end(&op, y);
}
