/* SPDX-License-Identifier: Apache-2.0 */
#include "npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/dtype.h"
#include "base/file.h"
#include "base/text.h"

static const char magic[] = "\x93NUMPY";

/* The header, a Python dictionary of three keys: where it is read, and what it said. */
struct scan {
	const char *path, *at, *end;
	struct diag *d;
	adze_shape shape;
	bool fortran;
	unsigned seen; /* a bit for each key */
};

enum { DESCR = 1, ORDER = 2, SHAPE = 4 };

static adze_status bad(struct scan *s, const char *what)
{
	return fail(s->d, ADZE_E_FORMAT, "%s: its .npy header %s", s->path, what);
}

static void skip_blank(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' ||
				  *s->at == '\r'))
		s->at++;
}

/* Takes `token` after blanks, if it is next. */
static bool take(struct scan *s, const char *token)
{
	size_t len = strlen(token);
	skip_blank(s);
	if ((size_t)(s->end - s->at) < len || memcmp(s->at, token, len) != 0)
		return false;
	s->at += len;
	return true;
}

/* A quoted string without escapes, of printable ASCII, into `out`. */
static bool take_string(struct scan *s, char *out, size_t cap)
{
	skip_blank(s);
	if (s->at == s->end || (*s->at != '\'' && *s->at != '"'))
		return false;
	char quote = *s->at++;
	size_t n = 0;
	for (; s->at < s->end && *s->at != quote; s->at++) {
		if (*s->at < 0x20 || *s->at > 0x7e || *s->at == '\\' || n + 1 >= cap)
			return false;
		out[n++] = *s->at;
	}
	out[n] = '\0';
	return s->at++ < s->end;
}

static bool take_number(struct scan *s, int64_t *out)
{
	skip_blank(s);
	const char *first = s->at;
	*out = 0;
	for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++)
		if (__builtin_mul_overflow(*out, 10, out) ||
		    __builtin_add_overflow(*out, *s->at - '0', out))
			return false;
	return s->at > first;
}

static bool is_numpy(adze_dtype dtype)
{
	if (dtype_is_float(dtype))
		return dtype == ADZE_F16 || dtype == ADZE_F32 || dtype == ADZE_F64;
	return !dtype_is_packed(dtype);
}

static char kind(adze_dtype dtype)
{
	switch (dtype_info(dtype)->class) {
	case DTYPE_BOOL: return 'b';
	case DTYPE_INT: return 'i';
	case DTYPE_UINT: return 'u';
	case DTYPE_COMPLEX: return 'c';
	default: return 'f';
	}
}

/* NumPy's name of a type without the byte order: f4. */
static adze_dtype find_dtype(const char *name)
{
	char numpy[8];
	for (int i = 0; i < ADZE_DTYPE_COUNT; i++) {
		adze_dtype dtype = (adze_dtype)i;
		snprintf(numpy, sizeof numpy, "%c%d", kind(dtype), (int)dtype_bytes(dtype));
		if (is_numpy(dtype) && strcmp(name, numpy) == 0)
			return dtype;
	}
	return ADZE_DTYPE_COUNT;
}

static adze_status read_descr(struct scan *s)
{
	char descr[32];
	if (take(s, "["))
		return fail(s->d, ADZE_E_UNSUPPORTED, "%s: its elements are records; only plain "
			    "numbers can be read", s->path);
	if (!take_string(s, descr, sizeof descr))
		return bad(s, "has a 'descr' that is not a string");
	adze_dtype dtype = descr[0] == '\0' ? ADZE_DTYPE_COUNT : find_dtype(descr + 1);
	bool is_byte = dtype != ADZE_DTYPE_COUNT && dtype_bytes(dtype) == 1;
	if (dtype == ADZE_DTYPE_COUNT || strchr("<>|", descr[0]) == NULL ||
	    (descr[0] == '|' && !is_byte))
		return fail(s->d, ADZE_E_UNSUPPORTED, "%s: its elements are of the type '%s', "
			    "which cannot be read", s->path, descr);
	if (descr[0] == '>' && !is_byte)
		return fail(s->d, ADZE_E_UNSUPPORTED, "%s: its elements '%s' are big-endian; "
			    "only little-endian ones can be read", s->path, descr);
	s->shape.dtype = dtype;
	return ADZE_OK;
}

static adze_status read_shape(struct scan *s)
{
	if (!take(s, "("))
		return bad(s, "has a 'shape' that is not a tuple");
	bool comma = true;
	while (!take(s, ")")) {
		int64_t n;
		if (!comma || !take_number(s, &n))
			return bad(s, "has a 'shape' that is not a tuple of sizes");
		if (s->shape.rank == ADZE_MAX_RANK)
			return fail(s->d, ADZE_E_LIMIT, "%s: has more than %d dimensions",
				    s->path, ADZE_MAX_RANK);
		s->shape.dim[s->shape.rank++] = (adze_dim){.size = n, .scale = 1};
		comma = take(s, ",");
	}
	/* (3) is a number in Python, and ( ) the shape of a scalar. */
	if (s->shape.rank == 1 && !comma)
		return bad(s, "has a 'shape' that is not a tuple of sizes");
	return ADZE_OK;
}

static adze_status read_member(struct scan *s)
{
	char key[32];
	if (!take_string(s, key, sizeof key) || !take(s, ":"))
		return bad(s, "is not a dictionary");
	unsigned bit = strcmp(key, "descr") == 0	   ? DESCR
		       : strcmp(key, "fortran_order") == 0 ? ORDER
		       : strcmp(key, "shape") == 0	   ? SHAPE
							   : 0;
	if (bit == 0 || (s->seen & bit) != 0)
		return fail(s->d, ADZE_E_FORMAT, "%s: its .npy header has the key '%s' %s",
			    s->path, key, bit == 0 ? "that no header has" : "twice");
	s->seen |= bit;
	if (bit == DESCR)
		return read_descr(s);
	if (bit == SHAPE)
		return read_shape(s);
	s->fortran = take(s, "True");
	if (!s->fortran && !take(s, "False"))
		return bad(s, "has a 'fortran_order' that is neither True nor False");
	return ADZE_OK;
}

static adze_status read_dictionary(struct scan *s)
{
	if (!take(s, "{"))
		return bad(s, "is not a dictionary");
	bool comma = true;
	while (!take(s, "}")) {
		if (!comma)
			return bad(s, "is not a dictionary");
		TRY(read_member(s));
		comma = take(s, ",");
	}
	skip_blank(s);
	if (s->at != s->end)
		return bad(s, "has something behind its dictionary");
	if (s->seen != (DESCR | ORDER | SHAPE))
		return bad(s, "lacks one of 'descr', 'fortran_order' and 'shape'");
	if (s->fortran)
		return fail(s->d, ADZE_E_UNSUPPORTED, "%s: is in Fortran order; only C order can "
			    "be read (save numpy.ascontiguousarray(x))", s->path);
	return ADZE_OK;
}

/* False where it overflows; a shape with a zero must be sound without it too. */
static bool count_bytes(const adze_shape *shape, size_t *bytes)
{
	size_t n = dtype_bytes(shape->dtype);
	bool empty = false;
	for (int32_t i = 0; i < shape->rank; i++) {
		int64_t size = shape->dim[i].size;
		empty |= size == 0;
		if ((uint64_t)size > SIZE_MAX || (size > 0 && !size_mul(n, (size_t)size, &n)))
			return false;
	}
	*bytes = empty ? 0 : n;
	return true;
}

/* Where the header's text begins, and its length, from the first bytes of a file. */
static adze_status read_prefix(const char *path, const char *bytes, size_t len, struct diag *d,
			       size_t *start, size_t *text)
{
	struct reader r = {(const unsigned char *)bytes, len, 0, false};
	*start = *text = 0;
	const void *head = read_bytes(&r, 6);
	if (head == NULL || memcmp(head, magic, 6) != 0)
		return fail(d, ADZE_E_FORMAT, "%s: is no .npy file", path);
	unsigned major = read_u8(&r), minor = read_u8(&r);
	if (!r.failed && (major < 1 || major > 3 || minor != 0))
		return fail(d, ADZE_E_VERSION, "%s: is a .npy file of version %u.%u; 1.0, 2.0 and "
			    "3.0 can be read", path, major, minor);
	size_t n = major == 1 ? read_u16(&r) : read_u32(&r);
	if (r.failed || n > len - r.pos)
		return fail(d, ADZE_E_FORMAT, "%s: its .npy header is cut off", path);
	*start = r.pos;
	*text = n;
	return ADZE_OK;
}

static adze_status parse(const char *path, const char *bytes, size_t len, struct diag *d,
			 struct npy *out)
{
	size_t start, text, want;
	TRY(read_prefix(path, bytes, len, d, &start, &text));
	struct scan s = {.path = path, .at = bytes + start, .end = bytes + start + text, .d = d};
	TRY(read_dictionary(&s));
	size_t have = len - start - text;
	if (!count_bytes(&s.shape, &want))
		return fail(d, ADZE_E_FORMAT, "%s: its shape is too large for this machine", path);
	if (want != have)
		return fail(d, ADZE_E_FORMAT, "%s: its shape takes %zu bytes, but the file has %zu "
			    "bytes of data", path, want, have);
	out->shape = s.shape;
	out->data = bytes + start + text;
	out->bytes = want;
	return ADZE_OK;
}

adze_status npy_read_memory(const void *bytes, size_t len, struct diag *d, struct npy *out)
{
	memset(out, 0, sizeof *out);
	return parse("npy in memory", bytes, len, d, out);
}

adze_status npy_read(const adze_allocator *from, const char *path, struct diag *d,
		     struct npy *out)
{
	void *bytes;
	size_t len;
	memset(out, 0, sizeof *out);
	TRY(file_read(from, path, SIZE_MAX, d, &bytes, &len));
	adze_status status = parse(path, bytes, len, d, out);
	if (status != ADZE_OK) {
		mem_free_aligned(from, bytes);
		return status;
	}
	out->owned = bytes;
	out->from = from;
	/* Headers of any length are legal. */
	if ((uintptr_t)out->data % dtype_bytes(out->shape.dtype) != 0) {
		memmove(bytes, out->data, out->bytes);
		out->data = bytes;
	}
	return ADZE_OK;
}

void npy_close(struct npy *n)
{
	if (n->owned != NULL)
		mem_free_aligned(n->from, n->owned);
	memset(n, 0, sizeof *n);
}

static adze_status make_header(struct text *t, const char *path, const adze_shape *shape,
			       struct diag *d)
{
	size_t size = dtype_bytes(shape->dtype);
	text_bytes(t, magic, 6);
	text_u16(t, 1); /* version 1.0 */
	text_u16(t, 0);
	text_add(t, "{'descr': '%c%c%zu', 'fortran_order': False, 'shape': (",
		 size == 1 ? '|' : '<', kind(shape->dtype), size);
	for (int32_t i = 0; i < shape->rank; i++)
		text_add(t, "%s%" PRId64, i > 0 ? ", " : "", shape->dim[i].size);
	text_add(t, "%s), }", shape->rank == 1 ? "," : "");
	while (!t->failed && t->len % 64 != 63)
		text_bytes(t, " ", 1);
	text_bytes(t, "\n", 1);
	if (t->failed)
		return fail(d, ADZE_E_NOMEM, "%s: no memory for its header", path);
	t->at[8] = (char)(t->len - 10);
	t->at[9] = (char)((t->len - 10) >> 8);
	return ADZE_OK;
}

static adze_status check_shape(const char *path, const adze_shape *shape, const void *data,
			       struct diag *d, size_t *bytes)
{
	*bytes = 0;
	if (shape->dtype < 0 || shape->dtype >= ADZE_DTYPE_COUNT || shape->rank < 0 ||
	    shape->rank > ADZE_MAX_RANK)
		return fail(d, ADZE_E_ARGUMENT, "%s: what is to be written has no valid shape",
			    path);
	if (!is_numpy(shape->dtype))
		return fail(d, ADZE_E_UNSUPPORTED, "%s: NumPy has no type for %s; write a "
			    ".safetensors file, or convert it first", path,
			    dtype_info(shape->dtype)->name);
	for (int32_t i = 0; i < shape->rank; i++)
		if (shape->dim[i].symbol[0] != '\0' || shape->dim[i].size < 0)
			return fail(d, ADZE_E_ARGUMENT, "%s: dimension %d has no fixed size",
				    path, (int)i);
	if (!count_bytes(shape, bytes))
		return fail(d, ADZE_E_LIMIT, "%s: its shape is too large", path);
	if (*bytes > 0 && data == NULL)
		return fail(d, ADZE_E_ARGUMENT, "%s: there is no data to write", path);
	return ADZE_OK;
}

adze_status npy_write(const adze_allocator *from, const char *path, const adze_shape *shape,
		      const void *data, struct diag *d)
{
	size_t bytes;
	struct text header;
	struct file_writer w;
	TRY(check_shape(path, shape, data, d, &bytes));
	text_init(&header, from);
	adze_status status = make_header(&header, path, shape, d);
	if (status == ADZE_OK)
		status = file_writer_open(from, path, d, &w);
	if (status != ADZE_OK) {
		text_fini(&header);
		return status;
	}
	status = file_writer_write(&w, header.at, header.len, d);
	text_fini(&header);
	if (status == ADZE_OK)
		status = file_writer_write(&w, data, bytes, d);
	if (status == ADZE_OK)
		return file_writer_commit(&w, d);
	file_writer_discard(&w);
	return status;
}
