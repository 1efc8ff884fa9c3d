/* SPDX-License-Identifier: Apache-2.0
 *
 * Order: renumbers groups in the order in which they will run. Greedy list scheduling: of the
 * groups that are ready, the one that leaves the least memory in use runs next; the order that
 * came is kept where that needs no more at its peak. A group whose result takes the memory of
 * a donated input waits, where it can, for the input's other readers.
 */
#include <string.h>

#include "ir/group.h"
#include "ir/pass.h"

struct orderer {
	const adze_graph *g;
	struct arena scratch;
	struct ir_group *group;
	size_t n;
	/* Group i reads the results of source[first[i] .. first[i + 1]), each once. */
	uint32_t *first, *source;
	uint32_t *readers; /* groups that still read the result of i */
	int64_t *bytes;    /* in the arena, by group */
	ir_val *into;      /* the donated input that i overwrites, or 0 */
};

static size_t reads(const struct orderer *o, size_t i, ir_val *out)
{
	const adze_graph *g = o->g;
	size_t n = 0;
	for (size_t k = 0; k < o->group[i].nnode; k++) {
		ir_val v = o->group[i].node[k];
		for (size_t j = 0; j < g->node[v].narg; j++) {
			ir_val a = ir_behind(g, ir_arg(g, v, j));
			if (g->group[a] != i + 1)
				out[n++] = a;
		}
	}
	return n;
}

static bool fill(struct orderer *o)
{
	const adze_graph *g = o->g;
	struct arena *r = &o->scratch;
	if (!ir_groups(g, r, &o->group, &o->n))
		return false;
	o->first = arena_new(r, o->n + 1, sizeof *o->first);
	o->source = arena_new(r, g->narg + 1, sizeof *o->source);
	o->readers = arena_new(r, o->n + 1, sizeof *o->readers);
	o->bytes = arena_new(r, o->n + 1, sizeof *o->bytes);
	o->into = arena_new(r, o->n + 1, sizeof *o->into);
	ir_val *list = arena_new(r, g->narg + 1, sizeof *list);
	uint32_t *seen = arena_new(r, o->n + 1, sizeof *seen);
	if (o->first == NULL || o->source == NULL || o->readers == NULL || o->bytes == NULL ||
	    o->into == NULL || list == NULL || seen == NULL)
		return false;
	uint32_t at = 0;
	for (size_t i = 0; i < o->n; i++) {
		o->first[i] = at;
		o->bytes[i] = shape_bytes(ir_type(g, o->group[i].sink));
		size_t n = reads(o, i, list);
		for (size_t k = 0; k < n; k++) {
			uint32_t q = g->group[list[k]];
			if (q == 0 || seen[q] == i + 1)
				continue;
			seen[q] = (uint32_t)i + 1;
			o->source[at++] = q - 1;
			o->readers[q - 1]++;
		}
	}
	o->first[o->n] = at;
	for (size_t i = 0; i < g->noutput; i++) {
		uint32_t q = g->group[g->output[i].value];
		if (q == 0)
			continue;
		o->bytes[q - 1] = 0; /* an output's memory is the caller's */
		o->readers[q - 1]++; /* never freed by a reader */
		o->into[q - 1] = g->output[i].into;
	}
	return true;
}

static int64_t freed_by(const struct orderer *o, const uint32_t *left, size_t i)
{
	int64_t bytes = 0;
	for (uint32_t k = o->first[i]; k < o->first[i + 1]; k++)
		bytes += left[o->source[k]] == 1 ? o->bytes[o->source[k]] : 0;
	return bytes;
}

/* The peak of an order; `left` has o->n places. */
static int64_t peak_of(const struct orderer *o, const uint32_t *order, uint32_t *left)
{
	int64_t now = 0, peak = 0;
	memcpy(left, o->readers, o->n * sizeof *left);
	for (size_t at = 0; at < o->n; at++) {
		size_t i = order[at];
		now += o->bytes[i];
		peak = now > peak ? now : peak;
		now -= freed_by(o, left, i);
		for (uint32_t k = o->first[i]; k < o->first[i + 1]; k++)
			left[o->source[k]]--;
	}
	return peak;
}

struct ready {
	uint32_t *list;
	size_t n;
};

/* Whether another group that has not run reads the input that `i` overwrites. */
static bool must_wait(const struct orderer *o, size_t i, const bool *done,
		      const uint32_t *reader_of, const uint32_t *reader_first)
{
	if (o->into[i] == 0)
		return false;
	int k = ir_input_index(o->g, o->into[i]);
	for (uint32_t j = reader_first[k]; j < reader_first[k + 1]; j++)
		if (reader_of[j] != i && !done[reader_of[j]])
			return true;
	return false;
}

/* For each input, the groups that read it. */
static bool input_readers(struct orderer *o, uint32_t **first, uint32_t **reader)
{
	const adze_graph *g = o->g;
	struct arena *r = &o->scratch;
	ir_val *list = arena_new(r, g->narg + 1, sizeof *list);
	*first = arena_new(r, g->ninput + 2, sizeof **first);
	*reader = arena_new(r, g->narg + 1, sizeof **reader);
	if (list == NULL || *first == NULL || *reader == NULL)
		return false;
	for (int fill_now = 0; fill_now < 2; fill_now++) {
		for (size_t i = 0; i < o->n; i++) {
			size_t n = reads(o, i, list);
			for (size_t k = 0; k < n; k++) {
				int in = ir_input_index(g, list[k]);
				if (in < 0)
					continue;
				if (fill_now)
					(*reader)[(*first)[in + 1]++] = (uint32_t)i;
				else
					(*first)[in + 2]++;
			}
		}
		if (fill_now)
			break;
		for (size_t k = 1; k < g->ninput + 2; k++)
			(*first)[k] += (*first)[k - 1];
	}
	return true;
}

static bool schedule(struct orderer *o, uint32_t *order, uint32_t *left)
{
	struct arena *r = &o->scratch;
	uint32_t *waits = arena_new(r, o->n + 1, sizeof *waits), *in_first, *in_reader;
	struct ready ready = {arena_new(r, o->n + 1, sizeof(uint32_t)), 0};
	bool *done = arena_new(r, o->n + 1, sizeof *done);
	/* Who reads each result: the lists of sources turned round. */
	uint32_t *out_first = arena_new(r, o->n + 2, sizeof *out_first);
	uint32_t *out = arena_new(r, o->first[o->n] + 1, sizeof *out);
	if (waits == NULL || ready.list == NULL || done == NULL || out_first == NULL ||
	    out == NULL || !input_readers(o, &in_first, &in_reader))
		return false;
	for (uint32_t k = 0; k < o->first[o->n]; k++)
		out_first[o->source[k] + 2]++;
	for (size_t i = 1; i < o->n + 2; i++)
		out_first[i] += out_first[i - 1];
	for (size_t i = 0; i < o->n; i++) {
		waits[i] = o->first[i + 1] - o->first[i];
		for (uint32_t k = o->first[i]; k < o->first[i + 1]; k++)
			out[out_first[o->source[k] + 1]++] = (uint32_t)i;
		if (waits[i] == 0)
			ready.list[ready.n++] = (uint32_t)i;
	}
	memcpy(left, o->readers, o->n * sizeof *left);
	for (size_t at = 0; at < o->n; at++) {
		size_t best = 0;
		int64_t best_cost = INT64_MAX;
		for (size_t k = 0; k < ready.n; k++) {
			size_t i = ready.list[k];
			int64_t cost = o->bytes[i] - freed_by(o, left, i);
			if (must_wait(o, i, done, in_reader, in_first))
				cost = INT64_MAX - 1;
			if (cost < best_cost ||
			    (cost == best_cost && i < ready.list[best])) {
				best = k;
				best_cost = cost;
			}
		}
		uint32_t i = ready.list[best];
		ready.list[best] = ready.list[--ready.n];
		order[at] = i;
		done[i] = true;
		for (uint32_t k = o->first[i]; k < o->first[i + 1]; k++)
			left[o->source[k]]--;
		for (uint32_t k = out_first[i]; k < out_first[i + 1]; k++)
			if (--waits[out[k]] == 0)
				ready.list[ready.n++] = out[k];
	}
	return true;
}

adze_status ir_order(adze_graph **graph, struct diag *d)
{
	adze_graph *g = *graph;
	struct orderer o = {.g = g};
	arena_init(&o.scratch, g->arena.from);
	adze_status status = ADZE_OK;
	uint32_t *order = NULL, *same = NULL, *left = NULL;
	bool donates = false;
	if (!fill(&o) || (order = arena_new(&o.scratch, o.n + 1, sizeof *order)) == NULL ||
	    (same = arena_new(&o.scratch, o.n + 1, sizeof *same)) == NULL ||
	    (left = arena_new(&o.scratch, o.n + 1, sizeof *left)) == NULL ||
	    !schedule(&o, order, left)) {
		status = fail(d, ADZE_E_NOMEM, "order: no memory");
		goto out;
	}
	for (size_t i = 0; i < o.n; i++) {
		same[i] = (uint32_t)i;
		donates |= o.into[i] != 0;
	}
	if (donates || peak_of(&o, order, left) < peak_of(&o, same, left)) {
		for (size_t at = 0; at < o.n; at++)
			same[order[at]] = (uint32_t)at + 1;
		for (ir_val v = 1; v < g->nnode; v++)
			g->group[v] = g->group[v] ? same[g->group[v] - 1] : 0;
	}
out:
	arena_fini(&o.scratch);
	return status;
}
