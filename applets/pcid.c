// SPDX-License-Identifier: GPL-2.0-or-later
// pcid: the node's PCI functions, and their claims.
#include "applet.h"

#include "base/cli.h"
#include "json/yaml.h"
#include "pci/pass.h"
#include "pci/print.h"

#include <poll.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"usage: pcid VERB [ARGS] [OPTIONS]\n"
	"\n"
	"The node's PCI functions: what they are, who uses them, and which are given to VMs through\n"
	"vfio-pci.\n"
	"\n"
	"  list                 every function but PCI bridges\n"
	"  show ADDR            one function: identity, capabilities, group, users, a claim of it\n"
	"  plan [ADDR]          what would be done, in order, and what is refused; changes nothing\n"
	"  claim ADDR           want it on vfio-pci, with all of its IOMMU group, and bring it there\n"
	"  release ADDR         no longer want it, and give it back to its driver\n"
	"  apply                one pass over all claims\n"
	"\n"
	"  list:  --class HEX   --vendor HEX   --driver NAME|none   --group N   --groups (as a tree)\n"
	"  plan, show, claim:   --override REASON   accept one host use, by its exact name\n"
	"  claim:               --user NAME         who wants it (default: who runs this)\n"
	"  claim, release, apply: --timeout SEC     how long to wait (10);  --no-wait\n"
	"  -o table|wide|json|yaml|name    --root DIR    --node NAME    --ids FILE    -v    -h\n"
	"\n"
	"examples:\n"
	"  pcid list --class 03\n"
	"  pcid plan 0000:65:00.0\n"
	"  pcid claim 65:00.0 && pcid list --driver vfio-pci\n"
	"  pcid list -o json | jq '.items[].status.resourceName'\n"
	"  pcid claim 0000:3b:00.0 --override Mounted\n"
	"\n"
	"exit: 0 done; 1 refused, pending or failed; 2 wrong call\n";

/* The applet's own options. */
struct options {
	const char *class, *vendor, *driver, *group, *groups;
	const char *override, *user, *timeout, *no_wait;
	enum reason reason; /* of --override, REASONS for none */
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
	fprintf(stderr, "pcid: %s\n", e->text);
	if (e->hint[0])
		fprintf(stderr, "  %s\n", e->hint);
	return CLI_FAILED;
}

static int misuse(const char *what)
{
	fprintf(stderr, "pcid: %s\nsee 'pcid --help'\n", what);
	return CLI_USAGE;
}

static int emit(const struct buf *b, struct err *e)
{
	size_t done = 0;

	while (done < b->len) {
		ssize_t n = write(STDOUT_FILENO, b->p + done, b->len - done);

		if (n < 0) {
			err_sys(e, "write the output");
			return complain(e);
		}
		done += (size_t)n;
	}
	return CLI_DONE;
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
	return emit(&out, e);
}

static bool wants_object(const struct run *r)
{
	return r->cli.output == OUTPUT_JSON || r->cli.output == OUTPUT_YAML;
}

static void on_progress(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "%s\n", line);
}

static int verb_list(struct run *r, struct err *e)
{
	CLEANUP_BUF struct buf out = {0};
	CLEANUP_ARENA struct arena mem = {0};
	struct pci_filter filter;
	struct pci_state s;
	int rc = CLI_DONE;

	if (pci_filter_init(&filter, r->opt.class, r->opt.vendor, r->opt.driver, r->opt.group, e) < 0)
		return misuse(e->text);
	if (pci_state_read(&s, &r->node, e) < 0)
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
		rc = emit(&out, e);
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

/* The address of the call, and its function in the state; -1 when there is none. */
static int find_function(const struct run *r, const struct pci_state *s, struct pci_addr *a,
	const struct pci_dev **d, struct err *e)
{
	*d = NULL;
	if (!pci_addr_parse_short(str_of(r->cli.arg[0]), a)) {
		err_set(e, "'%s' is no PCI address", r->cli.arg[0]);
		return err_hint(e, "write it as 0000:65:00.0 or 65:00.0");
	}
	*d = pci_find(&s->inv, *a);
	return 0;
}

static int no_function(const struct run *r, struct err *e)
{
	err_set(e, "%s: NotFound: there is no function at that address", r->cli.arg[0]);
	err_hint(e, "see what there is: pcid list");
	return complain(e);
}

/* The claim somebody is about to make: the one there is, when it is the same wish. */
static void make_wish(const struct run *r, const struct pci_state *s, struct pci_addr a,
	struct arena *mem, struct wish *w)
{
	const struct wish *old = pci_state_wish(s, a);

	if (old && r->opt.reason == REASONS)
		*w = *old;
	else
		wish_of(w, STORE_LOCAL, pci_object_name(mem, s->node->name, a),
			wish_new(s->node, mem, a, user_name(r), r->opt.reason), mem);
}

static void plan_with(struct plan *p, const struct pci_state *s, const struct wish *w)
{
	plan_make(p, s, pci_state_wish(s, w->addr) ? NULL : w);
}

static int verb_show(struct run *r, struct err *e)
{
	CLEANUP_BUF struct buf out = {0};
	CLEANUP_ARENA struct arena mem = {0};
	const struct pci_dev *d;
	struct pci_addr a;
	struct pci_state s;
	struct wish w;
	struct plan p;
	int rc;

	if (pci_state_read(&s, &r->node, e) < 0 || find_function(r, &s, &a, &d, e) < 0)
		return complain(e);
	if (!d) {
		rc = no_function(r, e);
	} else if (wants_object(r)) {
		struct pci_filter all = {.group = -1};
		struct json *list = list_objects(&mem, &s, &all);
		struct json *found = NULL;

		json_each(item, json_get(list, "items"))
			if (str_is(json_str(json_path(item, "status", "address", NULL)), d->name)) found =
				item;
		rc = emit_object(r, found, e);
	} else {
		make_wish(r, &s, a, &mem, &w);
		plan_with(&p, &s, &w);
		print_function(&out, &s, &p, d);
		plan_free(&p);
		rc = emit(&out, e);
	}
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
	return emit(&out, e);
}

static int plan_one(struct run *r, const struct pci_state *s, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	const struct pci_dev *d;
	struct pci_addr a;
	struct wish w;
	struct plan p;
	int rc;

	if (find_function(r, s, &a, &d, e) < 0)
		return complain(e);
	make_wish(r, s, a, &mem, &w);
	plan_with(&p, s, &w);
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
	struct plan p;
	int rc;

	if (pci_state_read(&s, &r->node, e) < 0)
		return complain(e);
	if (r->cli.args) {
		rc = plan_one(r, &s, e);
	} else {
		plan_make(&p, &s, NULL);
		pass_mark_held(&s, &p);
		rc = emit_plan(r, &s, &p, NULL, e);
		plan_free(&p);
	}
	pci_state_free(&s);
	return rc;
}

/* One pass as somebody waits for it. */
struct pass {
	struct pci_state s;
	struct plan p;
	struct pass_result result;
	int rc;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int pass_once(struct run *r, struct pass *w, struct err *e)
{
	if (pci_state_read(&w->s, &r->node, e) < 0)
		return -1;
	plan_make(&w->p, &w->s, NULL);
	w->rc = pass_run(&w->s, &w->p, &r->kmodules, &w->result, e);
	return w->rc;
}

static void pass_end(struct pass *w)
{
	plan_free(&w->p);
	pci_state_free(&w->s);
}

static const struct member *first_waiting(const struct pass *w)
{
	for (size_t i = 0; i < w->p.units; i++)
		for (size_t j = 0; j < w->p.unit[i].n; j++)
			if (w->p.unit[i].member[j].reason == REASON_IN_USE &&
				!w->p.unit[i].member[j].done && w->p.unit[i].member[j].message)
				return &w->p.unit[i].member[j];
	return NULL;
}

/* Passes until nothing waits for a process to close a device, or the time is over. The lock is held
 * for each pass only. */
static int pass_wait(struct run *r, struct pass *w, struct err *e)
{
	int64_t deadline = now_ms() + r->opt.timeout_ms;
	bool told = false;

	for (;;) {
		CLEANUP_CLOSE int lock = -1;
		const struct member *m;
		int64_t left;

		*w = (struct pass){0};
		left = deadline - now_ms();
		lock = store_lock(&r->store, "pcid", left > 0 ? (int)left : 0, e);
		if (lock < 0)
			return -1;
		if (pass_once(r, w, e) < 0)
			return -1;
		m = first_waiting(w);
		left = deadline - now_ms();
		if (!m || left <= 0)
			return 0;
		if (!told)
			fprintf(stderr, "%s; waiting up to %lld s\n", m->message,
				(long long)(left + 999) / 1000);
		told = true;
		pass_end(w);
		close(lock);
		lock = -1;
		poll(NULL, 0, left < 250 ? (int)left : 250);
	}
}

static void tell_failures(const struct pass *w)
{
	for (size_t i = 0; i < w->p.units; i++) {
		for (size_t j = 0; j < w->p.unit[i].n; j++) {
			const struct member *m = &w->p.unit[i].member[j];

			if (!m->done && m->message)
				fprintf(stderr, "pcid: %s: %s: %s\n",
					m->dev ? m->dev->name : m->kept->name, reason_name(m->reason),
					m->message);
		}
	}
}

static void tell_refusal(const struct verdict *v)
{
	fprintf(stderr, "pcid: %s: %s: %s\n",
		v->wish->address[0] ? v->wish->address : v->wish->name, reason_name(v->reason),
		v->message);
	if (v->hint[0])
		fprintf(stderr, "  %s\n", v->hint);
}

/* Checks the claim as things are; then the wish is on disk. Nothing is written when it is refused. */
static int write_claim(struct run *r, const struct pci_state *s, const struct wish *w,
	struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct verdict v = plan_judge(s, w, &mem);

	if (!v.accepted) {
		tell_refusal(&v);
		return CLI_FAILED;
	}
	if (s->sentinel == STORE_NEW && store_sentinel_write(&r->store, r->node_name, e) < 0)
		return complain(e);
	if (w->tree == STORE_LOCAL &&
		store_put_now(&r->store, STORE_LOCAL, PLURAL_CLAIMS, w->name, w->object, e) < 0)
		return complain(e);
	return CLI_DONE;
}

static int report_claim(const struct pass *w, struct pci_addr a)
{
	const struct verdict *v = plan_verdict(&w->p, a);
	const struct member *m = plan_member(&w->p, a);
	char address[PCI_ADDR_CAP];

	pci_addr_format(a, address);
	if (v && !v->accepted) {
		tell_refusal(v);
		return CLI_FAILED;
	}
	if (m && !m->done) {
		tell_failures(w);
		fprintf(stderr,
			"pcid: the claim stays and is tried again by 'pcid apply'; to give it up: "
			"pcid release %s\n",
			address);
		return CLI_FAILED;
	}
	printf("%s: claimed, %s\n", address,
		m ? "on vfio-pci" : "left on its driver (skip-vfio-binding)");
	return CLI_DONE;
}

static int verb_claim(struct run *r, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	const struct pci_dev *d;
	struct pci_state s;
	struct pci_addr a;
	struct pass w;
	struct wish wish;
	int rc;

	if (pci_state_read(&s, &r->node, e) < 0 || find_function(r, &s, &a, &d, e) < 0)
		return complain(e);
	make_wish(r, &s, a, &mem, &wish);
	rc = write_claim(r, &s, &wish, e);
	pci_state_free(&s);
	if (rc != CLI_DONE)
		return rc;
	if (pass_wait(r, &w, e) < 0)
		return complain(e);
	rc = report_claim(&w, a);
	pass_end(&w);
	return rc;
}

static int refuse_release(const struct pci_state *s, struct pci_addr a, const struct plan *p)
{
	const struct member *m = plan_member(p, a);
	char address[PCI_ADDR_CAP];

	pci_addr_format(a, address);
	if (m && m->wish)
		fprintf(stderr, "pcid: %s is claimed with %s, of the same IOMMU group\n  pcid release %s\n",
			address, m->wish->address, m->wish->address);
	else
		fprintf(stderr, "pcid: %s is not claimed on node %s\n  see 'pcid list'\n", address,
			s->node->name);
	return CLI_FAILED;
}

/* Takes the wish away. */
static int write_release(struct run *r, const struct pci_state *s, struct pci_addr a, struct err *e)
{
	const struct wish *w = pci_state_wish(s, a);
	struct plan p;
	int rc;

	if (w && w->tree == STORE_CLUSTER) {
		fprintf(stderr,
			"pcid: the claim of %s is the cluster's; it is released there:\n"
			"  kubectl delete pcideviceclaims.devices.harvesterhci.io %s\n",
			w->address, w->name);
		return CLI_FAILED;
	}
	if (w && s->sentinel != STORE_OURS) {
		struct verdict v;
		CLEANUP_ARENA struct arena mem = {0};

		v = plan_judge(s, w, &mem);
		tell_refusal(&v);
		return CLI_FAILED;
	}
	if (w)
		return store_remove_now(&r->store, STORE_LOCAL, PLURAL_CLAIMS, w->name, e) < 0
			? complain(e)
			: CLI_DONE;
	plan_make(&p, s, NULL);
	rc = plan_member(&p, a) && !plan_member(&p, a)->wish ? CLI_DONE : refuse_release(s, a, &p);
	plan_free(&p);
	return rc;
}

static int report_release(const struct pass *w, struct pci_addr a)
{
	const struct member *m = plan_member(&w->p, a);
	char address[PCI_ADDR_CAP];

	pci_addr_format(a, address);
	if (m && m->wish) {
		printf("%s: released; it stays on vfio-pci with %s, of the same IOMMU group\n", address,
			m->wish->address);
		return CLI_DONE;
	}
	tell_failures(w);
	if (w->p.releases_held) {
		fprintf(stderr, "pcid: nothing is released: %s\n", w->p.held_why);
		return CLI_FAILED;
	}
	if (m && !m->done) {
		fprintf(stderr, "pcid: the claim is gone; %s is given back by 'pcid apply' as soon as "
				"that can be\n",
			address);
		return CLI_FAILED;
	}
	printf("%s: released\n", address);
	return w->result.failed ? CLI_FAILED : CLI_DONE;
}

static int verb_release(struct run *r, struct err *e)
{
	const struct pci_dev *d;
	struct pci_state s;
	struct pci_addr a;
	struct pass w;
	int rc;

	if (pci_state_read(&s, &r->node, e) < 0 || find_function(r, &s, &a, &d, e) < 0)
		return complain(e);
	rc = write_release(r, &s, a, e);
	pci_state_free(&s);
	if (rc != CLI_DONE)
		return rc;
	if (pass_wait(r, &w, e) < 0)
		return complain(e);
	rc = report_release(&w, a);
	pass_end(&w);
	return rc;
}

static int verb_apply(struct run *r, struct err *e)
{
	struct pass w;
	int rc;

	if (pass_wait(r, &w, e) < 0)
		return complain(e);
	for (size_t i = 0; i < w.p.verdicts; i++)
		if (!w.p.verdict[i].accepted)
			tell_refusal(&w.p.verdict[i]);
	tell_failures(&w);
	if (w.p.releases_held)
		fprintf(stderr, "pcid: nothing is released: %s\n", w.p.held_why);
	rc = w.result.refused || w.result.failed || w.result.waiting || w.p.releases_held ? CLI_FAILED
										     : CLI_DONE;
	printf("%zu claims: %u refused; functions: %u failed, %u waiting\n", w.p.verdicts,
		w.result.refused, w.result.failed, w.result.waiting);
	pass_end(&w);
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
	{"claim", 1, 1, verb_claim},
	{"release", 1, 1, verb_release},
	{"apply", 0, 0, verb_apply},
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
	uint64_t seconds = DEFAULT_TIMEOUT;

	o->reason = REASONS;
	if (o->override && (!reason_parse(str_of(o->override), &o->reason) ||
				   o->reason > REASON_BRIDGE_FUNCTION))
		return err_set(e, "--override %s: not the name of a host use (see the refusal)",
			o->override);
	if (o->timeout && !str_u64(str_of(o->timeout), MAX_TIMEOUT, &seconds))
		return err_set(e, "--timeout %s: seconds, up to a day", o->timeout);
	o->timeout_ms = o->no_wait ? 0 : (int)seconds * 1000;
	return 0;
}

static int open_node(struct run *r, struct err *e)
{
	struct utsname uts;

	if (cli_node_name(&r->cli, r->node_name, sizeof(r->node_name), e) < 0 ||
		root_init(&r->root, r->cli.root, e) < 0 ||
		store_init(&r->store, &r->root, getenv("VFIOBOX_STATE"), e) < 0)
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
		{"timeout", true, "claim release apply", &o->timeout},
		{"no-wait", false, "claim release apply", &o->no_wait},
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
	root_close(&r.root);
	return rc;
}

const struct applet pcid_applet = {
	.name = "pcid",
	.summary = "PCI functions of the node: inventory, claims, vfio binding",
	.help = help,
	.main = pcid_main,
};
