// SPDX-License-Identifier: GPL-2.0-or-later
// Files: Landlock (Documentation/userspace-api/landlock.rst), as much of it as the kernel has.
#include "base/sandbox_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* include/uapi/linux/landlock.h of Linux 6.15; what we build with may have an older one. */
enum {
	CREATE_VERSION = 1 << 0, /* LANDLOCK_CREATE_RULESET_VERSION */
	RULE_PATH_BENEATH = 1,
};

#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)
#define FS_REMOVE_DIR (1ull << 4)
#define FS_REMOVE_FILE (1ull << 5)
#define FS_MAKE_DIR (1ull << 7)
#define FS_MAKE_REG (1ull << 8)
#define FS_MAKE_SYM (1ull << 12)
#define FS_ABI_1 ((1ull << 13) - 1)
#define FS_REFER (1ull << 13)     /* ABI 2 */
#define FS_TRUNCATE (1ull << 14)  /* ABI 3 */
#define FS_IOCTL_DEV (1ull << 15) /* ABI 5 */

#define NET_TCP (3ull)   /* bind, connect: ABI 4 */
#define SCOPE_ALL (3ull) /* abstract unix sockets, signals: ABI 6 */

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct path_beneath_attr {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

/* Which of the attribute's fields an ABI knows. */
static size_t attr_size(int abi)
{
	return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
}

static uint64_t known_fs(int abi)
{
	return FS_ABI_1 | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) |
	       (abi >= 5 ? FS_IOCTL_DEV : 0);
}

static uint64_t access_of(unsigned rights)
{
	uint64_t access = 0;

	if (rights & SANDBOX_READ)
		access |= FS_READ_FILE | FS_READ_DIR;
	if (rights & SANDBOX_WRITE)
		access |= FS_WRITE_FILE | FS_TRUNCATE;
	if (rights & SANDBOX_MAKE)
		access |= FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_SYM |
			  FS_REFER;
	if (rights & SANDBOX_DEVICE)
		access |= FS_IOCTL_DEV;
	return access;
}

/* What a rule on a file may have. */
#define FS_OF_FILES (FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

static int add_path(int ruleset, uint64_t known, const struct root *r, const struct sandbox_path *p,
	struct sandbox_result *out, struct err *e)
{
	CLEANUP_CLOSE int fd = root_open(r, p->path, O_PATH, 0);
	struct path_beneath_attr rule = {access_of(p->rights) & known, fd};
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		out->missing++;
		return 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open /%s for the sandbox", p->path);
	if (!S_ISDIR(st.st_mode))
		rule.allowed &= FS_OF_FILES;
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0)
		return err_sys(e, "allow /%s in the sandbox", p->path);
	out->paths++;
	return 0;
}

/* The ABI of the kernel; 0 and why not. */
static int ask_abi(struct sandbox_result *out)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
	const char *why = strerror(errno);

	if (abi > 0)
		return (int)abi;
	if (errno == ENOSYS)
		why = "this kernel does not have it";
	else if (errno == EOPNOTSUPP)
		why = "it was not enabled at boot: lsm=";
	snprintf(out->why_no_landlock, sizeof(out->why_no_landlock), "%s", why);
	return 0;
}

int sandbox_landlock(const struct sandbox *s, struct sandbox_result *out, struct err *e)
{
	int abi = s->root ? ask_abi(out) : 0;
	struct ruleset_attr attr = {known_fs(abi), NET_TCP, SCOPE_ALL};
	CLEANUP_CLOSE int ruleset = -1;

	if (!s->root)
		snprintf(out->why_no_landlock, sizeof(out->why_no_landlock), "not asked for");
	if (!abi)
		return 0;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, attr_size(abi), 0);
	if (ruleset < 0)
		return err_sys(e, "make a Landlock ruleset");
	for (size_t i = 0; i < s->paths; i++)
		if (add_path(ruleset, attr.fs, s->root, &s->path[i], out, e) < 0)
			return -1;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return err_sys(e, "enter the Landlock ruleset");
	out->landlock = abi;
	out->tcp = abi >= 4;
	out->devices = abi >= 5;
	out->scope = abi >= 6;
	return 0;
}
