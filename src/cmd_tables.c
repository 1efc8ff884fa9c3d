/* SPDX-License-Identifier: Apache-2.0
 *
 * The command's tables and JSON.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

static void *need(void *p)
{
	if (p == NULL) {
		cmd_error("memory could not be had");
		exit(CMD_FAILED);
	}
	return p;
}

/* Bytes of the UTF-8 sequence at `s` that are a character to be shown; 0 for none. */
static size_t shown(const unsigned char *s)
{
	if (s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0))
		return 0;
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return s[0] < 0xf5 ? n : 0;
}

char *cmd_clean(const char *text, char *out, size_t cap)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t at = 0;
	while (*s != '\0') {
		size_t n = shown(s);
		if (at + (n > 0 ? n : 1) >= cap)
			break;
		if (n == 0)
			out[at] = *s == '\n' ? '\n' : '?';
		else
			memcpy(out + at, s, n);
		at += n > 0 ? n : 1;
		s += n > 0 ? n : 1;
	}
	out[at] = '\0';
	return out;
}

/* Columns that a terminal needs, one a character. */
static size_t width(const char *text)
{
	size_t n = 0;
	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void cmd_table_row(struct cmd_table *t, const char *const *cells)
{
	if (t->ncell + (size_t)t->columns > t->cap) {
		t->cap = 2 * t->cap + 64;
		t->cell = need(realloc(t->cell, t->cap * sizeof *t->cell));
	}
	for (int i = 0; i < t->columns; i++) {
		size_t n = strlen(cells[i]) + 1;
		char *copy = need(malloc(n));
		t->cell[t->ncell++] = cmd_clean(cells[i], copy, n);
		for (char *p = copy; *p != '\0'; p++)
			*p = *p == '\n' ? ' ' : *p;
	}
}

void cmd_table_write(struct cmd_table *t, const char *indent, FILE *to)
{
	size_t columns = (size_t)t->columns;
	size_t *most = need(calloc(columns, sizeof *most));
	for (size_t i = 0; i < t->ncell; i++)
		if (width(t->cell[i]) > most[i % columns])
			most[i % columns] = width(t->cell[i]);
	for (size_t i = 0; i < t->ncell; i += columns) {
		size_t last = columns - 1;
		while (last > 0 && t->cell[i + last][0] == '\0')
			last--;
		fputs(indent, to);
		for (size_t k = 0; k < last; k++)
			fprintf(to, "%s%*s", t->cell[i + k],
				(int)(most[k] - width(t->cell[i + k]) + 2), "");
		fprintf(to, "%s\n", t->cell[i + last]);
	}
	free(most);
	cmd_table_free(t);
}

void cmd_table_print(struct cmd_table *t, const char *indent)
{
	cmd_table_write(t, indent, stdout);
}

void cmd_table_free(struct cmd_table *t)
{
	for (size_t i = 0; i < t->ncell; i++)
		free(t->cell[i]);
	free(t->cell);
	memset(t, 0, sizeof *t);
}

char *cmd_bytes(double bytes, char *out, size_t cap)
{
	static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
	size_t i = 0;
	for (; bytes >= 1000 && i + 1 < COUNT_OF(unit); i++)
		bytes /= 1000;
	snprintf(out, cap, i == 0 ? "%.0f %s" : "%.1f %s", bytes, unit[i]);
	return out;
}

void cmd_put(json_t *object, const char *key, json_t *v)
{
	need(json_object_set_new(object, key, need(v)) == 0 ? object : NULL);
}

void cmd_append(json_t *array, json_t *v)
{
	need(json_array_append_new(array, need(v)) == 0 ? array : NULL);
}

json_t *cmd_json_text(const char *text)
{
	json_t *v = json_string(text);
	if (v != NULL)
		return v;
	size_t n = strlen(text) + 1;
	char *copy = need(malloc(n));
	v = json_string(cmd_clean(text, copy, n));
	free(copy);
	return need(v);
}

json_t *cmd_json_real(double v)
{
	if (isnan(v))
		return json_string("nan");
	if (isinf(v))
		return json_string(v > 0 ? "inf" : "-inf");
	return json_real(v);
}

json_t *cmd_json_shape(const adze_shape *s)
{
	json_t *a = json_array();
	for (int i = 0; i < s->rank; i++) {
		const adze_dim *d = &s->dim[i];
		char text[64];
		if (d->symbol[0] == '\0') {
			cmd_append(a, json_integer(d->size));
			continue;
		}
		if (d->scale == 1)
			snprintf(text, sizeof text, "%s<=%lld", d->symbol, (long long)d->size);
		else
			snprintf(text, sizeof text, "%lld*%s<=%lld", (long long)d->scale, d->symbol,
				 (long long)(d->size / d->scale));
		cmd_append(a, json_string(text));
	}
	return a;
}

void cmd_json_print(json_t *v)
{
	json_dumpf(need(v), stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(v);
}
