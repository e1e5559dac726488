// SPDX-License-Identifier: GPL-2.0-or-later
// The stepper: every scenario with every fault at every point, as TAP; and two modes for others.
// See README.md.
#include "step.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
	"usage: stepper [--tree DIR] [--binary FILE] [--jobs N] [SCENARIO...]\n"
	"       stepper --list\n"
	"       stepper --point N [--tree DIR] SCENARIO FAULT     one point, whose tree is kept\n"
	"       stepper --run TREE -- COMMAND...                  COMMAND, with the kernel of "
	"TREE\n"
	"       stepper --kill-at K [--after] -- COMMAND...       killed at its K-th point\n";

enum { SHOWN = 3000 };

struct options {
	const char *tree, *binary, *run, *kill_at;
	long jobs;
	size_t point;
	bool list, after;
	char **word;
	int words;
};

static int fail(const struct err *e)
{
	fprintf(stderr, "stepper: %s\n", e->text);
	return 1;
}

static int status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* --run: no limit, since it may be a daemon; it dies with us. */
static int run_in_tree(const struct options *o)
{
	CLEANUP_FREE char *tree = realpath(o->run, NULL);
	struct trace t = {.argv = o->word, .tree = tree, .output = -1, .forwards = true};
	struct kernel k;
	struct err e;
	int rc;

	if (!tree || kernel_open(&k, tree, &e) < 0)
		return tree ? fail(&e) : (err_sys(&e, "open %s", o->run), fail(&e));
	t.kernel = &k;
	rc = trace_run(&t, NULL, &e);
	kernel_close(&k);
	return rc < 0 ? fail(&e) : status_of(t.status);
}

/* --kill-at: on a real kernel. 0 kills never. */
static int run_to_point(const struct options *o)
{
	struct trace t = {.argv = o->word,
		.output = -1,
		.at = (size_t)strtoul(o->kill_at, NULL, 10),
		.fate = o->after ? FATE_KILL_AFTER : FATE_KILL_BEFORE};
	struct err e;

	if (trace_run(&t, NULL, &e) < 0)
		return fail(&e);
	fprintf(stderr, "stepper: %zu points", t.points);
	if (t.reached)
		fprintf(stderr, ", killed %s %s %s", o->after ? "after" : "before", t.hit.name,
			t.hit.path);
	fputc('\n', stderr);
	return status_of(t.status);
}

/* The stage */

struct task {
	const struct scenario *scenario;
	pid_t pid;
	size_t first; /* number of its first test */
};

struct stage {
	const struct options *o;
	const char *machine;
	char dir[64], made[80];
	struct task *task;
	size_t tasks, tests;
	unsigned long points;
	bool failed;
};

static void indented(struct buf *out, struct str text)
{
	struct str line;

	if (text.n > SHOWN)
		text.n = SHOWN;
	while (str_cut(&text, '\n', &line))
		if (line.n)
			buf_printf(out, "#   %.*s\n", STR_ARG(line));
}

/* "ok 3 - claim one: EIO, 120 points" and what was wrong, into `out`. */
static void describe(struct buf *out, size_t number, const struct scenario *s,
	const struct fault *f, long points, struct buf *wrong)
{
	if (points <= 0)
		buf_str(wrong, "no point\n");
	buf_printf(out, "%s %zu - %s: %s, %ld points\n", wrong->len ? "not ok" : "ok", number,
		s->name, f->name, points < 0 ? 0 : points);
	indented(out, buf_slice(wrong));
}

static void run_fault(
	struct world *w, const struct fault *f, size_t number, size_t point, struct buf *out)
{
	CLEANUP_BUF struct buf wrong = {0};
	struct err e;
	long points = step_through(w, f, point, &wrong, &e);

	if (points < 0)
		buf_printf(&wrong, "%s\n", e.text);
	describe(out, number, w->scenario, f, points, &wrong);
}

/* All faults of a scenario, or the one of a single point. */
static void run_task(const struct stage *s, size_t i, const char *fault, struct buf *out)
{
	const struct task *t = &s->task[i];
	size_t number = t->first;
	char dir[128];
	struct world w;
	struct err e = {0};

	snprintf(dir, sizeof(dir), "%s/%zu", s->dir, i);
	if (mkdir(dir, 0755) < 0 ||
		world_open(&w, t->scenario, s->machine, dir, s->o->binary, &e) < 0) {
		buf_printf(out, "not ok %zu - %s\n#   its start: %s\n", number, t->scenario->name,
			e.text);
		return;
	}
	for (size_t k = 0; k < faults_count; k++) {
		if (!step_applies(t->scenario, &faults[k]))
			continue;
		if (!fault || !strcmp(fault, faults[k].name))
			run_fault(&w, &faults[k], number, s->o->point, out);
		number++;
	}
	if (fault)
		buf_printf(out, "# %s\n", w.now);
	else
		tree_remove(dir);
}

/* In a process of its own. */
static _Noreturn void work(const struct stage *s, size_t i, int to)
{
	struct buf out = {0};

	run_task(s, i, NULL, &out);
	_exit(write(to, out.p, out.len) == (ssize_t)out.len ? 0 : 1);
}

/* A tracer and what it traces take turns: on one processor that is several times faster. */
static void stay_on_one_processor(size_t i)
{
	cpu_set_t all, one;
	size_t n, cpu = 0;

	if (sched_getaffinity(0, sizeof(all), &all) < 0)
		return;
	n = i % (size_t)CPU_COUNT(&all);
	while (!CPU_ISSET(cpu, &all) || n-- > 0)
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static int start_task(struct stage *s, size_t i)
{
	s->task[i].pid = fork();
	if (s->task[i].pid == 0) {
		char path[128];
		int fd;

		stay_on_one_processor(i);

		snprintf(path, sizeof(path), "%s/%zu.tap", s->dir, i);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		work(s, i, fd);
	}
	return s->task[i].pid < 0 ? -1 : 0;
}

static void add_up(struct stage *s, struct str text)
{
	struct str line;

	while (str_cut(&text, '\n', &line)) {
		const char *points = memrchr(line.p, ',', line.n);

		s->failed = s->failed || str_starts(line, "not ok");
		if (points && (str_starts(line, "ok") || str_starts(line, "not ok")))
			s->points += strtoul(points + 1, NULL, 10);
	}
}

static void end_task(struct stage *s, size_t i, int status)
{
	CLEANUP_BUF struct buf text = {.max = 1 << 24};
	struct root r;
	struct err e;
	char file[32];

	snprintf(file, sizeof(file), "%zu.tap", i);
	if (root_init(&r, s->dir, &e) < 0 || root_slurp(&r, file, &text) < 0 || status != 0)
		buf_printf(&text, "not ok %zu - %s\n#   ended with status %#x\n", s->task[i].first,
			s->task[i].scenario->name, (unsigned)status);
	root_close(&r);
	fputs(buf_z(&text), stdout);
	fflush(stdout);
	add_up(s, buf_slice(&text));
}

static void wait_for_one(struct stage *s)
{
	int status;
	pid_t pid = wait(&status);

	for (size_t i = 0; i < s->tasks; i++)
		if (s->task[i].pid == pid) {
			s->task[i].pid = 0;
			end_task(s, i, status);
		}
}

static void run_tasks(struct stage *s)
{
	size_t running = 0;

	printf("1..%zu\n", s->tests);
	fflush(stdout);
	for (size_t i = 0; i < s->tasks; i++) {
		if (running == (size_t)s->o->jobs) {
			wait_for_one(s);
			running--;
		}
		if (start_task(s, i) == 0)
			running++;
	}
	for (; running; running--)
		wait_for_one(s);
	printf("# %lu points\n", s->points);
}

static bool is_asked_for(const struct options *o, const struct scenario *s)
{
	if (o->point)
		return !strcmp(s->name, o->word[0]);
	for (int i = 0; i < o->words; i++)
		if (strstr(s->name, o->word[i]))
			return true;
	return !o->words;
}

static void gather_tasks(struct stage *s)
{
	s->task = mem_alloc(scenarios_count * sizeof(*s->task));
	for (size_t i = 0; i < scenarios_count; i++) {
		if (!is_asked_for(s->o, &scenarios[i]))
			continue;
		s->task[s->tasks++] =
			(struct task){.scenario = &scenarios[i], .first = s->tests + 1};
		for (size_t k = 0; k < faults_count; k++)
			s->tests += step_applies(&scenarios[i], &faults[k]);
	}
}

/* By the machines' own script, beside the tests. */
static int make_machine(struct stage *s, struct err *e)
{
	CLEANUP_FREE char *machine = mem_printf("%s/machine", s->dir);
	char *const argv[] = {(char *)"/usr/bin/python3", (char *)"tests/machines/tree.py",
		(char *)"tests/faults/machine.yaml", machine, NULL};
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		return err_set(e, "tests/machines/tree.py has made no tree (run from the top of "
				  "the repository, or name one: --tree)");
	snprintf(s->made, sizeof(s->made), "%s", machine);
	s->machine = s->made;
	return 0;
}

/* Skipped, not failed, where the kernel or a policy forbids tracing. */
static bool is_forbidden(const struct stage *s)
{
	char *const argv[] = {(char *)s->o->binary, (char *)"--list", NULL};
	struct trace t = {.argv = argv, .output = open("/dev/null", O_WRONLY | O_CLOEXEC)};
	bool forbidden;
	struct err e;
	int rc = trace_run(&t, &forbidden, &e);

	close(t.output);
	if (rc < 0 && forbidden)
		printf("1..1\nok 1 # SKIP the stepper: %s\n", e.text);
	else if (rc < 0)
		printf("1..1\nnot ok 1 - the stepper: %s\n", e.text);
	return rc < 0;
}

static int one_point(struct stage *s)
{
	CLEANUP_BUF struct buf out = {0};

	if (s->tasks)
		run_task(s, 0, s->o->word[1], &out);
	fputs(buf_z(&out), stdout);
	return s->tasks && !strncmp(buf_z(&out), "ok", 2) ? 0 : 1;
}

static int run_stage(struct options *o)
{
	struct stage s = {.o = o, .machine = o->tree};
	struct err e;
	int rc = 0;

	snprintf(s.dir, sizeof(s.dir), "%s/vfiobox-steps-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(s.dir))
		return err_sys(&e, "make %s", s.dir), fail(&e);
	gather_tasks(&s);
	if (!is_forbidden(&s)) {
		if (!s.machine && make_machine(&s, &e) < 0)
			rc = fail(&e);
		else if (o->point)
			return one_point(&s);
		else
			run_tasks(&s);
	}
	tree_remove(s.dir);
	free(s.task);
	return rc ? rc : s.failed;
}

static int list(void)
{
	for (size_t i = 0; i < scenarios_count; i++)
		printf("%s\n", scenarios[i].name);
	for (size_t i = 0; i < faults_count; i++)
		printf("  %s\n", faults[i].name);
	return 0;
}

static int misuse(void)
{
	fputs(usage, stderr);
	return 2;
}

static bool parse(struct options *o, int argc, char **argv)
{
	enum { TREE = 256, BINARY, JOBS, LIST, POINT, RUN, KILL_AT, AFTER };
	static const struct option known[] = {
		{"tree", required_argument, NULL, TREE},
		{"binary", required_argument, NULL, BINARY},
		{"jobs", required_argument, NULL, JOBS},
		{"list", no_argument, NULL, LIST},
		{"point", required_argument, NULL, POINT},
		{"run", required_argument, NULL, RUN},
		{"kill-at", required_argument, NULL, KILL_AT},
		{"after", no_argument, NULL, AFTER},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		if (c == TREE)
			o->tree = optarg;
		else if (c == BINARY)
			o->binary = optarg;
		else if (c == JOBS)
			o->jobs = strtol(optarg, NULL, 10);
		else if (c == LIST)
			o->list = true;
		else if (c == POINT)
			o->point = strtoul(optarg, NULL, 10);
		else if (c == RUN)
			o->run = optarg;
		else if (c == KILL_AT)
			o->kill_at = optarg;
		else if (c == AFTER)
			o->after = true;
		else
			return false;
	}
	o->word = argv + optind;
	o->words = argc - optind;
	return o->jobs > 0 && ((!o->run && !o->kill_at) || o->words) &&
	       (!o->point || o->words == 2);
}

int main(int argc, char **argv)
{
	struct options o = {.binary = "out/x86_64/vfiobox", .jobs = sysconf(_SC_NPROCESSORS_ONLN)};

	if (!parse(&o, argc, argv))
		return misuse();
	if (o.list)
		return list();
	if (o.run)
		return run_in_tree(&o);
	if (o.kill_at)
		return run_to_point(&o);
	return run_stage(&o);
}
