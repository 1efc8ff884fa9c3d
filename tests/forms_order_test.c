/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of adze_order.h against NumPy's numbers (tests/data/forms), by the reference
 * evaluator and on the CPU device; and what they refuse.
 */
#include <math.h>

#include "tests/form_case.h"

/* By the first ascending, then by the second descending. */
static void before(void *self, const adze_tensor *x, adze_tensor *y)
{
	(void)self;
	adze_tensor same = adze_eq(x[0], x[1]);
	y[0] = adze_or(adze_lt(x[0], x[1]), adze_and(same, adze_gt(x[2], x[3])));
}

static void sorts(struct forms *f)
{
	adze_tensor x = in(f, "x", NULL), t = in(f, "t_x", "a=3 b<=20 c=4"), y[2];
	const adze_tensor pair[2] = {in(f, "k", "n=9"), in(f, "v", "n=9")};
	out(f, "sort", adze_sort(x, "1", false));
	out(f, "sort_symbol", adze_sort(t, "b", false));
	out(f, "descending", adze_sort(x, "1", true));
	out(f, "argsort", adze_argsort(x, "1", false));
	out(f, "argsort_down", adze_argsort(t, "b", true));
	out(f, "kth", adze_kth_value(x, "1", 3));
	out(f, "median", adze_median(x, "0"));
	adze_sort_by(pair, 2, "n", before, NULL, y);
	out(f, "by_key", y[0]);
	out(f, "by_value", y[1]);
}

static void updates(struct forms *f)
{
	static const struct {
		const char *name;
		adze_update how;
	} way[] = {{"scatter_set", ADZE_UPDATE_SET}, {"scatter_add", ADZE_UPDATE_ADD},
		   {"scatter_mul", ADZE_UPDATE_MUL}, {"scatter_max", ADZE_UPDATE_MAX},
		   {"scatter_min", ADZE_UPDATE_MIN}};
	adze_tensor s = in(f, "s", "a=4 b=5 c=3"), at = in(f, "at", "a=4 b=7 c=3");
	adze_tensor u = in(f, "u", "a=4 b=7 c=3"), p = in(f, "p", NULL), w = in(f, "w", NULL);
	adze_tensor plain = in(f, "t_s", NULL), rows = in(f, "t", "r<=9");
	adze_tensor v = in(f, "t_u", "a=4 r<=9 c=3");
	for (size_t i = 0; i < COUNT_OF(way); i++)
		out(f, way[i].name, adze_scatter(s, at, u, "b", way[i].how));
	out(f, "scatter_nd_add", adze_scatter_nd(plain, p, w, "2 1", ADZE_UPDATE_ADD));
	out(f, "scatter_nd_set", adze_scatter_nd(plain, p, w, "2 1", ADZE_UPDATE_SET));
	out(f, "index_add", adze_index_add(plain, rows, v, "1"));
	adze_tensor sums = adze_segment_sum(v, rows, "r", "g=6");
	out(f, "segment_sum", sums);
}

static void larger(void *self, const adze_tensor *x, adze_tensor *y)
{
	(void)self;
	adze_tensor keep = adze_ge(x[0], x[2]);
	y[0] = adze_select(keep, x[0], x[2]);
	y[1] = adze_select(keep, x[1], x[3]);
}

static void either(void *self, const adze_tensor *x, adze_tensor *y)
{
	(void)self;
	y[0] = adze_or(x[0], x[1]);
}

static void sum(void *self, const adze_tensor *x, adze_tensor *y)
{
	(void)self;
	/* A constant is no tensor from around it. */
	y[0] = adze_mul(adze_add(x[0], x[1]), adze_scalar_like(x[0], 1));
}

static void reductions(struct forms *f)
{
	const adze_moving window = {.size = {3, 2}, .stride = {1, 3}, .dilation = {1, 2},
				    .low = {1, 2}, .high = {1, 0}};
	adze_tensor r = in(f, "r", "a=5 b=40"), y[2];
	adze_graph *g = f->graph;
	const adze_tensor both[2] = {r, adze_add(adze_arange(g, ADZE_I32, "b=40", 0, 1),
						 adze_full(g, ADZE_I32, "a=5 b=40", 0))};
	const adze_tensor none[2] = {adze_scalar(g, ADZE_F32, (double)-INFINITY),
				     adze_scalar(g, ADZE_I32, -1)};
	adze_reduce_by(both, 2, none, "b", larger, NULL, y);
	out(f, "largest", y[0]);
	out(f, "where", y[1]);
	adze_tensor large = adze_gt(r, adze_scalar_like(r, 8));
	adze_tensor no = adze_scalar(g, ADZE_BOOL, 0), one = adze_scalar(g, ADZE_F32, 1);
	adze_reduce_by(&large, 1, &no, "a", either, NULL, y);
	out(f, "logical", y[0]);
	adze_reduce_window_by(&r, 1, &one, &window, sum, NULL, y);
	out(f, "moving", y[0]);
}

TEST(forms_order, numbers)
{
	struct forms f;
	forms_begin(&f, "forms/order");
	sorts(&f);
	updates(&f);
	reductions(&f);
	forms_end(&f);
}

TEST(forms_order, names_of_axes)
{
	struct life l;
	adze_graph *g;
	char words[100];
	life_begin(&l);
	OK(&l, adze_graph_create(l.context, "g", &g));
	X(x, "a=3 b<=4");
	I(ids, "b<=4");
	adze_shape s = adze_tensor_shape(adze_argsort(x, "b", true));
	CHECK(strcmp(adze_shape_print(&s, words, sizeof words), "i32[a=3, b<=4]") == 0);
	s = adze_tensor_shape(adze_segment_sum(x, ids, "b", "g=7"));
	CHECK(strcmp(adze_shape_print(&s, words, sizeof words), "f32[a=3, g=7]") == 0);
	s = adze_tensor_shape(adze_median(x, "a"));
	CHECK(strcmp(adze_shape_print(&s, words, sizeof words), "f32[b<=4]") == 0);
	adze_graph_destroy(g);
	life_end(&l);
}

/* What is done wrong in a function. */
static adze_tensor outside;

static void takes_outside(void *self, const adze_tensor *x, adze_tensor *y)
{
	(void)self;
	y[0] = adze_lt(x[0], outside);
}

static void makes_nothing(void *self, const adze_tensor *x, adze_tensor *y)
{
	(void)self, (void)x, (void)y;
}

static void makes_a_sum(void *self, const adze_tensor *x, adze_tensor *y)
{
	(void)self;
	y[0] = adze_lt(adze_sum(x[0], ""), x[1]);
}

static adze_tensor sorted;
#define SORT_BY(x, f) (adze_sort_by(&(x), 1, "a", f, NULL, &sorted), sorted)

TEST(forms_order, refusals)
{
	struct life l;
	life_begin(&l);
	REFUSED(X(x, "a=3"), adze_sort(x, "b", false), ADZE_E_TYPE, "sort", "'b'");
	REFUSED(X(x, "a<=3"), adze_median(x, "a"), ADZE_E_TYPE, "median",
		"f32[a<=3]: the axis has a symbol");
	REFUSED(X(x, "a=3"), adze_kth_value(x, "a", 3), ADZE_E_TYPE, "kth_value",
		"there are not as many elements");
	REFUSED(X(x, "a=3 b=2"); I(i, "a=3"), adze_scatter(x, i, x, "a", ADZE_UPDATE_ADD),
		ADZE_E_TYPE, "scatter", "i32[a=3]: indices have the axes of x");
	REFUSED(X(x, "a=3 b=2"); I(i, "a=3 b=3"); X(u, "a=3 b=3"),
		adze_scatter(x, i, u, "a", ADZE_UPDATE_ADD), ADZE_E_TYPE, "scatter",
		"paired axes differ in extent");
	REFUSED(X(x, "a=3"); X(i, "a=3"), adze_scatter(x, i, x, "a", ADZE_UPDATE_SET),
		ADZE_E_TYPE, "scatter", "must be indices: integers");
	REFUSED(X(x, "a=3"); I(i, "a=3"), adze_scatter(x, i, x, "a", (adze_update)9),
		ADZE_E_ARGUMENT, "scatter", "there is no such way to update");
	REFUSED(X(x, "a=3 b=2"); I(i, "n=4 k=1"); X(u, "n=4"),
		adze_scatter_nd(x, i, u, "a b", ADZE_UPDATE_ADD), ADZE_E_TYPE, "scatter_nd",
		"its last axis has an integer for each axis");
	REFUSED(X(x, "a=3 b=2"); I(i, "n=4 k=1"), adze_index_add(x, i, x, "a"), ADZE_E_TYPE,
		"index_add", "indices have one axis");
	REFUSED(X(x, "a=3 b=2"); I(i, "n=3"), adze_segment_sum(x, i, "a", "g=2 h=3"), ADZE_E_TYPE,
		"segment_sum", "one axis takes the place of another");
	REFUSED(X(x, "a=3"); outside = adze_input(g, "o", ADZE_F32, ""),
		SORT_BY(x, takes_outside), ADZE_E_ARGUMENT, "sort_by",
		"its function uses a tensor that it is not given, and no constant");
	REFUSED(X(x, "a=3"), SORT_BY(x, makes_nothing), ADZE_E_ARGUMENT, "sort_by",
		"result 0 of its function is the null tensor");
	REFUSED(X(x, "a=3"), SORT_BY(x, makes_a_sum), ADZE_E_TYPE, "sort_by",
		"body 'before' has reduce, which is not element-wise");
	life_end(&l);
}
