// SPDX-License-Identifier: GPL-2.0-or-later
// Making VFs: what the kernel is told (drivers/pci/iov.c, sriov_numvfs_store()).
#include "pci/sriov_pass.h"

#include "pci/bind.h"
#include "pci/object.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

/* sysfs tells nobody when a VF is there: looked at again, as long as more of them come. */
enum { PATH_CAP = 128, LOOK_AGAIN_MS = 20, STALLED_MS = 2000, WAIT_MS = 30000 };

static const char *attribute(char path[static PATH_CAP], const char *address, const char *name)
{
	snprintf(path, PATH_CAP, "sys/bus/pci/devices/%s/%s", address, name);
	return path;
}

/* One PF while its VFs are changed. */
struct change {
	const struct pci_state *s;
	const struct nic_step *step;
	const char *label, *address;
	bool touched; /* a number was written */
};

static bool vf_is_there(const struct root *r, const char *pf, unsigned index)
{
	char path[PATH_CAP], link[32], vf[64], value[16];

	snprintf(link, sizeof(link), "virtfn%u", index);
	if (root_link_name(r, attribute(path, pf, link), vf, sizeof(vf)) < 0 ||
		strlen(vf) >= PCI_ADDR_CAP)
		return false;
	return root_read(r, attribute(path, vf, "vendor"), value, sizeof(value)) > 0;
}

/* How many are there, counted from the first, when all are or no more come. */
static unsigned wait_for_vfs(const struct root *r, const char *pf, unsigned count)
{
	unsigned there = 0, before = 0;
	int waited = 0, stalled = 0;

	for (;;) {
		while (there < count && vf_is_there(r, pf, there))
			there++;
		stalled = there > before ? 0 : stalled + LOOK_AGAIN_MS;
		before = there;
		if (there == count || stalled >= STALLED_MS || waited >= WAIT_MS)
			return there;
		poll(NULL, 0, LOOK_AGAIN_MS);
		waited += LOOK_AGAIN_MS;
	}
}

static int write_count(struct change *c, unsigned count, struct err *e)
{
	char path[PATH_CAP], value[16];

	snprintf(value, sizeof(value), "%u", count);
	c->touched = true;
	if (root_write(c->s->node->root, attribute(path, c->address, "sriov_numvfs"), value) == 0)
		return 0;
	if (errno == ENOENT)
		return err_set(e, "driver %s makes no VFs through sysfs", c->step->pf->dev->driver);
	return err_sys(e, "write %u to sriov_numvfs", count);
}

static unsigned count_now(const struct change *c)
{
	unsigned now = 0;

	nic_attribute(c->s->node->root, c->address, "sriov_numvfs", &now);
	return now;
}

/* A non-zero number is never changed to another one: EBUSY. */
static int set_count(struct change *c, unsigned count, struct err *e)
{
	unsigned now = count_now(c);

	if (now && now != count && count && write_count(c, 0, e) < 0)
		return -1;
	if (count_now(c) != count && write_count(c, count, e) < 0)
		return -1;
	now = count_now(c);
	return now == count ? 0 : err_set(e, "the kernel made %u VFs of %u", now, count);
}

/* Back to what was there before; how that went is added to `e`. */
static void go_back(struct change *c, struct err *e)
{
	unsigned before = c->step->from;
	struct err why;

	if (before && count_now(c) == before)
		err_hint(e, "its %u VFs are as they were", before);
	else if (set_count(c, before, &why) < 0)
		err_hint(e, "going back to %u VFs failed too: %.120s; it has %u now", before,
			why.text, count_now(c));
	else if (before)
		err_hint(e, "it has %u VFs again, as before (the kernel's reason is in dmesg)",
			before);
	else
		err_hint(e, "it has no VFs, as before (the kernel's reason is in dmesg)");
}

/* A claim of a function that is not there, and may be a VF to come: it has a higher number than the
 * PF. Which numbers they will have is not known before: offset and stride may change with the
 * number of VFs (PCI Express, 9.3.3.9). */
static bool claims_wait(const struct change *c)
{
	const struct pci_state *s = c->s;

	for (size_t i = 0; i < s->wishes; i++) {
		const struct wish *w = &s->wish[i];

		if (w->addr_ok && !w->skip_binding &&
			w->addr.domain == c->step->pf->dev->addr.domain &&
			pci_addr_cmp(w->addr, c->step->pf->dev->addr) > 0 &&
			!pci_find(&s->inv, w->addr))
			return true;
	}
	return false;
}

/* With a record on disk before, so that whoever comes next turns it on again. */
static int stop_probing(const struct change *c, struct err *e)
{
	const struct pci_dev *d = c->step->pf->dev;
	char path[PATH_CAP];
	unsigned on;

	if (!nic_attribute(c->s->node->root, d->name, "sriov_drivers_autoprobe", &on) || !on)
		return 0;
	if (!sriov_kept_at(c->s, d->addr) && nic_kept_put(c->s->node,
						     &(struct nic_kept){.name = c->step->wish->name,
							     .addr = d->addr,
							     .vendor = d->vendor,
							     .device = d->device},
						     e) < 0)
		return -1;
	if (root_write(c->s->node->root, attribute(path, d->name, "sriov_drivers_autoprobe"), "0") <
		0)
		return err_sys(e, "write 0 to sriov_drivers_autoprobe");
	return 0;
}

static void tell_start(const struct change *c)
{
	const struct nic_step *t = c->step;

	if (t->from && t->to)
		pci_progress(c->s->node, "%s: %u VFs -> 0 -> %u VFs", c->label, t->from, t->to);
	else
		pci_progress(c->s->node, "%s: %u VFs -> %u VFs", c->label, t->from, t->to);
}

static int change_count(struct change *c, struct err *e)
{
	*e = (struct err){0};
	if (c->step->to && claims_wait(c) && stop_probing(c, e) < 0)
		return -1;
	tell_start(c);
	if (set_count(c, c->step->to, e) == 0)
		return 0;
	go_back(c, e);
	return -1;
}

static void fail(struct sriov_done *done, const char *name, enum reason r, const char *message)
{
	done->failure = mem_resize(done->failure, (done->n + 1) * sizeof(*done->failure));
	done->failure[done->n++] =
		(struct nic_failure){arena_dup(&done->mem, name, strlen(name)), r, message};
}

static void act(const struct pci_state *s, const struct nic_step *t, struct sriov_done *done)
{
	struct change c = {.s = s,
		.step = t,
		.label = sriov_label(t, &done->mem),
		.address = t->pf->dev->name};
	unsigned there;
	struct err e;

	if (t->from != t->to && change_count(&c, &e) < 0) {
		fail(done, t->wish->name, REASON_VFS_FAILED,
			arena_printf(&done->mem, "%s%s%s", e.text, e.hint[0] ? "; " : "", e.hint));
		done->changed = done->changed || c.touched;
		return;
	}
	there = wait_for_vfs(s->node->root, c.address, t->to);
	if (there < t->to)
		fail(done, t->wish->name, REASON_PENDING,
			arena_printf(&done->mem, "%u of its %u VFs are there", there, t->to));
	else if (c.touched)
		pci_progress(s->node, "%s: %u VFs are there", c.label, there);
	done->changed = true;
}

/* The same wish failed before in this boot, and nothing of it was changed since. */
static bool has_failed(const struct pci_state *s, const struct nic_step *t, struct sriov_done *done)
{
	const char *message;
	struct json *old;
	struct err ignored;

	if (store_read(s->node->store, STORE_OBSERVED, PLURAL_NICS, t->wish->name, &done->mem, &old,
		    &ignored) < 0)
		return false;
	message = object_nic_failure(old, t);
	if (message)
		fail(done, t->wish->name, REASON_VFS_FAILED, message);
	return message != NULL;
}

void sriov_run(const struct pci_state *s, bool retry, struct sriov_done *done)
{
	size_t n;
	struct nic_step *step = sriov_steps(s, &done->mem, &n);

	for (size_t i = 0; i < n; i++)
		if (step[i].accepted && !step[i].done && (retry || !has_failed(s, &step[i], done)))
			act(s, &step[i], done);
}

void sriov_recall(const struct sriov_done *done, struct plan *p)
{
	for (size_t i = 0; i < p->nics; i++) {
		struct nic_step *t = &p->nic[i];

		for (size_t j = 0; j < done->n; j++) {
			const struct nic_failure *f = &done->failure[j];

			if (t->done || !t->accepted || strcmp(t->wish->name, f->name) != 0)
				continue;
			t->reason = f->reason;
			t->message = arena_dup(&p->mem, f->message, strlen(f->message));
		}
	}
}

void sriov_done_free(struct sriov_done *done)
{
	free(done->failure);
	arena_free(&done->mem);
	*done = (struct sriov_done){0};
}

/* The VFs that came while probing was off and are nobody's get the driver that they would have got.
 * The kernel says no more than "not now" of one that fails: it is without a driver, as the list
 * shows. */
static void probe_vfs(const struct pci_state *s, const struct nic_pf *pf)
{
	const struct pci_dev *vf;
	char text[64];

	for (size_t at = 0; (vf = sriov_next_vf(s, pf->dev, &at));) {
		const struct wish *claim = sriov_claim_on(s, vf);

		if ((claim && !claim->skip_binding) || pci_state_kept(s, vf->addr) ||
			pci_state_unreadable(s, vf->addr))
			continue;
		if (bind_driver_of(s->node->root, vf->name, text, sizeof(text)) < 0 || text[0] ||
			bind_override_of(s->node->root, vf->name, text, sizeof(text)) < 0 ||
			text[0])
			continue;
		root_write(s->node->root, "sys/bus/pci/drivers_probe", vf->name);
	}
}

/* False: it cannot be told whether probing is on again, and the record stays. */
static bool start_probing(const struct pci_state *s, const struct nic_kept *k)
{
	const struct nic_pf *pf = sriov_pf_at(s, k->addr);
	char path[PATH_CAP], address[PCI_ADDR_CAP];

	pci_addr_format(k->addr, address);
	if (!pf || pf->dev->vendor != k->vendor || pf->dev->device != k->device)
		return !root_exists(s->node->root, attribute(path, address, "")) || pf;
	if (root_write(s->node->root, attribute(path, address, "sriov_drivers_autoprobe"), "1") <
		0) {
		pci_progress(s->node, "%s: write 1 to sriov_drivers_autoprobe: %s", address,
			strerror(errno));
		return false;
	}
	probe_vfs(s, pf);
	return true;
}

int sriov_settle(const struct pci_state *s, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < s->sriov.kepts; i++) {
		const struct nic_kept *k = &s->sriov.kept[i];

		if (k->readable && start_probing(s, k) &&
			store_remove_now(s->node->store, STORE_KEPT, PLURAL_NICS, k->name, e) < 0)
			rc = -1;
	}
	return rc;
}
