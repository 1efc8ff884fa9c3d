/* SPDX-License-Identifier: Apache-2.0
 *
 * Loaded CPU executables and how their steps run.
 */
#ifndef ADZE_CPU_EXEC_H
#define ADZE_CPU_EXEC_H

#include "devices/cpu/cpu_code.h"
#include "devices/cpu/cpu_pool.h"
#include "devices/device.h"
#include "kernels/kernels.h"
#include "kernels/plain.h"

/** Elements of a strip, and bytes of the scratch that holds one of any type. */
#define CPU_STRIP 2048
#define CPU_SLOT_BYTES (CPU_STRIP * 16)

/**
 * What runs some instructions of a program: the kernel of one, or the chain kernel for several
 * that hand one value on. Without one, it is a function of
 * kernels/any.h.
 */
struct cpu_piece {
	void (*run)(void);
	uint16_t first, n; /* instructions; a chain where n > 1 */
};
struct cpu_pieces {
	struct cpu_piece *at;
	int n;
};

/** A body of scalars: the kernel of each instruction, and what plain kernels are told of it. */
struct cpu_bound_body {
	void (**run)(void);
	struct plain_body plain; /* without `call` and `self` */
};

/** The kernels of an ATTEND step; those of operands are by their types. */
enum cpu_attend_kernel {
	CPU_ATTEND_PACK, CPU_ATTEND_PACK_Q, CPU_ATTEND_PACK_K, CPU_ATTEND_PACK_V,
	CPU_ATTEND_SCORES, CPU_ATTEND_SOFTEN, CPU_ATTEND_VALUES, CPU_ATTEND_DOTS, CPU_ATTEND_FEW,
	CPU_ATTEND_KERNELS
};

/** The functions of a step, found by name when it was loaded. */
struct cpu_bound {
	struct cpu_pieces pro, epi;
	const struct kernel_impl *root;   /* the root's kernel */
	const struct kernel_impl *second; /* REDUCE: of wide sums; COLUMNS: to acc; GEMM: nt */
	const struct kernel_impl *third;  /* GEMM: nn; COLUMNS, REDUCE: back from wide sums */
	const struct kernel_impl *stream; /* EW, ROW: for results that no cache holds */
	const struct plain_kernel *plain; /* PLAIN */
	const struct kernel_impl *widen, *narrow; /* GEMM: rows to f32, the result from it */
	const struct kernel_impl *attend[CPU_ATTEND_KERNELS];
	const struct kernel_impl *(*range)[2]; /* ATTEND: least and most of what the body reads */
	struct cpu_bound_body body[CPU_MAX_BODIES];
	uint32_t first_box;               /* of the frame's boxes: the step's view 0 */
};

struct cpu_loaded {
	struct arena arena;
	struct cpu_code code;
	const struct exe_file *file; /* borrowed from the executable */
	struct cpu_bound *bound;     /* by step */
	uint32_t nbox;
	int threads;
};

/** A view with its numbers worked out, and during a call its address. */
struct cpu_box {
	char *at;         /* of element (0, 0, ...): with the offset */
	int64_t offset;   /* in elements, from the memory's start */
	int64_t count;    /* elements */
	int64_t extent[ADZE_MAX_RANK], stride[ADZE_MAX_RANK];
	int rank;
	size_t size;      /* bytes of an element */
	bool dense, splat;
};

/** When one thread worked on a step that is recorded, alone in its cache line. */
struct cpu_lane {
	uint64_t start, end; /* start 0: it did not */
	char room[48];
};

struct device_frame {
	const struct cpu_loaded *loaded;
	int64_t *number;
	int64_t symbol[ADZE_MAX_SYMBOLS];
	bool prepared;     /* for these symbols */
	struct cpu_box *box;
	char *arena;
	size_t arena_bytes;
	char *scratch;     /* of worker i: scratch + i * scratch_bytes */
	size_t scratch_bytes;
	struct cpu_lane *lane; /* by worker */
	char *shared;      /* what all workers see, of the step under way */
	size_t shared_bytes;
};

/** A call under way. */
struct cpu_call {
	const struct cpu_loaded *loaded;
	const struct device_call *call;
	struct cpu_pool *pool; /* NULL: alone */
	struct cpu_team *team;
	bool begun;            /* with the pool, which a call of small steps never is */
	bool cancelled;
	uint32_t record; /* of the profile: the step under way, PROFILE_NONE where there is none */
};

/** What one run of a body is given: where its inputs and outputs lie. */
struct cpu_args {
	char *input[IR_MAX_OPERANDS], *output[IR_MAX_RESULTS];
};

/** Runs the steps of a block; `args` NULL for block 0. c->cancelled: it was stopped. */
void cpu_run_block(struct cpu_call *c, uint32_t block, const struct cpu_args *args);

/** A step under way. */
struct cpu_work {
	struct cpu_call *call;
	const struct cpu_loaded *loaded;
	const struct cpu_step *step;
	const struct cpu_bound *bound;
	struct device_frame *frame;
	struct cpu_box *box;
	const int64_t *number;
	struct cpu_pool *pool; /* NULL: alone */
	/* What the tasks of this step share; set by its runner. */
	int64_t units, grain, inner, length;
	int64_t blocks_m, blocks_n, block_m, block_n, outer;
	const void *shared; /* BLOCKS: the product under way */
	int route; /* GEMM, EW: how results are made */
	bool past; /* EW: chains send results past the caches */
};

/** Products a task should have at least: some microseconds, against the tenth or ten that waking
 * another thread takes. */
#define TASK_PRODUCTS (1 << 19)

/** Runs tasks 0 .. n - 1. */
void cpu_call_run(struct cpu_call *c, cpu_task *task, void *job, size_t n);

/** Results of so many bytes go past the caches: no cache that a core may use alone holds them. */
#define STREAM_BYTES ((size_t)32 << 20)
static inline bool cpu_streams(const struct cpu_work *w)
{
	return w->bound->stream != NULL &&
	       (size_t)w->box[0].count >= STREAM_BYTES / w->box[0].size;
}

/** Runs `task` for all units of `w` in chunks of `w->grain`. */
void cpu_run_tasks(struct cpu_work *w, cpu_task *task, int64_t units, int64_t grain);
/** The range of units of a task. */
static inline void cpu_range(const struct cpu_work *w, size_t task, int64_t *from, int64_t *to)
{
	*from = (int64_t)task * w->grain;
	*to = *from + w->grain < w->units ? *from + w->grain : w->units;
}
static inline char *cpu_scratch(const struct cpu_work *w, int worker)
{
	return w->frame->scratch + (size_t)worker * w->frame->scratch_bytes;
}

/* ---- strip programs: cpu_strips.c ---- */

/** Fills the strips of operands that are one element; once for each task. */
void cpu_prog_begin(const struct cpu_work *w, const struct cpu_prog *p, char *scratch);
/**
 * Elements from .. from + n of the program's space, in strips, to `y`, the first element's
 * place.
 */
void cpu_prog_run(const struct cpu_work *w, const struct cpu_prog *p,
		  const struct cpu_pieces *run, char *scratch, int64_t from, int64_t n, char *y);
/** One instruction on n dense elements; `run` NULL: there is no kernel, plain loops do. */
void cpu_ins_run(const struct cpu_ins *s, void (*run)(void), void *y, const void *a, const void *b,
		 const void *c, size_t n);
/**
 * As cpu_prog_run() for at most CPU_STRIP elements; NULL `y`: anywhere. Returns where they are,
 * in an operand's own memory if nothing is to be done to them.
 */
const char *cpu_prog_strip(const struct cpu_work *w, const struct cpu_prog *p,
			   const struct cpu_pieces *run, char *scratch, int64_t from, int64_t n,
			   char *y);
/** Where elements from .. from + n lie one behind the other, NULL where they do not: only for
 * programs without instructions. */
const char *cpu_prog_direct(const struct cpu_work *w, const struct cpu_prog *p, int64_t from,
			    int64_t n);
/** Bytes of scratch below a program's own use. */
static inline size_t cpu_prog_bytes(const struct cpu_prog *p)
{
	return (size_t)p->nslot * CPU_SLOT_BYTES;
}

/* ---- steps, by kind ---- */

typedef void cpu_runner(struct cpu_work *w);
cpu_runner cpu_run_ew;                                       /* cpu_strips.c */
cpu_runner cpu_run_reduce, cpu_run_columns, cpu_run_arg, cpu_run_row; /* cpu_rows.c */
cpu_runner cpu_run_convert;                                  /* cpu_moves.c */
cpu_runner cpu_run_gemm;                                     /* cpu_gemm.c */
cpu_runner cpu_run_conv, cpu_run_window;             /* cpu_conv.c, cpu_window.c */
/** Bytes of a worker's scratch that products of m x k and k x n need behind the epilogue's. */
size_t cpu_gemm_scratch(const struct cpu_bound *b, int64_t m, int64_t n, int64_t k);
/** The same of a convolution, for boxes that agree. */
size_t cpu_conv_scratch(const struct cpu_step *step, const struct cpu_bound *b,
			const struct cpu_box *box);
cpu_runner cpu_run_copy, cpu_run_fill, cpu_run_pick, cpu_run_put, cpu_run_take, cpu_run_iota,
	cpu_run_extent;                                      /* cpu_moves.c */
cpu_runner cpu_run_branch, cpu_run_while, cpu_run_scan;      /* cpu_region.c */
cpu_runner cpu_run_plain;                                    /* cpu_plain.c */
/** The epilogue on elements from .. from + n of the result. */
void cpu_run_epilogue(const struct cpu_work *w, char *scratch, int64_t from, int64_t n);

/* ---- attention: cpu_attend.c ---- */

cpu_runner cpu_run_attend;
bool cpu_attend_holds(const struct cpu_step *s);
bool cpu_attend_agrees(const struct cpu_step *s, const struct cpu_box *box);
/** Scratch of one worker, for rows and widths at their bounds. */
size_t cpu_attend_scratch(const struct cpu_step *s, const struct cpu_bound *b,
			  const int64_t *number);
/** What its workers share, at the bounds; SIZE_MAX: too much. */
size_t cpu_attend_shared(const struct cpu_code *c, const struct cpu_step *s,
			 const int64_t *number);

/* ---- profiles: cpu_profile.c, cpu_cost.c ---- */

/** Runs a step, recorded; and its tasks, where there are threads their parts. */
void cpu_profile_step(struct cpu_work *w, cpu_runner *run);
void cpu_profile_tasks(struct cpu_work *w, cpu_task *task, size_t n);
/** All steps, for these values of the symbols: see device_ops. */
adze_status cpu_describe_steps(adze_context *c, const struct cpu_loaded *l, const int64_t *symbol,
			       struct device_step *out, struct diag *d);
/** What a step takes once; `number` are the code's, worked out. */
adze_cost cpu_step_cost(const struct cpu_step *s, const int64_t *number);

/* ---- products with weights in blocks: cpu_blocks.c ---- */

cpu_runner cpu_run_blocks;
bool cpu_blocks_holds(const struct cpu_step *s);
bool cpu_blocks_agrees(const struct cpu_step *s, const struct cpu_box *box);
/** Scratch of one worker behind the epilogue's, for rows of x and widths at their bounds. */
size_t cpu_blocks_scratch(const struct cpu_step *s, const struct cpu_bound *b,
			  const int64_t *number);

/** Whether a PLAIN step has the views and parameters of its operation. */
bool cpu_plain_step_holds(const struct cpu_step *s);
/** Whether its sizes agree; then `work` is the scratch that it needs. */
bool cpu_plain_agrees(const struct cpu_step *s, const struct cpu_bound *b,
		      const struct cpu_box *box, size_t *work);

/* ---- steps that run blocks: cpu_region.c ---- */

/** Whether the parameters and types of such a step make sense; its blocks are known to. */
bool cpu_region_holds(const struct cpu_code *c, const struct cpu_step *s);
/** Its results, spares and the like: views that it writes, from the first on. */
int cpu_region_writes(const struct cpu_code *c, const struct cpu_step *s);
/** Whether its views have the sizes that its blocks work with. */
bool cpu_region_agrees(const struct cpu_code *c, const struct cpu_step *s,
		       const struct cpu_box *box, const int64_t *number);

/* ---- loading: cpu_load.c ---- */

adze_status cpu_load(adze_context *c, const struct exe_file *file, int threads,
		     struct cpu_loaded **out, struct diag *d);
void cpu_unload(adze_context *c, struct cpu_loaded *loaded);
adze_status cpu_frame_create(adze_context *c, struct cpu_loaded *loaded,
			     struct device_frame **out, struct diag *d);
void cpu_frame_destroy(adze_context *c, struct device_frame *frame);

/** The value of a number; false where it is out of range. */
bool cpu_number_value(const struct ir_size *s, const int64_t *symbol, int64_t *out);
/**
 * Works out numbers and boxes for a call's symbols, and checks that no box leaves its memory
 * and that the sizes of a step agree; nothing where the symbols are those of last time.
 */
adze_status cpu_prepare(struct device_frame *f, const int64_t *symbol, struct diag *d);

#endif
