/* SPDX-License-Identifier: Apache-2.0
 *
 * What the machine is said to have, on this one and on such that files and hwloc make up; and
 * where workers are bound.
 */
#include "tests/check.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "tests/pool_fixture.h"
#include "tests/temp_files.h"

/* ---- cores ---- */

static int count_bits(const struct cpu_mask *m)
{
	int n = 0;
	for (size_t i = 0; i < COUNT_OF(m->bits); i++)
		n += __builtin_popcountl(m->bits[i]);
	return n;
}

TEST(topo, cores)
{
	struct cpu_mask m, used = {{0}};
	char words[256];
	struct cpu_place place[CPU_MAX_THREADS];
	CHECK(cpu_topo_mask(&m));
	int cores = cpu_topo_cores_in(&m), quota = cpu_topo_quota("");
	CHECK(cores >= 1 && cores <= count_bits(&m));
	CHECK(cpu_topo_cores() == (quota > 0 && quota < cores ? quota : cores));
	int found = cpu_topo_place(&m, place, CPU_MAX_THREADS);
	CHECK(found == (cores < CPU_MAX_THREADS ? cores : CPU_MAX_THREADS));
	for (int i = 0; i < found; i++) {
		const int bits = 8 * (int)sizeof m.bits[0];
		int cpu = place[i].cpu;
		CHECK(mask_has(&m, cpu) && !mask_has(&used, cpu));
		used.bits[cpu / bits] |= 1ul << (cpu % bits);
	}
	CHECK(cpu_topo_place(&m, place, 1) == 1 && place[0].node == 0);
	cpu_topo_describe(words, sizeof words);
	CHECK_MSG(strstr(words, " core") != NULL, "%s", words);
	char small[8];
	cpu_topo_describe(small, sizeof small);
	CHECK(strlen(small) < sizeof small);
}

TEST(topo, affinity_limits_cores)
{
	struct cpu_mask all, one = {{0}};
	struct cpu_place at;
	CHECK(cpu_topo_mask(&all));
	if (count_bits(&all) < 2)
		SKIP("one hardware thread");
	CHECK(cpu_topo_place(&all, &at, 1) == 1);
	set_bit(&one, at.cpu);
	CHECK(sched_setaffinity(0, sizeof one.bits, (void *)one.bits) == 0);
	CHECK(cpu_topo_cores() == 1);
}

static void put(const char *root, const char *path, const char *text)
{
	char full[4096];
	snprintf(full, sizeof full, "%s%s", root, path);
	for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		mkdir(full, 0777);
		*at = '/';
	}
	FILE *file = fopen(full, "w");
	CHECK_MSG(file != NULL, "%s cannot be made", full);
	fputs(text, file);
	fclose(file);
}

TEST(topo, quota_v2)
{
	char root[4096];
	CHECK(check_temp_dir(root, sizeof root)[0] != '\0');
	CHECK(cpu_topo_quota(root) == 0);
	put(root, "/proc/self/cgroup", "0::/a.slice/b.scope\n");
	CHECK(cpu_topo_quota(root) == 0);
	put(root, "/sys/fs/cgroup/a.slice/b.scope/cpu.max", "max 100000\n");
	CHECK(cpu_topo_quota(root) == 0);
	put(root, "/sys/fs/cgroup/a.slice/cpu.max", "250000 100000\n");
	CHECK(cpu_topo_quota(root) == 3);
	put(root, "/sys/fs/cgroup/a.slice/b.scope/cpu.max", "400000 100000\n");
	CHECK(cpu_topo_quota(root) == 3);
	put(root, "/sys/fs/cgroup/a.slice/b.scope/cpu.max", "10000 50000\n");
	CHECK(cpu_topo_quota(root) == 1);
	/* A container that sees its own group as the top, but its path as the host's. */
	put(root, "/proc/self/cgroup", "0::/host/only\n");
	put(root, "/sys/fs/cgroup/cpu.max", "200000 100000\n");
	CHECK(cpu_topo_quota(root) == 2);
	put(root, "/sys/fs/cgroup/cpu.max", "words\n");
	CHECK(cpu_topo_quota(root) == 0);
	temp_remove(root);
}

TEST(topo, quota_v1)
{
	char root[4096];
	CHECK(check_temp_dir(root, sizeof root)[0] != '\0');
	put(root, "/proc/self/cgroup",
	    "12:cpuset:/\n4:cpuacct,cpu:/docker/x\n2:memory:/m\n0::/\n");
	put(root, "/sys/fs/cgroup/cpuset/cpu.cfs_quota_us", "100000\n");
	CHECK(cpu_topo_quota(root) == 0);
	put(root, "/sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us", "-1\n");
	put(root, "/sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us", "100000\n");
	CHECK(cpu_topo_quota(root) == 0);
	put(root, "/sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us", "350000\n");
	CHECK(cpu_topo_quota(root) == 4);
	put(root, "/sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us", "50000\n");
	CHECK(cpu_topo_quota(root) == 7);
	put(root, "/sys/fs/cgroup/unified/cpu.max", "500000 100000\n");
	CHECK(cpu_topo_quota(root) == 5);
	temp_remove(root);
}

/* ---- nodes ---- */

TEST(topo, numa)
{
	char root[4096];
	CHECK(check_temp_dir(root, sizeof root)[0] != '\0');
	CHECK(!cpu_topo_numa(root));
	put(root, "/sys/devices/system/node/has_memory", "0\n");
	CHECK(!cpu_topo_numa(root));
	put(root, "/sys/devices/system/node/has_memory", "0,8\n");
	CHECK(cpu_topo_numa(root));
	put(root, "/sys/devices/system/node/has_memory", "0-3\n");
	CHECK(cpu_topo_numa(root));
	temp_remove(root);
}

#if HAVE_HWLOC
/* Machines that this one is not. */
TEST(topo, cores_of_nodes_stand_together)
{
	struct cpu_mask m = {{0}};
	struct cpu_place place[64];
	setenv("HWLOC_SYNTHETIC", "numa:2 core:4 pu:2", 1);
	for (int i = 0; i < 16; i++)
		set_bit(&m, i);
	CHECK(cpu_topo_place(&m, place, 64) == 8);
	for (int i = 0; i < 8; i++)
		CHECK_MSG(place[i].cpu == 2 * i && place[i].node == i / 4, "%d: cpu %d, node %d",
			  i, place[i].cpu, place[i].node);
	/* Some cores of each of two nodes that are not the first. */
	setenv("HWLOC_SYNTHETIC", "pack:2 numa:2 core:3 pu:1", 1);
	m = (struct cpu_mask){{0}};
	static const int cpu[] = {4, 5, 9};
	for (int i = 0; i < 3; i++)
		set_bit(&m, cpu[i]);
	CHECK(cpu_topo_place(&m, place, 64) == 3);
	for (int i = 0; i < 3; i++)
		CHECK(place[i].cpu == cpu[i] && place[i].node == i / 2);
}

/* What hwloc finds none of the process's processors in, and where it finds nothing. */
TEST(topo, hwloc_finds_nothing)
{
	struct cpu_mask m;
	struct cpu_place place[CPU_MAX_THREADS];
	CHECK(cpu_topo_mask(&m));
	int cores = cpu_topo_cores_in(&m);
	cores = cores < CPU_MAX_THREADS ? cores : CPU_MAX_THREADS;
	setenv("HWLOC_XMLFILE", "/nonexistent/topology.xml", 1);
	CHECK(cpu_topo_place(&m, place, CPU_MAX_THREADS) == cores);
	CHECK(place[0].node == 0 && mask_has(&m, place[0].cpu));
	unsetenv("HWLOC_XMLFILE");
	setenv("HWLOC_SYNTHETIC", "numa:1 pu:1", 1);
	CHECK(cpu_topo_place(&m, place, CPU_MAX_THREADS) == cores);
}
#endif

TEST(bind, each_worker_to_its_core)
{
	struct fixture f;
	struct cpu_mask all;
	struct meeting m = {0};
	CHECK(cpu_topo_mask(&all));
	int cores = cpu_topo_cores_in(&all);
	if (cores < 2)
		SKIP("one core");
	setup(&f, "on");
	struct cpu_pool *p = make(&f, cores < 64 ? cores : 64);
	meet(p, &m);
	CHECK_MSG(f.warnings == 0, "%s", f.words);
	CHECK(memcmp(&m.mask[0], &all, sizeof all) == 0); /* ours is not touched */
	for (int i = 1; i < m.size; i++) {
		CHECK(count_bits(&m.mask[i]) == 1);
		for (int k = 1; k < i; k++)
			CHECK(memcmp(&m.mask[i], &m.mask[k], sizeof all) != 0);
	}
	unmake(&f, p);
}

TEST(bind, more_threads_than_cores)
{
	struct fixture f;
	struct cpu_mask all;
	struct meeting m = {0};
	CHECK(cpu_topo_mask(&all));
	int threads = cpu_topo_cores_in(&all) + 1;
	if (threads > 64)
		SKIP("%d cores", threads - 1);
	static const char *const mode[] = {"on", "auto", "off"};
	for (int i = 0; i < 3; i++) {
		setup(&f, mode[i]);
		struct cpu_pool *p = make(&f, threads);
		meet(p, &m);
		CHECK_MSG(f.warnings == (i == 0), "%s: %s", mode[i], f.words);
		for (int k = 0; k < m.size; k++)
			CHECK(memcmp(&m.mask[k], &all, sizeof all) == 0);
		unmake(&f, p);
	}
}

TEST(bind, bound_caller_does_not_crowd_workers)
{
	struct fixture f;
	struct cpu_mask all, one = {{0}};
	struct meeting m = {0};
	struct cpu_place at;
	CHECK(cpu_topo_mask(&all));
	int cores = cpu_topo_cores_in(&all);
	if (cores < 2)
		SKIP("one core");
	CHECK(cpu_topo_place(&all, &at, 1) == 1);
	set_bit(&one, at.cpu);
	setup(&f, "auto");
	struct cpu_pool *p = make(&f, cores < 64 ? cores : 64);
	CHECK(sched_setaffinity(0, sizeof one.bits, (void *)one.bits) == 0);
	m.asleep = true;
	meet(p, &m);
	CHECK(memcmp(&m.mask[0], &one, sizeof one) == 0);
	for (int i = 1; i < m.size; i++)
		CHECK(memcmp(&m.mask[i], &all, sizeof all) == 0);
	unmake(&f, p);
}
