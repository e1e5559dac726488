// SPDX-License-Identifier: GPL-2.0-or-later
// A kernel for passes that make VFs: the test stops the pass at each write to sysfs, does what
// drivers/pci/iov.c and pci-driver.c do, and returns what they return.
#ifndef TESTS_NICKERNEL_H
#define TESTS_NICKERNEL_H

#include "nictree.h"
#include "traced.h"

#include "pci/session.h"

#if defined(__x86_64__)

enum { NO_KILL = -1, LOG_CAP = 2048 };

/* What the kernel answers, and what it was told. */
struct kernel {
	struct nics n;
	unsigned vfs;
	bool autoprobe;
	long refuses; /* making more than `most` VFs: this errno */
	unsigned most;
	bool makes_fewer; /* makes `most` instead */
	bool retry;       /* the pass of a person, not of a daemon */
	int changes;      /* writes, renames, removals so far */
	char log[LOG_CAP];
};

static inline void note(struct kernel *k, const char *what, const char *value)
{
	size_t at = strlen(k->log);

	snprintf(k->log + at, sizeof(k->log) - at, "%s%s %s", at ? ", " : "", what, value);
}

/* The driver that takes a VF: none without autoprobe, unless its override names one. */
static inline void probe(struct kernel *k, const char *address)
{
	CLEANUP_FREE char *link = mem_printf("sys/bus/pci/devices/%s/driver", address);
	CLEANUP_FREE char *path = mem_printf("sys/bus/pci/devices/%s/driver_override", address);
	char override[64];

	if (scratch_has(&k->n.t, link) ||
		root_read(&k->n.t.root, path, override, sizeof(override)) < 0)
		return;
	if (override[0] && strcmp(override, "(null)") != 0)
		nics_bind(&k->n, address, override);
	else if (k->autoprobe || !strcmp(address, NIC_PF))
		nics_bind(&k->n, address, "igbvf");
	else
		return;
	if (root_link_name(&k->n.t.root, link, override, sizeof(override)) > 0)
		note(k, override, address);
}

static inline long set_count(struct kernel *k, const char *value)
{
	unsigned count = (unsigned)atoi(value);

	note(k, "numvfs", value);
	if (count == k->vfs)
		return 0;
	if (count && k->vfs)
		return -EBUSY;
	if (count > k->most && !k->makes_fewer)
		return -k->refuses;
	k->vfs = count > k->most ? k->most : count;
	nics_set_vfs(&k->n, k->vfs, "");
	for (unsigned i = 0; i < k->vfs && k->autoprobe; i++) {
		CLEANUP_FREE char *vf = nics_vf(i);

		nics_bind(&k->n, vf, "igbvf");
	}
	return 0;
}

static inline long unbind(struct kernel *k, const char *address)
{
	nics_bind(&k->n, address, "");
	return 0;
}

/* What the attributes show, after they were opened for writing. */
static inline void show(struct kernel *k)
{
	nics_show_count(&k->n, k->vfs);
	nics_put(&k->n, k->autoprobe ? "1\n" : "0\n",
		"sys/devices/" NIC_BRIDGE NIC_PF "/sriov_drivers_autoprobe");
}

/* A write to a file below sys/: what it returns. */
static inline long told(struct kernel *k, const char *path, const char *value)
{
	const char *name = strrchr(path, '/') + 1;
	long rc = 0;

	if (!strcmp(name, "sriov_numvfs")) {
		rc = set_count(k, value);
	} else if (!strcmp(name, "sriov_drivers_autoprobe")) {
		k->autoprobe = value[0] == '1';
		note(k, "autoprobe", value);
	} else if (!strcmp(name, "drivers_probe")) {
		probe(k, value);
	} else if (!strcmp(name, "unbind")) {
		rc = unbind(k, value);
	} else if (!strcmp(name, "driver_override")) {
		FILE *f = fopen(path, "we");

		assert_non_null(f);
		fputs(value[0] == '\n' ? "(null)\n" : value, f);
		fclose(f);
	}
	show(k);
	return rc ? rc : (long)strlen(value);
}

static inline int work(void *ctx)
{
	struct kernel *k = ctx;
	struct kmodules modules;
	struct session s;
	struct err e = {0};
	int rc;

	kmodules_init(&modules, &k->n.t.root, "6.12");
	rc = k->retry ? session_run(&s, &k->n.node, &modules, 0, &e)
		      : session_pass(&s, &k->n.node, &modules, 0, &e);
	if (rc < 0)
		fprintf(stderr, "%s\n", e.text);
	else
		rc = (int)s.result.nics;
	session_end(&s);
	return rc < 0 ? 50 : rc;
}

static inline void read_text(pid_t pid, unsigned long long at, size_t n, char *out, size_t cap)
{
	size_t i;

	for (i = 0; i < n && i < cap - 1; i++)
		out[i] = (char)(ptrace(PTRACE_PEEKDATA, pid, (void *)(uintptr_t)(at + i), NULL) &
				0xff);
	out[i] = 0;
}

/* At the entry of a write: the kernel does it where it is one to sysfs. */
static inline bool is_told(struct kernel *k, pid_t pid)
{
	struct user_regs_struct regs;
	char link[64], path[512], value[128];
	ssize_t n;

	assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, &regs), 0);
	snprintf(link, sizeof(link), "/proc/%ld/fd/%d", (long)pid, (int)regs.rdi);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return false;
	path[n] = 0;
	if (strncmp(path, k->n.t.dir, strlen(k->n.t.dir)) != 0 ||
		strncmp(path + strlen(k->n.t.dir), "/sys/", 5) != 0)
		return false;
	read_text(pid, regs.rsi, regs.rdx, value, sizeof(value));
	traced_return(pid, told(k, path, value));
	return true;
}

static inline bool is_change(long call)
{
	return call == SYS_write || call == SYS_rename || call == SYS_renameat ||
	       call == SYS_renameat2 || call == SYS_unlink || call == SYS_unlinkat;
}

/* One pass; killed before its change number `kill_at`. Its exit code: NICs that have not what is
 * wanted; -1 when it was killed. */
static inline int pass(struct kernel *k, int kill_at)
{
	int status;
	pid_t pid;

	k->changes = 0;
	pid = traced_start(work, k);
	while (traced_next(pid, &status)) {
		long call = traced_call(pid);

		if (is_change(call) && k->changes++ == kill_at) {
			traced_kill(pid);
			show(k);
			return -1;
		}
		if (call == SYS_write && is_told(k, pid))
			continue;
		if (!traced_next(pid, &status))
			break;
	}
	assert_true(WIFEXITED(status));
	assert_in_range(WEXITSTATUS(status), 0, 49);
	return WEXITSTATUS(status);
}

static inline void open_kernel(struct kernel *k)
{
	*k = (struct kernel){.autoprobe = true, .most = NIC_TOTAL, .retry = true};
	nics_open(&k->n);
}

#endif

#endif
