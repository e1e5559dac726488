// SPDX-License-Identifier: GPL-2.0-or-later
// One kind of fault at every point of one scenario.
#include "step.h"

#include "disk.h"
#include "judge.h"
#include "tree.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

#define BIT(kind) (1u << CALL_##kind)
#define WRITES (BIT(OPEN) | BIT(WRITE) | BIT(MODULE))
#define NAMES (BIT(RENAME) | BIT(UNLINK) | BIT(MAKE))

/* write and open fail with each of these, of the store and of sysfs. */
const struct fault faults[] = {
	{.name = "killed before the call", .fate = FATE_KILL_BEFORE},
	{.name = "killed after the call", .fate = FATE_KILL_AFTER},
	{.name = "killed, then released", .fate = FATE_KILL_BEFORE, .released = true},
	{.name = "power cut, names ahead of bytes",
		.fate = FATE_KILL_BEFORE,
		.power = true,
		.loss = DISK_EARLY_NAMES},
	{.name = "power cut, names not written",
		.fate = FATE_KILL_BEFORE,
		.power = true,
		.loss = DISK_LATE_NAMES},
	{.name = "EIO", .fate = FATE_ERROR, .error = EIO, .why = "I/O error", .kinds = ~0u},
	{.name = "EBUSY",
		.fate = FATE_ERROR,
		.error = EBUSY,
		.why = "Resource busy",
		.device = true,
		.kinds = WRITES | BIT(RENAME) | BIT(UNLINK)},
	{.name = "ENODEV",
		.fate = FATE_ERROR,
		.error = ENODEV,
		.why = "No such device",
		.device = true,
		.kinds = WRITES},
	{.name = "EACCES",
		.fate = FATE_ERROR,
		.error = EACCES,
		.why = "Permission denied",
		.kinds = WRITES | NAMES | BIT(MODE)},
	{.name = "ENOSPC",
		.fate = FATE_ERROR,
		.error = ENOSPC,
		.why = "No space left on device",
		.kinds = WRITES | BIT(RENAME) | BIT(MAKE) | BIT(SYNC) | BIT(SIZE)},
};

const size_t faults_count = ARRAY_LEN(faults);

/* One run to one point, and what follows. */
struct point {
	struct world *w;
	const struct fault *fault;
	size_t at;
	struct trace run;
	struct buf said;
	struct view now;    /* after the fault */
	struct judge judge; /* writes to what has been found wrong */
};

/* A function in one group with one that may be touched. */
static bool may_touch(void *arg, const char *address)
{
	const struct world *w = arg;
	const struct view_function *f = view_function(&w->host, address);

	if (scenario_has(w->scenario->touches, address))
		return true;
	for (size_t i = 0; f && f->group >= 0 && i < w->host.functions; i++)
		if (w->host.function[i].group == f->group &&
			scenario_has(w->scenario->touches, w->host.function[i].address))
			return true;
	return false;
}

static bool succeeded(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void complain(struct point *p, const char *what)
{
	buf_printf(p->judge.wrong, "%s\n", what);
}

/* The command, up to the point or to its end. */
static int run_command(struct point *p, struct disk *disk, struct err *e)
{
	p->run = (struct trace){.at = p->at,
		.fate = p->fault->fate,
		.error = p->fault->error,
		.disk = disk,
		.may_touch = may_touch,
		.arg = p->w};
	return world_run(p->w, p->w->now, p->w->scenario->command, &p->run, &p->said, e);
}

/* The power goes: what is judged is what is on disk, with the functions as they were. */
static int command_and_cut(struct point *p, struct err *e)
{
	char var[512];
	struct disk *disk;
	int rc;

	if (!p->fault->power)
		return run_command(p, NULL, e);
	snprintf(var, sizeof(var), "%s/var", p->w->now);
	disk = disk_new(var);
	rc = run_command(p, disk, e);
	if (rc == 0)
		rc = disk_cut(disk, (enum disk_loss)p->fault->loss, e);
	disk_free(disk);
	return rc;
}

static int reboot(struct point *p, struct err *e)
{
	if (!p->fault->power)
		return 0;
	if (world_boot(p->w, p->w->now, e) < 0)
		return -1;
	p->judge.rebooted = true;
	return 0;
}

static bool is_at_rest(struct point *p, const struct view *reference)
{
	CLEANUP_BUF struct buf wrong = {0};
	struct judge j = p->judge;

	j.wrong = &wrong;
	judge_rest(&j, &p->now, reference);
	return !wrong.len;
}

/* Exit 0 is a promise; anything else must say why, where something was left undone. */
static int judge_result(struct point *p, struct err *e)
{
	const struct reference *r = world_reference(p->w, &p->now, false, e);
	const char *said = buf_z(&p->said);
	size_t before = p->judge.wrong->len;

	if (!r)
		return -1;
	if (!WIFEXITED(p->run.status)) {
		complain(p, "it did not exit");
	} else if (p->w->scenario->heals) {
		if (!succeeded(p->run.status) && p->judge.wrong->len == before)
			judge_message(&p->judge, said, trace_path(&p->run, p->run.hit.path),
				p->fault->why);
	} else if (succeeded(p->run.status)) {
		judge_wishes_done(&p->judge, &p->now);
		judge_rest(&p->judge, &p->now, &r->view);
	} else if (p->fault->error && (!is_at_rest(p, &r->view) || succeeded(r->status))) {
		judge_message(&p->judge, said, trace_path(&p->run, p->run.hit.path), p->fault->why);
	}
	if (p->judge.wrong->len > before)
		buf_printf(p->judge.wrong, "it said (status %#x): %s\n", (unsigned)p->run.status,
			said);
	return 0;
}

static int restart(struct point *p, const char *command, int *status, struct err *e)
{
	/* after a reboot every claim is bound again */
	struct trace t = {.may_touch = p->judge.rebooted ? NULL : may_touch, .arg = p->w};

	if (world_run(p->w, p->w->now, command, &t, &p->said, e) < 0)
		return -1;
	if (t.hung)
		complain(p, "the restart hangs");
	if (t.trespass[0])
		buf_printf(p->judge.wrong, "the restart touched %s\n", t.trespass);
	*status = t.status;
	return 0;
}

static int release_claims(struct point *p, struct err *e)
{
	char command[512];
	int ignored; /* it fails where the claim had not come to be */

	snprintf(command, sizeof(command), "pcid release %s", p->w->scenario->makes);
	return restart(p, command, &ignored, e);
}

static int judge_after_restart(struct point *p, int status, struct err *e)
{
	const struct reference *r;
	struct view after;
	size_t before = p->judge.wrong->len;

	if (view_read(&after, p->w->now, e) < 0)
		return -1;
	r = world_reference(p->w, &after, p->judge.rebooted, e);
	if (r) {
		judge_rest(&p->judge, &after, &r->view);
		if (r->status != status)
			buf_printf(p->judge.wrong, "the restart's status is %#x, not %#x\n",
				(unsigned)status, (unsigned)r->status);
	}
	if (!p->fault->released)
		judge_restart(&p->judge, &p->now, &after);
	if (p->judge.wrong->len > before)
		buf_printf(p->judge.wrong, "the restart said: %s\n", buf_z(&p->said));
	view_free(&after);
	return r ? 0 : -1;
}

static int to_rest(struct point *p, struct err *e)
{
	uint64_t state = view_digest(&p->now) * 4 + p->fault->power * 2u + p->fault->released;
	size_t before = p->judge.wrong->len;
	int status;

	if (world_is_known(p->w, state))
		return 0;
	if (reboot(p, e) < 0 || (p->fault->released && release_claims(p, e) < 0) ||
		restart(p, RESTART, &status, e) < 0 || judge_after_restart(p, status, e) < 0)
		return -1;
	if (p->judge.wrong->len == before)
		world_went_well(p->w, state);
	return 0;
}

static int judge_point(struct point *p, struct err *e)
{
	bool killed = p->run.reached && p->fault->fate != FATE_ERROR;

	judge_moment(&p->judge, &p->now);
	if (p->run.trespass[0])
		buf_printf(p->judge.wrong, "it touched %s\n", p->run.trespass);
	if (p->run.hung)
		complain(p, "it hangs");
	if (p->fault->power && !killed && succeeded(p->run.status))
		judge_wishes_done(&p->judge, &p->now);
	if (!killed && !p->fault->power && judge_result(p, e) < 0)
		return -1;
	return to_rest(p, e);
}

/* True when there was such a point; the run that passes the last one is judged too. */
static int one_point(struct world *w, const struct fault *f, size_t at, struct buf *wrong,
	bool *reached, struct err *e)
{
	struct point p = {.w = w, .fault = f, .at = at};
	int rc = world_renew(w, e);

	p.judge = (struct judge){
		.scenario = w->scenario, .host = &w->host, .before = &w->before, .wrong = wrong};
	if (rc == 0)
		rc = command_and_cut(&p, e);
	*reached = p.run.reached;
	if (rc == 0)
		rc = view_read(&p.now, w->now, e);
	if (rc == 0)
		rc = judge_point(&p, e);
	view_free(&p.now);
	buf_free(&p.said);
	return rc;
}

/* The points of a run without faults. */
static int list_points(struct world *w, struct trace *t, struct err *e)
{
	int rc = world_renew(w, e);

	*t = (struct trace){.record = true};
	if (rc == 0)
		rc = world_run(w, w->now, w->scenario->command, t, NULL, e);
	return rc;
}

static bool can_fail(const struct fault *f, const struct trace *t, const struct call *c)
{
	if (f->device && !strncmp(trace_path(t, c->path), "run/", 4))
		return false;
	return f->fate != FATE_ERROR || (f->kinds >> c->kind & 1);
}

static void tell(struct buf *wrong, const struct trace *t, size_t at, struct buf *found)
{
	const struct call *c = at && at <= t->points ? &t->calls[at - 1] : NULL;

	buf_printf(wrong, "point %zu of %zu (%s %s):\n%s", at, t->points, c ? c->name : "the end",
		c ? trace_path(t, c->path) : "", buf_z(found));
}

long step_through(
	struct world *w, const struct fault *f, size_t only, struct buf *wrong, struct err *e)
{
	struct trace all;
	size_t last;
	long points = 0;
	int rc = list_points(w, &all, e);

	/* One past the last is the end: killed there is not killed. */
	last = all.points + (f->power ? 1 : 0);
	for (size_t at = only ? only : 1; rc == 0 && at <= (only ? only : last); at++) {
		CLEANUP_BUF struct buf found = {0};
		bool reached;

		if (at <= all.points && !can_fail(f, &all, &all.calls[at - 1]))
			continue;
		rc = one_point(w, f, at, &found, &reached, e);
		if (rc == 0 && !reached && at <= all.points)
			buf_str(&found, "it did not come to this point\n");
		if (found.len)
			tell(wrong, &all, at, &found);
		points++;
	}
	trace_free(&all);
	return rc < 0 ? -1 : points;
}

bool step_applies(const struct scenario *s, const struct fault *f)
{
	return (!f->released || s->makes) && (!f->device || s->touches) && (!f->power || !s->cold);
}
