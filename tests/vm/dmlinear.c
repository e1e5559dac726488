// SPDX-License-Identifier: GPL-2.0-or-later
// dmlinear NAME DEVICE SECTORS: a device-mapper device over the first SECTORS of DEVICE; prints the
// name of its node (dm-0).
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

union request {
	struct dm_ioctl io;
	char bytes[1024];
};

static int dm(int control, unsigned long command, union request *r, const char *name)
{
	r->io.version[0] = DM_VERSION_MAJOR;
	r->io.data_size = sizeof(*r);
	r->io.data_start = sizeof(r->io);
	snprintf(r->io.name, sizeof(r->io.name), "%s", name);
	/* The type of ioctl()'s request differs between libcs. */
	if (syscall(SYS_ioctl, control, command, r) == 0)
		return 0;
	perror("device mapper");
	return -1;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	int control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (control < 0) {
		perror("/dev/mapper/control");
		return 1;
	}
	union request create = {.io.flags = 0}, load = {.io.flags = 0}, resume = {.io.flags = 0};
	struct dm_target_spec *target = (struct dm_target_spec *)(load.bytes + sizeof(load.io));
	load.io.target_count = 1;
	target->length = strtoull(argv[3], NULL, 10);
	strcpy(target->target_type, "linear");
	snprintf((char *)(target + 1), 256, "%s 0", argv[2]);
	if (dm(control, DM_DEV_CREATE, &create, argv[1]) ||
		dm(control, DM_TABLE_LOAD, &load, argv[1]) ||
		dm(control, DM_DEV_SUSPEND, &resume, argv[1]))
		return 1;
	printf("dm-%u\n", minor(create.io.dev));
	return 0;
}
