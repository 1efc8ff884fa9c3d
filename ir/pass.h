/* SPDX-License-Identifier: Apache-2.0
 *
 * The passes, each in the file of its name; passes.def says what they do and in which
 * order. A pass that transforms replaces *g; on failure *g stays and `d` has the words.
 */
#ifndef ADZE_PASS_H
#define ADZE_PASS_H

#include "ir/graph.h"

#define PASS(name, needs, gives, doc) adze_status ir_##name(adze_graph **g, struct diag *d);
#include "ir/passes.def"

/** Puts a rebuilt graph in the place of *g; or destroys it and passes its failure on. */
adze_status ir_replace(adze_graph **g, adze_graph *by, adze_status status, struct diag *d);

/** Rebuilds *g through `rule`, sweeps away what nothing uses any more, and replaces *g. */
adze_status ir_rewrite(adze_graph **g, ir_rule *rule, void *self, struct diag *d);

/** The one element that all of `v` is, looking through views; NULL where it has several. */
const void *ir_find_splat(const adze_graph *g, ir_val v);

/** `y` with the names of axes that `v` has: who uses it sees no other type. */
ir_val ir_keep_type(adze_graph *g, ir_val v, ir_val y);

/** The constant that `v` is, where that is known and small enough to keep; else `v`. */
ir_val ir_fold_value(adze_graph *g, ir_val v);

#endif
