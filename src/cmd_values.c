/* SPDX-License-Identifier: Apache-2.0
 *
 * Inputs and outputs of `adze run`: files to host buffers and back.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "cmd.h"
#include "safetensors.h"

enum { FIRST_VALUES = 8 };

bool cmd_pairs_add(const struct cmd *c, const char *option, struct cmd_pairs *p, char *text)
{
	char *cut = strchr(text, '=');
	if (cut == NULL || cut == text || cut[1] == '\0') {
		cmd_usage(c, "%s takes NAME=FILE, not '%s'", option, text);
		return false;
	}
	*cut = '\0';
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->at[i].name, text) == 0) {
			cmd_usage(c, "%s is given '%s' twice", option, text);
			return false;
		}
	void *at = realloc(p->at, (p->n + 1) * sizeof *p->at);
	if (at == NULL) {
		cmd_error("memory could not be had");
		exit(CMD_FAILED);
	}
	p->at = at;
	p->at[p->n++] = (struct cmd_pair){text, cut + 1};
	return true;
}

static const char *find_pair(const struct cmd_pairs *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->at[i].name, name) == 0)
			return p->at[i].file;
	return NULL;
}

/* "'x', 'y'"; cut where there are very many. */
static void list_names(const struct exe_value *v, uint32_t n, char *out, size_t cap)
{
	size_t at = 0;
	snprintf(out, cap, "%s", n == 0 ? "none" : "");
	for (uint32_t i = 0; i < n && at < cap; i++)
		at += (size_t)snprintf(out + at, cap - at, "%s'%s'", i > 0 ? ", " : "", v[i].name);
}

static bool names_known(const struct cmd_pairs *p, const char *what, const struct exe_value *v,
			uint32_t n)
{
	for (size_t i = 0; i < p->n; i++) {
		bool known = false;
		for (uint32_t k = 0; k < n; k++)
			known |= strcmp(v[k].name, p->at[i].name) == 0;
		if (!known) {
			char names[512];
			list_names(v, n, names, sizeof names);
			cmd_error("there is no %s '%s'; there are: %s", what, p->at[i].name, names);
			return false;
		}
	}
	return true;
}

static bool inputs_read(adze_context *context, const struct exe_signature *s,
			const struct cmd_pairs *pairs, struct cmd_inputs *out)
{
	bool whole = true;
	for (uint32_t i = 0; i < s->ninput; i++) {
		const char *name = s->input[i].name, *file = find_pair(pairs, name);
		adze_status status = ADZE_E_NOTFOUND;
		if (file != NULL)
			status = adze_npy_read(context, file, &out->at[i]);
		else if (out->store != NULL &&
			 adze_store_find(out->store, name, &(adze_shape){0}) == ADZE_OK)
			status = adze_store_view(out->store, name, &out->at[i]);
		else {
			char shape[SHAPE_TEXT];
			cmd_error("input '%s' %s is missing; give --input %s=FILE.npy", name,
				  shape_print(&s->input[i].shape, shape, sizeof shape), name);
			whole = false;
			continue;
		}
		if (status != ADZE_OK) {
			cmd_failed(context, status);
			whole = false;
		}
	}
	return whole;
}

bool cmd_inputs_open(adze_context *context, const struct exe_signature *s,
		     const struct cmd_pairs *pairs, const char *store, struct cmd_inputs *out)
{
	memset(out, 0, sizeof *out);
	if (!names_known(pairs, "input", s->input, s->ninput))
		return false;
	if (store != NULL) {
		adze_status status = adze_store_open(context, store, &out->store);
		if (status != ADZE_OK) {
			cmd_failed(context, status);
			return false;
		}
	}
	out->n = s->ninput;
	out->at = calloc(out->n + 1, sizeof *out->at);
	if (out->at == NULL) {
		cmd_error("memory could not be had");
		return false;
	}
	return inputs_read(context, s, pairs, out);
}

void cmd_inputs_close(struct cmd_inputs *in)
{
	for (size_t i = 0; i < in->n && in->at != NULL; i++)
		adze_host_buffer_destroy(in->at[i]);
	free(in->at);
	adze_store_close(in->store);
	memset(in, 0, sizeof *in);
}

bool cmd_outputs_check(const struct exe_signature *s, const struct cmd_pairs *pairs)
{
	return names_known(pairs, "output", s->output, s->noutput);
}

static bool write_store(const struct exe_signature *s, adze_host_buffer *const *out,
			const char *path)
{
	struct diag d = {ADZE_OK, ""};
	struct safetensors_entry *entry = calloc(s->noutput + 1, sizeof *entry);
	if (entry == NULL) {
		cmd_error("memory could not be had");
		return false;
	}
	for (uint32_t i = 0; i < s->noutput; i++) {
		entry[i].name = s->output[i].name;
		entry[i].shape = *adze_host_buffer_shape(out[i]);
		entry[i].data = adze_host_buffer_data(out[i]);
	}
	adze_status status = safetensors_write(&mem_libc, path, entry, s->noutput, NULL, 0, &d);
	free(entry);
	if (status != ADZE_OK)
		cmd_failed_diag(&d);
	return status == ADZE_OK;
}

bool cmd_outputs_write(adze_context *context, const struct exe_signature *s,
		       adze_host_buffer *const *out, const struct cmd_pairs *pairs,
		       const char *store)
{
	for (uint32_t i = 0; i < s->noutput; i++) {
		const char *file = find_pair(pairs, s->output[i].name);
		adze_status status = file != NULL ? adze_npy_write(out[i], file) : ADZE_OK;
		if (status != ADZE_OK) {
			cmd_failed(context, status);
			return false;
		}
	}
	return store == NULL || write_store(s, out, store);
}

static void print_element(const adze_shape *s, const void *data, size_t i)
{
	double part[2];
	if (dtype_is_float(s->dtype))
		printf(" %.6g", dtype_load_float(s->dtype, data, i));
	else if (dtype_is_complex(s->dtype)) {
		dtype_load_complex(s->dtype, data, i, part);
		printf(" %.6g%+.6gi", part[0], part[1]);
	} else if (s->dtype == ADZE_BOOL)
		printf(" %s", dtype_load_int(s->dtype, data, i) ? "true" : "false");
	else if (s->dtype == ADZE_U64)
		printf(" %" PRIu64, (uint64_t)dtype_load_int(s->dtype, data, i));
	else
		printf(" %" PRId64, dtype_load_int(s->dtype, data, i));
}

void cmd_value_print(const char *name, const adze_host_buffer *value)
{
	const adze_shape *s = adze_host_buffer_shape(value);
	char text[SHAPE_TEXT], clean[512];
	int64_t n = shape_count(s);
	printf("%s %s:", cmd_clean(name, clean, sizeof clean), shape_print(s, text, sizeof text));
	for (int64_t i = 0; i < n && i < FIRST_VALUES; i++)
		print_element(s, adze_host_buffer_data(value), (size_t)i);
	printf(n > FIRST_VALUES ? " ... (%" PRId64 " values)\n" : "\n", n);
}

json_t *cmd_value_json(const char *name, const adze_host_buffer *value)
{
	const adze_shape *s = adze_host_buffer_shape(value);
	const void *data = adze_host_buffer_data(value);
	json_t *o = json_object(), *list = json_array();
	size_t n = (size_t)shape_count(s);
	for (size_t i = 0; i < n; i++) {
		double part[2];
		if (dtype_is_complex(s->dtype)) { /* a pair */
			json_t *pair = json_array();
			dtype_load_complex(s->dtype, data, i, part);
			cmd_append(pair, cmd_json_real(part[0]));
			cmd_append(pair, cmd_json_real(part[1]));
			cmd_append(list, pair);
		} else if (dtype_is_float(s->dtype))
			cmd_append(list, cmd_json_real(dtype_load_float(s->dtype, data, i)));
		else if (s->dtype == ADZE_BOOL)
			cmd_append(list, json_boolean(dtype_load_int(s->dtype, data, i)));
		else if (s->dtype == ADZE_U64 && dtype_load_int(s->dtype, data, i) < 0)
			cmd_append(list, json_real((double)((const uint64_t *)data)[i]));
		else
			cmd_append(list, json_integer(dtype_load_int(s->dtype, data, i)));
	}
	cmd_put(o, "name", cmd_json_text(name));
	cmd_put(o, "dtype", cmd_json_text(dtype_info(s->dtype)->name));
	cmd_put(o, "shape", cmd_json_shape(s));
	cmd_put(o, "data", list);
	return o;
}
