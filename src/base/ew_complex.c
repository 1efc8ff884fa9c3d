/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ew_complex.h"

bool ew_complex(enum ew f, const double a[2], const double b[2], double y[2])
{
	double _Complex x = ewc_make(a[0], a[1]), z = ewc_make(b[0], b[1]), v;
	switch (f) {
#define EWC(name, id, formula) \
	case EW_##id: v = ewc_one_##name(x, z); break;
#include "base/ew_complex.def"
	default: return false;
	}
	y[0] = creal(v);
	y[1] = cimag(v);
	return true;
}
