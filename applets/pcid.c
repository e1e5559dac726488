// SPDX-License-Identifier: GPL-2.0-or-later
// pcid: the node's PCI functions, and their claims.
#include "applet.h"

#include "base/cli.h"
#include "base/say.h"
#include "pci/bake.h"
#include "pci/daemon.h"
#include "pci/doctor.h"
#include "pci/early.h"
#include "pci/object.h"
#include "pci/outcome.h"
#include "pci/print.h"
#include "pci/rename.h"
#include "pci/session.h"
#include "pci/settled.h"
#include "pci/sriov_order.h"
#include "json/yaml.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char help[] =
	"usage: pcid VERB [ARGS] [OPTIONS]\n"
	"\n"
	"The node's PCI functions: what they are, who uses them, and which are given to VMs "
	"through\n"
	"vfio-pci.\n"
	"\n"
	"  list                 every function but PCI bridges\n"
	"  show ADDR            one function: identity, capabilities, group, users, a claim of it\n"
	"  plan [ADDR]          what would be done, in order, and what is refused; changes "
	"nothing\n"
	"  claim ADDR...        want it on vfio-pci, with all of its IOMMU group, and bring it "
	"there\n"
	"  release ADDR...      no longer want it, and give it back to its driver\n"
	"  apply                one pass over all claims and numbers of VFs\n"
	"  vfs                  the NICs with SR-IOV, and how many virtual functions they have\n"
	"  vfs IFNAME|ADDR N    want N of them, and make them\n"
	"  daemon               stays, and does what is wanted whenever something changes\n"
	"  early                in the initramfs: binds what was bound before, ahead of host "
	"drivers\n"
	"  bake [FILE]          the state's copy for an initramfs: /etc/vfiobox, or FILE, a cpio "
	"archive\n"
	"  settled              says that the system is up: what was never bound before may be "
	"bound\n"
	"  rename               takes the node's name as it is now, after it was changed\n"
	"  doctor               why a VM does not get its device: what is found, what to do\n"
	"\n"
	"  list:  --class HEX   --vendor HEX   --driver NAME|none   --group N   --groups (as a "
	"tree)\n"
	"  plan, show, claim:   --override REASON[,REASON]  accept host uses, by exact name\n"
	"  claim:               --user NAME         who wants it (default: who runs this)\n"
	"  claim, release, apply, vfs: --timeout SEC  how long to wait (10);  --no-wait\n"
	"  daemon:              --once              end when nothing is left to do\n"
	"  early:               --stage 1|2         1 (default) before udev, 2 with the state "
	"mounted\n"
	"  -o table|wide|json|yaml|name    --root DIR    --node NAME    --ids FILE    -v    -h\n"
	"\n"
	"examples:\n"
	"  pcid list --class 03\n"
	"  pcid plan 0000:65:00.0\n"
	"  pcid claim 65:00.0 && pcid list --driver vfio-pci\n"
	"  pcid list -o json | jq '.items[].status.resourceName'\n"
	"  pcid claim 0000:3b:00.0 --override Mounted\n"
	"  pcid vfs enp1s0f0 4\n"
	"\n"
	"exit: 0 done; 1 refused, pending or failed, or a problem found; 2 wrong call\n";

/* The applet's own options. */
struct options {
	const char *class, *vendor, *driver, *group, *groups;
	const char *override, *user, *timeout, *no_wait, *stage, *once;
	int timeout_ms;
};

/* What a verb works with. */
struct run {
	struct cli cli;
	struct options opt;
	struct root root;
	struct store store;
	struct ids ids;
	struct kmodules kmodules;
	struct pci_node node;
	char node_name[256];
};

enum { DEFAULT_TIMEOUT = 10, MAX_TIMEOUT = 24 * 3600 };

static int complain(const struct err *e)
{
	return say_error("pcid", e);
}

static int misuse(const char *what)
{
	return say_misuse("pcid", help, what);
}

static int emit_text(const struct buf *b, struct err *e)
{
	return say_text(b, e) < 0 ? complain(e) : CLI_DONE;
}

static int emit_object(const struct run *r, const struct json *object, struct err *e)
{
	CLEANUP_BUF struct buf out = {0};

	if (r->cli.output == OUTPUT_YAML) {
		if (yaml_write(&out, object, e) < 0)
			return complain(e);
	} else {
		json_write(&out, object, JSON_PRETTY);
		buf_char(&out, '\n');
	}
	return say_bytes(&out, e) < 0 ? complain(e) : CLI_DONE;
}

static bool wants_object(const struct run *r)
{
	return r->cli.output == OUTPUT_JSON || r->cli.output == OUTPUT_YAML;
}

static void on_progress(void *arg, const char *line)
{
	(void)arg;
	say("%s", line);
}

/* With -v, what was seen is counted on standard error. */
static int read_state(const struct run *r, struct pci_state *s, struct err *e)
{
	if (pci_state_read(s, &r->node, e) < 0)
		return -1;
	if (r->cli.verbose)
		say("pcid: node %s: %zu functions, %zu host uses, %zu claims, %zu records of ours",
			r->node_name, s->inv.n, s->uses.n, s->wishes, s->kepts);
	return 0;
}

static int verb_list(struct run *r, struct err *e)
{
	CLEANUP_BUF struct buf out = {0};
	CLEANUP_ARENA struct arena mem = {0};
	struct pci_filter filter;
	struct pci_state s;
	int rc = CLI_DONE;

	if (pci_filter_init(&filter, r->opt.class, r->opt.vendor, r->opt.driver, r->opt.group, e) <
		0)
		return misuse(e->text);
	if (read_state(r, &s, e) < 0)
		return complain(e);
	if (r->opt.groups) {
		print_groups(&out, &s, &filter);
	} else if (wants_object(r)) {
		rc = emit_object(r, list_objects(&mem, &s, &filter), e);
	} else if (r->cli.output == OUTPUT_NAME) {
		print_names(&out, &s, &filter);
	} else {
		struct plan p;

		plan_make(&p, &s, NULL);
		print_list(&out, &s, &p, &filter, r->cli.output == OUTPUT_WIDE);
		plan_free(&p);
	}
	if (rc == CLI_DONE)
		rc = emit_text(&out, e);
	pci_state_free(&s);
	return rc;
}

static const char *user_name(const struct run *r)
{
	const char *names[] = {r->opt.user, getenv("SUDO_USER"), getenv("USER"), "root"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i] && names[i][0])
			return names[i];
	return "";
}

static int read_address(const char *word, struct pci_addr *a, struct err *e)
{
	if (pci_addr_parse_short(str_of(word), a))
		return 0;
	return err_set(e, "'%s' is no PCI address; write it as 0000:65:00.0 or 65:00.0", word);
}

static int no_function(const struct run *r, struct err *e)
{
	err_set(e, "%s: NotFound: there is no function at that address", r->cli.arg[0]);
	err_hint(e, "see what there is: pcid list");
	return complain(e);
}

static int show(struct run *r, const struct pci_state *s, const struct pci_dev *d, struct err *e)
{
	CLEANUP_BUF struct buf out = {0};
	CLEANUP_ARENA struct arena mem = {0};
	struct wish w;
	struct plan p;

	if (wants_object(r))
		return emit_object(r, list_object(&mem, s, d, object_now(&mem)), e);
	order_wish(s, d->addr, user_name(r), r->opt.override, &mem, &w);
	plan_make(&p, s, &w);
	print_function(&out, s, &p, d);
	plan_free(&p);
	return emit_text(&out, e);
}

static int verb_show(struct run *r, struct err *e)
{
	const struct pci_dev *d;
	struct pci_addr a;
	struct pci_state s;
	int rc;

	if (read_address(r->cli.arg[0], &a, e) < 0)
		return misuse(e->text);
	if (read_state(r, &s, e) < 0)
		return complain(e);
	d = pci_find(&s.inv, a);
	rc = d ? show(r, &s, d, e) : no_function(r, e);
	pci_state_free(&s);
	return rc;
}

static int emit_plan(const struct run *r, const struct pci_state *s, const struct plan *p,
	const struct pci_addr *only, struct err *e)
{
	CLEANUP_BUF struct buf out = {0};
	CLEANUP_ARENA struct arena mem = {0};

	if (wants_object(r))
		return emit_object(r, plan_object(&mem, p, only), e);
	print_plan(&out, s, p, only);
	return emit_text(&out, e);
}

static int plan_one(struct run *r, const struct pci_state *s, struct pci_addr a, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct wish w;
	struct plan p;
	int rc;

	order_wish(s, a, user_name(r), r->opt.override, &mem, &w);
	plan_make(&p, s, &w);
	pass_mark_held(s, &p);
	rc = emit_plan(r, s, &p, &a, e);
	if (rc == CLI_DONE && !plan_judge(s, &w, &mem).accepted)
		rc = CLI_FAILED;
	plan_free(&p);
	return rc;
}

static int verb_plan(struct run *r, struct err *e)
{
	struct pci_state s;
	struct pci_addr a;
	struct plan p;
	int rc;

	if (r->cli.args && read_address(r->cli.arg[0], &a, e) < 0)
		return misuse(e->text);
	if (read_state(r, &s, e) < 0)
		return complain(e);
	if (r->cli.args) {
		rc = plan_one(r, &s, a, e);
	} else {
		plan_make(&p, &s, NULL);
		pass_mark_held(&s, &p);
		rc = emit_plan(r, &s, &p, NULL, e);
		plan_free(&p);
	}
	pci_state_free(&s);
	return rc;
}

static void tell_failures(const struct session *w)
{
	for (size_t i = 0; i < w->plan.units; i++) {
		for (size_t j = 0; j < w->plan.unit[i].n; j++) {
			const struct member *m = &w->plan.unit[i].member[j];

			if (!m->done && m->message)
				say("pcid: %s: %s: %s", m->dev ? m->dev->name : m->kept->name,
					reason_name(m->reason), m->message);
		}
	}
}

static void tell_refusal(const struct verdict *v)
{
	say("pcid: %s: %s: %s", v->wish->address[0] ? v->wish->address : v->wish->name,
		reason_name(v->reason), v->message);
	if (v->hint[0])
		say("  %s", v->hint);
}

/* The addresses of the call; the caller frees them. */
static struct pci_addr *read_addresses(const struct run *r, struct err *e)
{
	struct pci_addr *a = mem_alloc((size_t)r->cli.args * sizeof(*a));

	for (int i = 0; i < r->cli.args; i++) {
		if (read_address(r->cli.arg[i], &a[i], e) < 0) {
			free(a);
			return NULL;
		}
	}
	return a;
}

static int tell_refusals(const struct order *o)
{
	for (size_t i = 0; i < o->refusals; i++) {
		const struct refusal *f = &o->refusal[i];

		say("pcid: %s: %s%s%s", f->what, f->reason != REASONS ? reason_name(f->reason) : "",
			f->reason != REASONS ? ": " : "", f->message);
		if (f->hint[0])
			say("  %s", f->hint);
	}
	return o->refusals ? CLI_FAILED : CLI_DONE;
}

static void tell_outcome(const struct outcome *o)
{
	if (o->message[0])
		say("pcid: %s%s%s%s%s", o->what, o->what[0] ? ": " : "", o->reason,
			o->reason[0] ? ": " : "", o->message);
}

static int report_claim(const struct outcome *o)
{
	char address[PCI_ADDR_CAP];

	pci_addr_format(o->addr, address);
	if (o->kind == OUTCOME_DONE) {
		printf("%s: claimed, %s\n", address,
			o->skipped ? "left on its driver (skip-vfio-binding)" : "on vfio-pci");
		return CLI_DONE;
	}
	tell_outcome(o);
	if (o->kind != OUTCOME_REFUSED)
		say("pcid: the claim stays and is tried again by 'pcid apply'; to give it up: "
		    "pcid release %s",
			address);
	return CLI_FAILED;
}

static int report_release(const struct outcome *o)
{
	char address[PCI_ADDR_CAP];

	pci_addr_format(o->addr, address);
	if (o->kind == OUTCOME_DONE) {
		if (o->with)
			printf("%s: released; it stays on vfio-pci with %s, of the same IOMMU "
			       "group\n",
				address, o->with);
		else
			printf("%s: released\n", address);
		return CLI_DONE;
	}
	tell_outcome(o);
	say("pcid: the claim of %s is gone; 'pcid apply' gives it back as soon as that can be",
		address);
	return CLI_FAILED;
}

static int carry_out(struct run *r, enum order_kind kind, const struct order *order,
	const struct pci_addr *a, int (*report)(const struct outcome *o), struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	size_t count = (size_t)r->cli.args;
	CLEANUP_FREE struct outcome *out = mem_alloc(count * sizeof(*out));
	int rc = CLI_DONE;

	if (await_orders(&r->node, &r->kmodules, kind, order->name, a, count, r->opt.timeout_ms,
		    &mem, out, e) < 0)
		return complain(e);
	for (size_t i = 0; i < count; i++)
		if (report(&out[i]) != CLI_DONE)
			rc = CLI_FAILED;
	return rc;
}

static int write_order(struct run *r, enum order_kind kind, struct order *o,
	const struct pci_addr *a, struct err *e)
{
	size_t count = (size_t)r->cli.args;

	if (kind == ORDER_CLAIM)
		return order_claims(o, &r->node, a, count, user_name(r), r->opt.override, e);
	return order_releases(o, &r->node, a, count, e);
}

static int give_order(
	struct run *r, enum order_kind kind, int (*report)(const struct outcome *o), struct err *e)
{
	CLEANUP_FREE struct pci_addr *a = read_addresses(r, e);
	struct order o = {0};
	int rc;

	if (!a)
		return misuse(e->text);
	rc = write_order(r, kind, &o, a, e) < 0 ? complain(e) : tell_refusals(&o);
	if (rc == CLI_DONE)
		rc = carry_out(r, kind, &o, a, report, e);
	order_free(&o);
	return rc;
}

static int verb_claim(struct run *r, struct err *e)
{
	return give_order(r, ORDER_CLAIM, report_claim, e);
}

static int verb_release(struct run *r, struct err *e)
{
	return give_order(r, ORDER_RELEASE, report_release, e);
}

static void tell_held(const struct session *w)
{
	if (w->plan.releases_held)
		say("pcid: nothing is released: %s", w->plan.held_why);
}

static void tell_nics(const struct session *w)
{
	CLEANUP_ARENA struct arena mem = {0};

	for (size_t i = 0; i < w->plan.nics; i++) {
		const struct nic_step *t = &w->plan.nic[i];

		if (t->done)
			continue;
		say("pcid: VFs of %s: %s: %s", sriov_label(t, &mem), reason_name(t->reason),
			t->message);
		if (t->hint[0])
			say("  %s", t->hint);
	}
}

static int verb_apply(struct run *r, struct err *e)
{
	const struct pass_result *done;
	struct session w;
	int rc;

	if (session_run(&w, &r->node, &r->kmodules, r->opt.timeout_ms, e) < 0)
		return complain(e);
	for (size_t i = 0; i < w.plan.verdicts; i++)
		if (!w.plan.verdict[i].accepted)
			tell_refusal(&w.plan.verdict[i]);
	tell_failures(&w);
	tell_nics(&w);
	tell_held(&w);
	done = &w.result;
	rc = done->refused || done->failed || done->waiting || done->nics || w.plan.releases_held
		     ? CLI_FAILED
		     : CLI_DONE;
	printf("%zu claims: %u refused; functions: %u failed, %u waiting\n", w.plan.verdicts,
		done->refused, done->failed, done->waiting);
	session_end(&w);
	return rc;
}

static int verb_rename(struct run *r, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	const char *was;

	if (rename_node(&r->node, &mem, &was, e) < 0)
		return complain(e);
	if (was)
		printf("%s: known as this node now, no more as %s\n", r->node_name, was);
	else
		printf("%s: nothing to do, the node is known by this name\n", r->node_name);
	return CLI_DONE;
}

static int verb_daemon(struct run *r, struct err *e)
{
	return daemon_run(&r->node, &r->kmodules, r->opt.once, e) < 0 ? complain(e) : CLI_DONE;
}

static int verb_settled(struct run *r, struct err *e)
{
	if (settled_mark(&r->node, e) < 0 || early_came_up(&r->node, e) < 0)
		return complain(e);
	return CLI_DONE;
}

/* /dev/kmsg (Documentation/ABI/testing/dev-kmsg): a record a write, "<6>" is info. */
static void on_early_progress(void *arg, const char *line)
{
	struct run *r = arg;
	CLEANUP_CLOSE int fd = root_open(&r->root, "dev/kmsg", O_WRONLY | O_APPEND, 0);
	CLEANUP_BUF struct buf text = {0};

	buf_printf(&text, "<6>vfiobox: early: %s\n", line);
	if (fd < 0 || write(fd, text.p, text.len) < 0)
		say("vfiobox: early: %s", line);
}

static int verb_early(struct run *r, struct err *e)
{
	bool second = r->opt.stage && !strcmp(r->opt.stage, "2");

	(void)e;
	r->node.progress = on_early_progress;
	r->node.progress_arg = r;
	early_run(&r->node, &r->kmodules, second ? 2 : 1);
	return CLI_DONE;
}

static int write_archive(const char *path, const struct buf *archive, struct err *e)
{
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, archive->p, archive->len) != (ssize_t)archive->len)
		return err_sys(e, "write %s", path);
	return 0;
}

static int verb_bake(struct run *r, struct err *e)
{
	CLEANUP_BUF struct buf archive = {0};
	unsigned count;

	if (!r->cli.args) {
		if (bake_directory(&r->node, &count, e) < 0)
			return complain(e);
		printf("%s: %u files\n", EARLY_BAKED, count);
		return CLI_DONE;
	}
	if (bake_archive(&r->node, &archive, e) < 0)
		return complain(e);
	if (!strcmp(r->cli.arg[0], "-"))
		return say_bytes(&archive, e) < 0 ? complain(e) : CLI_DONE;
	return write_archive(r->cli.arg[0], &archive, e) < 0 ? complain(e) : CLI_DONE;
}

static int list_vfs(struct run *r, struct err *e)
{
	CLEANUP_BUF struct buf out = {0};
	CLEANUP_ARENA struct arena mem = {0};
	struct pci_state s;
	struct plan p;
	int rc = CLI_DONE;

	if (read_state(r, &s, e) < 0)
		return complain(e);
	plan_make(&p, &s, NULL);
	if (wants_object(r))
		rc = emit_object(r, list_nics(&mem, &s, &p), e);
	else if (r->cli.output == OUTPUT_NAME)
		print_nic_names(&out, &s, &p);
	else
		print_nics(&out, &s, &p, r->cli.output == OUTPUT_WIDE);
	if (rc == CLI_DONE)
		rc = emit_text(&out, e);
	plan_free(&p);
	pci_state_free(&s);
	return rc;
}

static int report_vfs(const struct json *seen, struct err *e)
{
	const struct json *applied = sriov_applied(seen);
	const char *reason = json_z(json_get(applied, "reason"));
	const char *message = json_z(json_get(applied, "message"));
	CLEANUP_BUF struct buf out = {0};

	print_nic(&out, seen);
	if (sriov_is_applied(seen))
		return emit_text(&out, e);
	say("pcid: %s: %s", reason ? reason : reason_name(REASON_PENDING),
		message ? message : "nobody has looked at it yet");
	say("pcid: the wish stays and is tried again by 'pcid apply'");
	return CLI_FAILED;
}

static int make_vfs(struct run *r, unsigned count, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	const struct json *wish, *seen;
	struct order o = {0};
	int rc;

	if (sriov_order(&o, &r->node, r->cli.arg[0], count, &wish, e) < 0)
		rc = complain(e);
	else if (!wish)
		rc = tell_refusals(&o);
	else if (sriov_await(&r->node, &r->kmodules, wish, r->opt.timeout_ms, &mem, &seen, e) < 0)
		rc = complain(e);
	else
		rc = report_vfs(seen, e);
	order_free(&o);
	return rc;
}

static int verb_vfs(struct run *r, struct err *e)
{
	uint64_t count;

	if (!r->cli.args)
		return list_vfs(r, e);
	if (r->cli.args != 2 || !str_u64(str_of(r->cli.arg[1]), UINT16_MAX, &count))
		return misuse("vfs wants an interface or address, and a number of VFs");
	return make_vfs(r, (unsigned)count, e);
}

static int verb_doctor(struct run *r, struct err *e)
{
	CLEANUP_BUF struct buf out = {0};
	CLEANUP_ARENA struct arena mem = {0};
	struct doctor d;
	int rc;

	doctor_look(&d, &r->node, &r->kmodules);
	if (wants_object(r)) {
		rc = emit_object(r, doctor_object(&mem, &d), e);
	} else {
		doctor_print(&out, &d);
		rc = emit_text(&out, e);
	}
	if (rc == CLI_DONE && doctor_has_problem(&d))
		rc = CLI_FAILED;
	doctor_free(&d);
	return rc;
}

struct verb {
	const char *name;
	int min_args, max_args;
	int (*run)(struct run *r, struct err *e);
};

static const struct verb verbs[] = {
	{"list", 0, 0, verb_list},
	{"show", 1, 1, verb_show},
	{"plan", 0, 1, verb_plan},
	{"claim", 1, INT_MAX, verb_claim},
	{"release", 1, INT_MAX, verb_release},
	{"apply", 0, 0, verb_apply},
	{"daemon", 0, 0, verb_daemon},
	{"early", 0, 0, verb_early},
	{"bake", 0, 1, verb_bake},
	{"rename", 0, 0, verb_rename},
	{"settled", 0, 0, verb_settled},
	{"vfs", 0, 2, verb_vfs},
	{"doctor", 0, 0, verb_doctor},
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static int check_options(struct options *o, struct err *e)
{
	uint64_t seconds = DEFAULT_TIMEOUT, overrides;

	if (o->override && !reasons_parse(str_of(o->override), &overrides))
		return err_set(e, "--override %s: not the name of a host use (see the refusal)",
			o->override);
	if (o->timeout && !str_u64(str_of(o->timeout), MAX_TIMEOUT, &seconds))
		return err_set(e, "--timeout %s: seconds, up to a day", o->timeout);
	if (o->stage && strcmp(o->stage, "1") != 0 && strcmp(o->stage, "2") != 0)
		return err_set(e, "--stage %s: 1 or 2", o->stage);
	o->timeout_ms = o->no_wait ? 0 : (int)seconds * 1000;
	return 0;
}

static bool is_early(const struct run *r)
{
	return !strcmp(r->cli.verb, "early");
}

/* Stage 1 has the copy that is baked into its image. */
static const char *state_directory(const struct run *r)
{
	const char *named = getenv("VFIOBOX_STATE");

	if (!named && is_early(r) && (!r->opt.stage || !strcmp(r->opt.stage, "1")))
		return EARLY_BAKED;
	return named;
}

static int open_node(struct run *r, struct err *e)
{
	struct utsname uts;

	/* The initramfs has no host name; the state knows it. */
	if (is_early(r) && !r->cli.node && !getenv("NODE_NAME"))
		r->cli.node = "unknown";

	if (cli_node_name(&r->cli, r->node_name, sizeof(r->node_name), e) < 0 ||
		root_init(&r->root, r->cli.root, e) < 0 ||
		store_init(&r->store, &r->root, state_directory(r), e) < 0)
		return -1;
	if (r->cli.ids ? ids_load(&r->ids, r->cli.ids, e) < 0 : (ids_builtin(&r->ids), false))
		return -1;
	uname(&uts);
	kmodules_init(&r->kmodules, &r->root, uts.release);
	r->node = (struct pci_node){.root = &r->root,
		.store = &r->store,
		.ids = &r->ids,
		.name = r->node_name,
		.progress = on_progress};
	return 0;
}

static int pcid_main(int argc, char **argv)
{
	struct run r = {.root.fd = -1};
	struct options *o = &r.opt;
	const struct cli_option own[] = {
		{"class", true, "list", &o->class},
		{"vendor", true, "list", &o->vendor},
		{"driver", true, "list", &o->driver},
		{"group", true, "list", &o->group},
		{"groups", false, "list", &o->groups},
		{"override", true, "plan show claim", &o->override},
		{"user", true, "claim", &o->user},
		{"timeout", true, "claim release apply vfs", &o->timeout},
		{"stage", true, "early", &o->stage},
		{"once", false, "daemon", &o->once},
		{"no-wait", false, "claim release apply vfs", &o->no_wait},
	};
	const struct verb *verb;
	struct err e = {0};
	int rc;

	if (cli_parse(&r.cli, argc, argv, own, ARRAY_LEN(own), &e) < 0)
		return misuse(e.text);
	if (r.cli.help || !r.cli.verb) {
		fputs(help, r.cli.help ? stdout : stderr);
		return r.cli.help ? CLI_DONE : CLI_USAGE;
	}
	verb = find_verb(r.cli.verb);
	if (!verb)
		return misuse("unknown verb");
	if (r.cli.args < verb->min_args || r.cli.args > verb->max_args)
		return misuse(verb->max_args ? "the verb wants an address" : "too many arguments");
	if (check_options(o, &e) < 0)
		return misuse(e.text);
	rc = open_node(&r, &e) < 0 ? complain(&e) : verb->run(&r, &e);
	if (is_early(&r))
		rc = CLI_DONE; /* it never fails the boot */
	root_close(&r.root);
	return rc;
}

const struct applet pcid_applet = {
	.name = "pcid",
	.summary = "PCI functions of the node: inventory, claims, vfio binding",
	.help = help,
	.main = pcid_main,
};
