/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/onnx_read.h"

#include <stdio.h>
#include <string.h>

#include "ir/graph.h"

/* Bytes that are left of a message; `bad` sticks. */
struct wire {
	const unsigned char *at, *end;
	struct arena *r;
	bool bad;
};

/* One field: a number, or bytes. */
struct field {
	uint64_t number, value;
	int kind; /* 0 varint, 1 64 bits, 2 bytes, 5 32 bits */
	struct wire bytes;
};

static uint64_t varint(struct wire *w)
{
	uint64_t v = 0;
	for (int shift = 0; shift < 64; shift += 7) {
		if (w->at >= w->end)
			break;
		unsigned char c = *w->at++;
		v |= (uint64_t)(c & 127) << shift;
		if (c < 128)
			return v;
	}
	w->bad = true;
	return 0;
}

static uint64_t fixed(struct wire *w, size_t n)
{
	uint64_t v = 0;
	if ((size_t)(w->end - w->at) < n) {
		w->bad = true;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)w->at[i] << (8 * i);
	w->at += n;
	return v;
}

/* False at the end, and where the rest cannot be read. */
static bool next(struct wire *w, struct field *f)
{
	if (w->bad || w->at >= w->end)
		return false;
	uint64_t key = varint(w);
	memset(f, 0, sizeof *f);
	f->number = key >> 3;
	f->kind = (int)(key & 7);
	if (f->kind == 0) {
		f->value = varint(w);
	} else if (f->kind == 1 || f->kind == 5) {
		f->value = fixed(w, f->kind == 1 ? 8 : 4);
	} else if (f->kind == 2) {
		uint64_t n = varint(w);
		if (w->bad || n > (uint64_t)(w->end - w->at)) {
			w->bad = true;
			return false;
		}
		f->bytes = (struct wire){w->at, w->at + n, w->r, false};
		w->at += n;
	} else {
		w->bad = true;
	}
	return !w->bad;
}

static const char *text(const struct field *f)
{
	return arena_text(f->bytes.r, (const char *)f->bytes.at,
			  (size_t)(f->bytes.end - f->bytes.at));
}

/* A fresh element behind the `n` that are there; `list` points to the list's pointer. */
static void *push(struct arena *r, void *list, size_t *n, size_t *cap, size_t size)
{
	char *at;
	memcpy(&at, list, sizeof at);
	if (*n == *cap) {
		*cap = *cap == 0 ? 4 : *cap * 2;
		char *more = arena_new(r, *cap, size);
		if (*n > 0)
			memcpy(more, at, *n * size);
		at = more;
		memcpy(list, &at, sizeof at);
	}
	return at + (*n)++ * size;
}

#define PUSH(r, s, list, one) \
	push(r, &(s)->list, &(s)->n##one, &(s)->one##_cap, sizeof *(s)->list)

static float as_float(uint64_t bits)
{
	uint32_t low = (uint32_t)bits;
	float v;
	memcpy(&v, &low, sizeof v);
	return v;
}

static double as_double(uint64_t bits)
{
	double v;
	memcpy(&v, &bits, sizeof v);
	return v;
}

adze_dtype onnx_dtype(int64_t type)
{
	static const adze_dtype known[] = {
		ADZE_DTYPE_COUNT, ADZE_F32, ADZE_U8, ADZE_I8, ADZE_U16, ADZE_I16,
		ADZE_I32, ADZE_I64, ADZE_DTYPE_COUNT, ADZE_BOOL, ADZE_F16, ADZE_F64,
		ADZE_U32, ADZE_U64, ADZE_DTYPE_COUNT, ADZE_DTYPE_COUNT, ADZE_BF16};
	return type < 0 || type >= (int64_t)(sizeof known / sizeof *known) ? ADZE_DTYPE_COUNT
									   : known[type];
}

/* Elements in one of the typed lists, as they come: a list, or one by one. */
struct elements {
	uint64_t *at;
	size_t nelement, element_cap;
	uint64_t number;
};

static void add_elements(struct arena *r, struct elements *e, struct field *f)
{
	struct wire *w = &f->bytes;
	e->number = f->number;
	if (f->kind != 2) {
		*(uint64_t *)PUSH(r, e, at, element) = f->value;
		return;
	}
	while (w->at < w->end && !w->bad) {
		uint64_t v = f->number == 4    ? fixed(w, 4)
			     : f->number == 10 ? fixed(w, 8)
					       : varint(w);
		*(uint64_t *)PUSH(r, e, at, element) = v;
	}
}

static void store_element(struct onnx_tensor *t, size_t i, const struct elements *e)
{
	adze_dtype d = t->shape.dtype;
	uint64_t v = e->at[i];
	if (e->number == 4)
		dtype_store_float(d, t->data, i, as_float(v));
	else if (e->number == 10)
		dtype_store_float(d, t->data, i, as_double(v));
	else if (d == ADZE_F16 || d == ADZE_BF16)
		memcpy((char *)t->data + 2 * i, &(uint16_t){(uint16_t)v}, 2);
	else
		dtype_store_int(d, t->data, i, (int64_t)v);
}

static bool read_tensor(struct wire *w, struct onnx_tensor *t)
{
	struct field f, raw = {0};
	struct elements e = {0};
	adze_dtype dtype = ADZE_DTYPE_COUNT;
	int64_t dims[ADZE_MAX_RANK];
	int rank = 0;
	struct arena *r = w->r;
	memset(t, 0, sizeof *t);
	t->name = "";
	while (next(w, &f)) {
		if (f.number == 1 && f.kind == 0 && rank < ADZE_MAX_RANK) {
			dims[rank++] = (int64_t)f.value;
		} else if (f.number == 1) {
			while (f.bytes.at < f.bytes.end && !f.bytes.bad && rank < ADZE_MAX_RANK)
				dims[rank++] = (int64_t)varint(&f.bytes);
		} else if (f.number == 2) {
			dtype = onnx_dtype((int64_t)f.value);
		} else if (f.number == 8) {
			t->name = text(&f);
		} else if (f.number == 9) {
			raw = f;
		} else if (f.number == 4 || f.number == 5 || f.number == 7 || f.number == 10 ||
			   f.number == 11) {
			if (e.nelement == 0 || e.number == f.number)
				add_elements(r, &e, &f);
		}
	}
	t->bad = dtype == ADZE_DTYPE_COUNT;
	if (w->bad || t->bad)
		return !w->bad;
	t->shape = shape_make(dtype, rank, dims);
	struct diag d = {ADZE_OK, ""};
	if (shape_check(&t->shape, &d) != ADZE_OK)
		return false;
	size_t bytes = (size_t)shape_bytes(&t->shape), n = (size_t)shape_count(&t->shape);
	t->data = arena_new(r, bytes + 16, 1);
	if (raw.number != 0 && (size_t)(raw.bytes.end - raw.bytes.at) == bytes)
		memcpy(t->data, raw.bytes.at, bytes);
	else if (e.nelement == n)
		for (size_t i = 0; i < n; i++)
			store_element(t, i, &e);
	else
		return false;
	return true;
}

static void add_number(struct arena *r, struct onnx_attr *a, struct field *f)
{
	struct wire *w = &f->bytes;
	bool one = f->kind != 2, more = one || w->at < w->end;
	while (more && !w->bad) {
		if (f->number == 8)
			*(int64_t *)PUSH(r, a, ints, int) = (int64_t)(one ? f->value : varint(w));
		else
			*(double *)PUSH(r, a, floats, float) =
				as_float(one ? f->value : fixed(w, 4));
		more = !one && w->at < w->end;
	}
}

static bool read_attr(struct wire *w, struct onnx_attr *a)
{
	struct field f;
	bool ok = true;
	while (ok && next(w, &f)) {
		switch (f.number) {
		case 1: a->name = text(&f); break;
		case 2: a->f = as_float(f.value); break;
		case 3: a->i = (int64_t)f.value; break;
		case 4: a->text = text(&f); break;
		case 5:
			a->tensor = arena_new(w->r, 1, sizeof *a->tensor);
			ok = read_tensor(&f.bytes, a->tensor);
			break;
		case 7: case 8: add_number(w->r, a, &f); break;
		case 9: *(const char **)PUSH(w->r, a, texts, text) = text(&f); break;
		default: break;
		}
	}
	return ok && !w->bad && a->name != NULL;
}

static bool read_node(struct wire *w, struct onnx_node *n)
{
	struct field f;
	bool ok = true;
	n->op = n->domain = "";
	while (ok && next(w, &f)) {
		switch (f.number) {
		case 1: *(const char **)PUSH(w->r, n, input, input) = text(&f); break;
		case 2: *(const char **)PUSH(w->r, n, output, output) = text(&f); break;
		case 4: n->op = text(&f); break;
		case 5:
			ok = read_attr(&f.bytes, PUSH(w->r, n, attr, attr));
			break;
		case 7: n->domain = text(&f); break;
		default: break;
		}
	}
	return ok && !w->bad;
}

static bool read_value(struct wire *w, struct onnx_value *v)
{
	struct field f, type, element;
	v->name = "";
	v->dtype = ADZE_DTYPE_COUNT;
	while (next(w, &f)) {
		if (f.number == 1)
			v->name = text(&f);
		if (f.number != 2 || !next(&f.bytes, &type))
			continue;
		v->tensor = type.number == 1;
		if (v->tensor && next(&type.bytes, &element) && element.number == 1)
			v->dtype = onnx_dtype((int64_t)element.value);
	}
	return !w->bad;
}

static bool read_graph(struct wire *w, struct onnx_model *m)
{
	struct field f;
	bool ok = true;
	while (ok && next(w, &f)) {
		switch (f.number) {
		case 1: ok = read_node(&f.bytes, PUSH(w->r, m, node, node)); break;
		case 5: ok = read_tensor(&f.bytes, PUSH(w->r, m, init, init)); break;
		case 11: ok = read_value(&f.bytes, PUSH(w->r, m, input, input)); break;
		case 12: ok = read_value(&f.bytes, PUSH(w->r, m, output, output)); break;
		default: break;
		}
	}
	return ok && !w->bad;
}

static bool read_opset(struct wire *w, struct onnx_model *m)
{
	struct field f;
	bool standard = true;
	int64_t version = 0;
	while (next(w, &f)) {
		if (f.number == 1)
			standard = f.bytes.at == f.bytes.end;
		else if (f.number == 2)
			version = (int64_t)f.value;
	}
	if (standard)
		m->opset = version;
	return !w->bad;
}

bool onnx_read_model(struct arena *r, const void *bytes, size_t size, struct onnx_model *out)
{
	struct wire w = {bytes, (const unsigned char *)bytes + size, r, false};
	struct field f;
	bool ok = true, graph = false;
	memset(out, 0, sizeof *out);
	while (ok && next(&w, &f)) {
		if (f.number == 7) {
			ok = read_graph(&f.bytes, out);
			graph = true;
		} else if (f.number == 8) {
			ok = read_opset(&f.bytes, out);
		}
	}
	return ok && graph && !w.bad;
}

bool onnx_read_tensor(struct arena *r, const void *bytes, size_t size, struct onnx_tensor *out)
{
	struct wire w = {bytes, (const unsigned char *)bytes + size, r, false};
	return read_tensor(&w, out);
}

const struct onnx_attr *onnx_attr(const struct onnx_node *n, const char *name)
{
	for (size_t i = 0; i < n->nattr; i++)
		if (strcmp(n->attr[i].name, name) == 0)
			return &n->attr[i];
	return NULL;
}

void *onnx_file(struct arena *r, const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	char *data = NULL;
	long n;
	*size = 0;
	if (f == NULL)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) >= 0 && fseek(f, 0, SEEK_SET) == 0) {
		data = arena_new(r, (size_t)n + 1, 1);
		*size = fread(data, 1, (size_t)n, f);
		if (*size != (size_t)n)
			data = NULL;
	}
	fclose(f);
	return data;
}
