/* SPDX-License-Identifier: Apache-2.0
 *
 * What this process may run on: affinity, cores, CPU quota. Nothing is kept between calls.
 */
#include "config.h"

#include "devices/cpu/cpu_pool.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if HAVE_HWLOC
#include <hwloc.h>
#endif

#define CPUS "/sys/devices/system/cpu"
#define PATH_BYTES 4096
#define WORD_BITS (8 * (int)sizeof(unsigned long))

static bool has(const struct cpu_mask *m, int i)
{
	return m->bits[i / WORD_BITS] >> (i % WORD_BITS) & 1;
}

static void drop(struct cpu_mask *m, int i)
{
	m->bits[i / WORD_BITS] &= ~(1ul << (i % WORD_BITS));
}

/* The start of a small file as text; false where it cannot be read. */
static bool slurp(char *out, size_t cap, const char *format, ...)
{
	char path[PATH_BYTES];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(path, sizeof path, format, args);
	va_end(args);
	out[0] = '\0';
	if (n < 0 || (size_t)n >= sizeof path)
		return false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size_t len = 0;
	ssize_t got = 0;
	while (len + 1 < cap && (got = read(fd, out + len, cap - 1 - len)) > 0)
		len += (size_t)got;
	close(fd);
	out[len] = '\0';
	return got >= 0;
}

bool cpu_topo_mask(struct cpu_mask *out)
{
	memset(out, 0, sizeof *out);
	return sched_getaffinity(0, sizeof out->bits, (cpu_set_t *)(void *)out->bits) == 0;
}

/* Takes a list such as "0,64" or "4-7" out of `m`. */
static void drop_list(struct cpu_mask *m, const char *list)
{
	while (*list >= '0' && *list <= '9') {
		char *end;
		long first = strtol(list, &end, 10), last = first;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		for (long i = first; i <= last && i < CPU_MASK_BITS; i++)
			drop(m, (int)i);
		list = end + (*end == ',');
	}
}

/* The first hardware thread of each core, in the order of their numbers. */
static int list_cores(const struct cpu_mask *m, struct cpu_place *place, int n)
{
	struct cpu_mask left = *m;
	char text[1024];
	/* Without this file there may still be several threads to a core. */
	bool single = slurp(text, sizeof text, CPUS "/smt/active") && text[0] == '0';
	int found = 0;
	for (int i = 0; i < CPU_MASK_BITS; i++) {
		if (!has(&left, i))
			continue;
		if (found < n)
			place[found] = (struct cpu_place){i, 0};
		found++;
		if (!single &&
		    slurp(text, sizeof text, CPUS "/cpu%d/topology/thread_siblings_list", i))
			drop_list(&left, text);
	}
	return found;
}

int cpu_topo_cores_in(const struct cpu_mask *m)
{
	return list_cores(m, NULL, 0);
}

#if HAVE_HWLOC
static hwloc_topology_t load_topology(void)
{
	hwloc_topology_t t;
	unsigned long flags = 0;
#if HWLOC_API_VERSION >= 0x00020500
	/* hwloc would walk this thread over all cores to ask each of them. */
	flags |= HWLOC_TOPOLOGY_FLAG_DONT_CHANGE_BINDING;
#endif
	if (hwloc_topology_init(&t) != 0)
		return NULL;
	if (hwloc_topology_set_flags(t, flags) == 0 && hwloc_topology_load(t) == 0)
		return t;
	hwloc_topology_destroy(t);
	return NULL;
}

/* The least hardware thread that is in both; -1: none. */
static int first_in(const struct cpu_mask *m, hwloc_const_cpuset_t set)
{
	int i = hwloc_bitmap_first(set);
	while (i >= 0 && (i >= CPU_MASK_BITS || !has(m, i)))
		i = hwloc_bitmap_next(set, i);
	return i;
}

/* Cores of a node follow each other here. */
static int list_hwloc(const struct cpu_mask *m, struct cpu_place *place, int n)
{
	hwloc_topology_t t = load_topology();
	if (t == NULL)
		return 0;
	int found = 0, node = 0, last = -1, cores = hwloc_get_nbobjs_by_type(t, HWLOC_OBJ_CORE);
	for (int i = 0; i < cores && found < n; i++) {
		hwloc_obj_t core = hwloc_get_obj_by_type(t, HWLOC_OBJ_CORE, (unsigned)i);
		int first = first_in(m, core->cpuset);
		if (first < 0)
			continue;
		int at = hwloc_bitmap_first(core->nodeset);
		node += found > 0 && at != last;
		last = at;
		place[found++] = (struct cpu_place){first, node};
	}
	hwloc_topology_destroy(t);
	return found;
}
#endif

int cpu_topo_place(const struct cpu_mask *m, struct cpu_place *place, int n)
{
#if HAVE_HWLOC
	/* Some machines tell hwloc of no cores, and containers may hide them. */
	int found = list_hwloc(m, place, n);
	if (found > 0)
		return found;
#endif
	int all = list_cores(m, place, n);
	return all < n ? all : n;
}

bool cpu_topo_numa(const char *root)
{
	char text[256];
	/* "0", or a list such as "0-1" or "0,8". */
	return slurp(text, sizeof text, "%s/sys/devices/system/node/has_memory", root) &&
	       strpbrk(text, "-,") != NULL;
}

/* The least of the limits of one group and of those above it; 0: none. */
static double walk_groups(const char *root, const char *mount, const char *group, bool v2)
{
	char path[PATH_BYTES], text[128];
	double least = 0;
	size_t len = strlen(group);
	if (len >= sizeof path)
		return 0;
	memcpy(path, group, len + 1);
	for (;;) {
		double quota = 0, period = 100000;
		while (len > 0 && path[len - 1] == '/')
			path[--len] = '\0';
		if (v2) {
			/* "max 100000": that is no number, and quota stays 0. */
			if (slurp(text, sizeof text, "%s%s%s/cpu.max", root, mount, path))
				sscanf(text, "%lf %lf", &quota, &period);
		} else if (slurp(text, sizeof text, "%s%s%s/cpu.cfs_quota_us", root, mount,
				 path)) {
			sscanf(text, "%lf", &quota);
			if (slurp(text, sizeof text, "%s%s%s/cpu.cfs_period_us", root, mount,
				  path))
				sscanf(text, "%lf", &period);
		}
		if (quota > 0 && period > 0 && (least == 0 || quota / period < least))
			least = quota / period;
		if (len == 0)
			return least;
		while (len > 0 && path[len - 1] != '/')
			path[--len] = '\0';
	}
}

/* Whether `word` is one of a list with commas. */
static bool lists(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = list; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, word, n) == 0 && (at[n] == ',' || at[n] == '\0'))
			return true;
	}
	return false;
}

int cpu_topo_quota(const char *root)
{
	/* Where distributions and containers mount them. Inside a container the group's path
	 * may be the host's, and its limits then stand at the mount itself. */
	static const char *const v2[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	static const char *const v1[] = {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"};
	char text[8192], *rest = text, *line;
	double least = 0;
	if (!slurp(text, sizeof text, "%s/proc/self/cgroup", root))
		return 0;
	while ((line = strsep(&rest, "\n")) != NULL) {
		char *number = strsep(&line, ":"), *list = strsep(&line, ":");
		if (list == NULL || line == NULL)
			continue;
		bool is_v2 = strcmp(number, "0") == 0 && list[0] == '\0';
		if (!is_v2 && !lists(list, "cpu"))
			continue;
		for (size_t i = 0; i < COUNT_OF(v1); i++) {
			double q = walk_groups(root, is_v2 ? v2[i] : v1[i], line, is_v2);
			if (q > 0 && (least == 0 || q < least))
				least = q;
		}
	}
	if (least == 0 || least >= CPU_MASK_BITS)
		return 0;
	int whole = (int)least;
	return whole + (whole < least);
}

/* Cores and hardware threads by affinity alone. */
static int count_allowed(int *cpus)
{
	struct cpu_mask m;
	if (!cpu_topo_mask(&m)) {
		long n = sysconf(_SC_NPROCESSORS_ONLN);
		*cpus = n < 1 ? 1 : n > CPU_MASK_BITS ? CPU_MASK_BITS : (int)n;
		return *cpus;
	}
	*cpus = 0;
	for (int i = 0; i < CPU_MASK_BITS; i++)
		*cpus += has(&m, i);
	return cpu_topo_cores_in(&m);
}

static int within_quota(int n)
{
	int quota = cpu_topo_quota("");
	if (quota > 0 && quota < n)
		n = quota;
	return n > 0 ? n : 1;
}

int cpu_topo_cores(void)
{
	int cpus;
	return within_quota(count_allowed(&cpus));
}

int cpu_topo_cpus(void)
{
	int cpus;
	count_allowed(&cpus);
	return within_quota(cpus);
}

static void say(char *out, size_t cap, int n, const char *what)
{
	size_t len = strlen(out);
	snprintf(out + len, cap - len, "%s%d %s%s", len > 0 ? ", " : "", n, what,
		 n == 1 ? "" : "s");
}

#if HAVE_HWLOC
static void say_cache(char *out, size_t cap, hwloc_topology_t t, hwloc_obj_type_t type,
		      const char *name)
{
	int n = hwloc_get_nbobjs_by_type(t, type);
	if (n <= 0)
		return;
	hwloc_obj_t o = hwloc_get_obj_by_type(t, type, 0);
	unsigned long kib = (unsigned long)(o->attr->cache.size >> 10);
	size_t len = strlen(out);
	snprintf(out + len, cap - len, ", %s %d x %lu KiB", name, n, kib);
}

static void say_hwloc(char *out, size_t cap)
{
	hwloc_topology_t t = load_topology();
	if (t == NULL)
		return;
	int packages = hwloc_get_nbobjs_by_type(t, HWLOC_OBJ_PACKAGE);
	int nodes = hwloc_get_nbobjs_by_type(t, HWLOC_OBJ_NUMANODE);
	if (packages > 0)
		say(out, cap, packages, "package");
	if (nodes > 0)
		say(out, cap, nodes, "NUMA node");
	say_cache(out, cap, t, HWLOC_OBJ_L2CACHE, "L2");
	say_cache(out, cap, t, HWLOC_OBJ_L3CACHE, "L3");
	hwloc_topology_destroy(t);
}
#endif

void cpu_topo_describe(char *out, size_t cap)
{
	int cpus, cores = count_allowed(&cpus), quota = cpu_topo_quota("");
	if (cap == 0)
		return;
	out[0] = '\0';
	say(out, cap, cores, "core");
	if (cpus != cores)
		say(out, cap, cpus, "hardware thread");
#if HAVE_HWLOC
	say_hwloc(out, cap);
#endif
	if (quota > 0 && quota < cores) {
		size_t len = strlen(out);
		snprintf(out + len, cap - len, ", CPU quota for %d", quota);
	}
}
