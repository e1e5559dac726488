// SPDX-License-Identifier: GPL-2.0-or-later
// Entering a sandbox: no_new_privs and capabilities here, then files, then system calls.
#include "base/sandbox_impl.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CAP_WORDS = _LINUX_CAPABILITY_U32S_3, CAP_BITS = 64 };

struct caps {
	uint64_t effective, permitted, inheritable;
};

static int get_caps(struct caps *c)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[CAP_WORDS];

	if (syscall(SYS_capget, &head, data) < 0)
		return -1;
	*c = (struct caps){
		data[0].effective | (uint64_t)data[1].effective << 32,
		data[0].permitted | (uint64_t)data[1].permitted << 32,
		data[0].inheritable | (uint64_t)data[1].inheritable << 32,
	};
	return 0;
}

static int set_caps(const struct caps *c)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[CAP_WORDS] = {
		{(uint32_t)c->effective, (uint32_t)c->permitted, (uint32_t)c->inheritable},
		{(uint32_t)(c->effective >> 32), (uint32_t)(c->permitted >> 32),
			(uint32_t)(c->inheritable >> 32)},
	};

	return (int)syscall(SYS_capset, &head, data);
}

/* False when the process may not, or when the kernel did not do it. */
static bool reduce_bounding(uint64_t keep)
{
	for (int cap = 0; cap < CAP_BITS; cap++) {
		int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (has < 0)
			return cap > 0; /* the kernel has no more of them */
		if (has && !(keep >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return false;
	}
	return true;
}

/* The bounding set first: dropping from it takes CAP_SETPCAP. Ambient ones go with the inheritable
 * ones (capabilities(7)), and are cleared by name all the same. */
static int reduce_caps(uint64_t keep, struct sandbox_result *out, struct err *e)
{
	struct caps c;

	out->bounding = reduce_bounding(keep);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return err_sys(e, "clear ambient capabilities");
	if (get_caps(&c) < 0)
		return err_sys(e, "look at capabilities");
	c.permitted &= keep;
	c.effective = c.permitted;
	c.inheritable = 0;
	if (set_caps(&c) < 0 || get_caps(&c) < 0)
		return err_sys(e, "give up capabilities");
	if (c.permitted & ~keep || c.inheritable)
		return err_set(e, "give up capabilities: the kernel left some");
	out->capabilities = c.permitted;
	return 0;
}

int sandbox_enter(const struct sandbox *s, struct sandbox_result *out, struct err *e)
{
	*out = (struct sandbox_result){0};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "set no_new_privs");
	if (sandbox_landlock(s, out, e) < 0 || reduce_caps(s->capabilities, out, e) < 0)
		return -1;
	return sandbox_seccomp(s, out, e);
}

/* include/uapi/linux/capability.h, in order. */
static const char *const cap_names[] = {"chown", "dac_override", "dac_read_search", "fowner",
	"fsetid", "kill", "setgid", "setuid", "setpcap", "linux_immutable", "net_bind_service",
	"net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio",
	"sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
	"sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write",
	"audit_control", "setfcap", "mac_override", "mac_admin", "syslog", "wake_alarm",
	"block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore"};

static void describe_caps(const struct sandbox_result *r, struct buf *out)
{
	buf_str(out, "capabilities:");
	if (!r->capabilities)
		buf_str(out, " none");
	for (unsigned i = 0; i < CAP_BITS; i++) {
		if (!(r->capabilities >> i & 1))
			continue;
		if (i < ARRAY_LEN(cap_names))
			buf_printf(out, " %s", cap_names[i]);
		else
			buf_printf(out, " %u", i);
	}
	if (!r->bounding)
		buf_str(out, " (bounding set as it was)");
}

static void describe_landlock(const struct sandbox_result *r, struct buf *out)
{
	if (!r->landlock) {
		buf_printf(out, "; no landlock (%s)", r->why_no_landlock);
		return;
	}
	buf_printf(out, "; landlock ABI %d: %u paths", r->landlock, r->paths);
	if (r->missing)
		buf_printf(out, " (%u missing)", r->missing);
	if (r->tcp)
		buf_str(out, ", TCP");
	if (r->devices)
		buf_str(out, ", devices");
	if (r->scope)
		buf_str(out, ", signals");
}

void sandbox_describe(const struct sandbox_result *r, struct buf *out)
{
	describe_caps(r, out);
	describe_landlock(r, out);
	if (r->calls)
		buf_printf(out, "; seccomp: %u calls", r->calls);
	else
		buf_printf(out, "; no seccomp (%s)", r->why_no_seccomp);
}
