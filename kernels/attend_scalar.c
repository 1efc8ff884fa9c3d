/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of attention by their formulas (kernels.h).
 */
#include <math.h>

#include "base/half.h"
#include "kernels/impls.h"

void attend_scores_f32_scalar(float *s, const float *q, const float *k, size_t d, size_t n,
			      size_t mr, size_t nr)
{
	for (size_t j = 0; j < (n + nr - 1) / nr * nr; j++)
		for (size_t i = 0; i < mr; i++) {
			float sum = 0;
			for (size_t p = 0; p < d; p++)
				sum += q[p * mr + i] * k[(j / nr * d + p) * nr + j % nr];
			s[i * ATTEND_KEYS + j] = sum;
		}
}

void attend_values_f32_scalar(float *y, const float *scale, const float *p, const float *v,
			      ptrdiff_t v_panel, size_t n, size_t dv, size_t mr, size_t nr)
{
	for (size_t c = 0; c < (dv + nr - 1) / nr * nr; c++)
		for (size_t i = 0; i < mr; i++) {
			float *at = &y[(c / nr * mr + i) * nr + c % nr];
			*at *= scale[i];
			for (size_t j = 0; j < n; j++)
				*at += p[i * ATTEND_KEYS + j] *
				       v[(ptrdiff_t)(c / nr) * v_panel +
					 (ptrdiff_t)(j * nr + c % nr)];
		}
}

void attend_soften_f32_scalar(float *s, size_t rows, size_t n, float factor, float *most,
			      float *total, float *scale)
{
	for (size_t i = 0; i < rows; i++, s += ATTEND_KEYS) {
		float old = most[i], sum = 0;
		for (size_t j = 0; j < n; j++)
			if (s[j] * factor > most[i])
				most[i] = s[j] * factor;
		float from = most[i] == -INFINITY ? 0 : most[i];
		for (size_t j = 0; j < n; j++) {
			s[j] = expf(s[j] * factor - from);
			sum += s[j];
		}
		scale[i] = old == most[i] ? 1 : expf(old - most[i]);
		total[i] = total[i] * scale[i] + sum;
	}
}

static float get_f32(const void *x, ptrdiff_t i) { return ((const float *)x)[i]; }
static float get_f16(const void *x, ptrdiff_t i) { return f16_to_f32(((const uint16_t *)x)[i]); }
static float get_bf16(const void *x, ptrdiff_t i) { return bf16_to_f32(((const uint16_t *)x)[i]); }

#define ATTEND(type)                                                                           \
	void attend_pack_##type##_scalar(float *to, const void *x, ptrdiff_t across,           \
					 ptrdiff_t along, size_t n, size_t k, size_t w)        \
	{                                                                                      \
		for (size_t i = 0; i < (n + w - 1) / w * w; i++)                               \
			for (size_t p = 0; p < k; p++)                                         \
				to[(i / w * k + p) * w + i % w] =                              \
					i < n ? get_##type(x, (ptrdiff_t)i * across +          \
								      (ptrdiff_t)p * along)    \
					      : 0;                                             \
	}                                                                                      \
	void attend_dots_##type##_scalar(float *s, const float *q, ptrdiff_t q_row,            \
					 const void *k, ptrdiff_t k_row, size_t rows,          \
					 size_t n, size_t d)                                   \
	{                                                                                      \
		for (size_t i = 0; i < rows; i++)                                              \
			for (size_t j = 0; j < n; j++) {                                       \
				float sum = 0;                                                 \
				for (size_t p = 0; p < d; p++)                                 \
					sum += q[(ptrdiff_t)i * q_row + (ptrdiff_t)p] *        \
					       get_##type(k, (ptrdiff_t)j * k_row +            \
							     (ptrdiff_t)p);                    \
				s[i * ATTEND_KEYS + j] = sum;                                  \
			}                                                                      \
	}                                                                                      \
	void attend_few_##type##_scalar(float *y, ptrdiff_t y_row, const float *p,             \
					const void *v, ptrdiff_t v_row, size_t rows, size_t n, \
					size_t dv)                                             \
	{                                                                                      \
		for (size_t i = 0; i < rows; i++)                                              \
			for (size_t c = 0; c < dv; c++) {                                      \
				float sum = 0;                                                 \
				for (size_t j = 0; j < n; j++)                                 \
					sum += p[i * ATTEND_KEYS + j] *                        \
					       get_##type(v, (ptrdiff_t)j * v_row +            \
							     (ptrdiff_t)c);                    \
				y[(ptrdiff_t)i * y_row + (ptrdiff_t)c] = sum;                  \
			}                                                                      \
	}
ATTEND(f32)
ATTEND(f16)
ATTEND(bf16)
