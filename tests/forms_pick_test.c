/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of adze_picks.h against NumPy's numbers (tests/data/forms), by the reference
 * evaluator and on the CPU device; and what they refuse.
 */
#include "tests/form_case.h"

static void gathers(struct forms *f)
{
	adze_tensor x = in(f, "x", "a<=8 b=4 c=5 d=2"), p = in(f, "p", "a<=8 k=6");
	adze_tensor q = in(f, "q", "k=6"), s = in(f, "s", "a<=8 k=6"), t = in(f, "t", NULL);
	adze_tensor plain = in(f, "t_x", NULL), at = in(f, "at", NULL), u = in(f, "u", NULL);
	out(f, "gather_one", adze_gather(x, "b", &q, 1));
	out(f, "gather_along", adze_gather(x, "b", &p, 1));
	out(f, "gather_two", adze_gather(x, "b c", ((adze_tensor[]){p, s}), 2));
	out(f, "gather_nd", adze_gather_nd(plain, at, "2 0"));
	out(f, "gather_slices", adze_gather_slices(plain, at, "2 0", ((int64_t[]){3, 2})));
	out(f, "take_along", adze_take_along(plain, t, "1"));
	adze_tensor one = adze_slice(t, "2", 0, 1, 1);
	out(f, "take_along_one", adze_take_along(plain, one, "1"));
	out(f, "take_along_last", adze_take_along(x, u, "c"));
	out(f, "take_along_wide", adze_take_along(in(f, "w", NULL), in(f, "k", NULL), "0"));
}

static void totals(struct forms *f)
{
	adze_tensor z = in(f, "z", "n=3 s=7 d<=9"), b = in(f, "b", NULL), at;
	out(f, "cumsum", adze_cumsum(z, "s"));
	out(f, "cumprod", adze_cumprod(z, "s"));
	out(f, "cummax", adze_cummax(z, "s"));
	out(f, "cummin", adze_cummin(z, "s"));
	out(f, "cumulative", adze_cumulative(z, "n", "add", true, true));
	out(f, "cumulative_and", adze_cumulative(b, "1", "and", false, false));
	out(f, "top_k", adze_top_k(z, "s", 3, false, &at));
	out(f, "top_k_at", at);
	out(f, "bottom_k", adze_top_k(z, "s", 3, true, &at));
	out(f, "bottom_k_at", at);
}

static void matrices(struct forms *f)
{
	adze_tensor a = in(f, "a", NULL), y = in(f, "y", NULL), r = in(f, "r", NULL);
	adze_tensor l = adze_cholesky(a, true);
	out(f, "cholesky", l);
	out(f, "cholesky_upper", adze_cholesky(a, false));
	out(f, "cholesky_solve", adze_cholesky_solve(l, y));
	const adze_triangular_options lower = {.left = true, .lower = true};
	out(f, "triangular_solve", adze_triangular_solve(a, y, &lower));
	out(f, "triangular_right", adze_triangular_solve(a, r, NULL));
}

TEST(forms_pick, numbers)
{
	struct forms f;
	forms_begin(&f, "forms/picks");
	gathers(&f);
	totals(&f);
	matrices(&f);
	forms_end(&f);
}

static void check_type(adze_tensor y, const char *want)
{
	char text[256];
	CHECK_MSG(adze_is(y), "%s", want);
	adze_shape s = adze_tensor_shape(y);
	CHECK_MSG(strcmp(shape_print(&s, text, sizeof text), want) == 0, "%s, not %s", text, want);
}

TEST(forms_pick, types_of_transforms)
{
	struct life l;
	adze_graph *g;
	life_begin(&l);
	OK(&l, adze_graph_create(l.context, "g", &g));
	X(x, "n<=4 h=6 w=8");
	check_type(adze_fft(x, "h"), "c64[n<=4, h=6, w=8]");
	check_type(adze_rfft(x, "h w"), "c64[n<=4, h=6, w=5]");
	check_type(adze_rfft(x, "w h"), "c64[n<=4, h=4, w=8]");
	check_type(adze_ifft(adze_fft(x, "w h"), "w h"), "c64[n<=4, h=6, w=8]");
	check_type(adze_irfft(adze_rfft(x, "w"), "w", 0), "f32[n<=4, h=6, w=8]");
	check_type(adze_irfft(adze_rfft(x, "h"), "h", 7), "f32[n<=4, h=7, w=8]");
	check_type(adze_rfft(adze_convert(x, ADZE_BF16), "w"), "c64[n<=4, h=6, w=5]");
	check_type(adze_rfft(adze_convert(x, ADZE_F64), "w"), "c128[n<=4, h=6, w=5]");
	adze_graph_destroy(g);
	life_end(&l);
}

TEST(forms_pick, refusals)
{
	struct life l;
	life_begin(&l);
	REFUSED(X(x, "a=4 b=3"); I(i, "2"), adze_gather(x, "a b", &i, 1), ADZE_E_TYPE, "gather",
		"f32[a=4, b=3]: an index is needed for each axis");
	REFUSED(X(x, "a=4"), adze_gather(x, "a", &x, 1), ADZE_E_TYPE, "gather", "integers");
	REFUSED(X(x, "a=4 b=3"); I(i, "b=2"), adze_gather(x, "a", &i, 1), ADZE_E_TYPE, "gather",
		"paired axes differ in extent");
	REFUSED(X(x, "1 1 1 1 1 1"); I(i, "1 1 1 1"), adze_gather(x, "0", &i, 1), ADZE_E_TYPE,
		"gather", "too many axes");
	REFUSED(X(x, "a=4 b=3"); I(i, "5 3"), adze_gather_nd(x, i, "a b"), ADZE_E_TYPE,
		"gather_nd", "i32[5, 3]: its last axis");
	REFUSED(X(x, "a=4 b=3"); I(i, "5 1"), adze_gather_slices(x, i, "a", (int64_t[]){5}),
		ADZE_E_TYPE, "gather_slices", "larger");
	REFUSED(X(x, "a=4 b=3"); I(i, "4"), adze_take_along(x, i, "a"), ADZE_E_TYPE, "take_along",
		"as many axes");
	REFUSED(X(x, "a=4 b=3"); I(i, "4 2"), adze_take_along(x, i, "a"), ADZE_E_TYPE,
		"take_along", "differ");
	REFUSED(X(x, "a=4"), adze_cumsum(x, "q"), ADZE_E_TYPE, "cumsum", "no axis 'q'");
	REFUSED(X(x, "a=4"), adze_cumulative(x, "a", "plus", false, false), ADZE_E_ARGUMENT,
		"cumulative", "'plus'");
	REFUSED(X(x, "a=4"), adze_cumulative(x, "a", "sub", false, false), ADZE_E_TYPE,
		"cumulative", "associative");
	REFUSED(X(x, "a=4"), adze_top_k(x, "a", 5, false, NULL), ADZE_E_TYPE, "top_k", "k is");
	REFUSED(I(x, "a=4"), adze_fft(x, "a"), ADZE_E_TYPE, "fft", "complex");
	REFUSED(X(x, "a=4 t<=3"), adze_rfft(x, "t"), ADZE_E_TYPE, "rfft", "symbol");
	REFUSED(X(x, "a=4"), adze_irfft(x, "a", 0), ADZE_E_TYPE, "irfft", "c64");
	REFUSED(X(x, "a=4 b=3"), adze_cholesky(x, true), ADZE_E_TYPE, "cholesky", "square");
	REFUSED(X(x, "a=4 b=4"); X(y, "3 4"), adze_cholesky_solve(x, y), ADZE_E_TYPE,
		"cholesky_solve", "equations");
	REFUSED(X(x, "a=4 b=4"); X(y, "3 3"), adze_triangular_solve(x, y, NULL), ADZE_E_TYPE,
		"triangular_solve", "equations");
	life_end(&l);
}
