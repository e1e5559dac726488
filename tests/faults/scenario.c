// SPDX-License-Identifier: GPL-2.0-or-later
// The table of scenarios, on the machine of machine.yaml.
#include "scenario.h"

#define DISK "0000:00:03.0"
#define ROOT_DISK "0000:00:02.0"
#define NIC "0000:00:06.0"
#define GPU "0000:01:00.0"
#define SOUND "0000:01:00.1"
#define USB "0000:01:00.2"
#define UCSI "0000:01:00.3"
#define E1000 "0000:05:01.0"
#define VIRTIO "0000:05:02.0"

/* Observed before, as every node is that has been up for a moment: then only changes are written.
 */
#define SEEN "vfiobox pcid apply"

const struct scenario scenarios[] = {
	{
		.name = "claim one",
		.start = "override " DISK " nvme",
		.command = "pcid claim " DISK,
		.touches = DISK,
		.makes = DISK,
	},
	{
		.name = "claim one of a group of four",
		.start = "override " USB " xhci_hcd\n" SEEN,
		.command = "pcid claim " SOUND,
		.touches = GPU,
		.makes = SOUND,
	},
	{
		.name = "claim two groups at once",
		.start = "vfiobox pcid claim " NIC,
		.command = "pcid claim " DISK " " E1000,
		.touches = DISK " " E1000,
		.makes = DISK " " E1000,
	},
	{
		.name = "claim one more of a claimed group",
		.start = "vfiobox pcid claim " GPU,
		.command = "pcid claim " UCSI,
		.makes = UCSI,
	},
	{
		.name = "release one",
		.start = "override " DISK " nvme\nvfiobox pcid claim " DISK " " NIC,
		.command = "pcid release " DISK,
		.touches = DISK,
		.drops = DISK,
	},
	{
		.name = "release a group of four",
		.start = "override " USB " xhci_hcd\nvfiobox pcid claim " GPU,
		.command = "pcid release " GPU,
		.touches = GPU,
		.drops = GPU,
	},
	{
		.name = "release two groups at once",
		.start = "vfiobox pcid claim " DISK " " E1000,
		.command = "pcid release " DISK " " E1000,
		.touches = DISK " " E1000,
		.drops = DISK " " E1000,
	},
	{
		.name = "release one of two claims of a group",
		.start = "vfiobox pcid claim " E1000 " " VIRTIO,
		.command = "pcid release " E1000,
		.drops = E1000,
	},
	{
		.name = "apply a batch, one refused",
		.start = SEEN "\nwish " GPU "\nwish " ROOT_DISK "\nwish " DISK "\nwish " VIRTIO,
		.command = "pcid apply",
		.touches = GPU " " DISK " " VIRTIO,
		.refused = ROOT_DISK,
	},
	{
		.name = "apply after wishes went",
		.start = "wish " GPU "\nwish " DISK "\nwish " NIC
			 "\nvfiobox pcid apply\nunwish " GPU "\nunwish " DISK,
		.command = "pcid apply",
		.touches = GPU " " DISK,
	},
	{
		.name = "apply gives one back and takes another",
		.start = "wish " E1000 "\nvfiobox pcid apply\nunwish " E1000 "\nwish " DISK,
		.command = "pcid apply",
		.touches = E1000 " " DISK,
	},
	{
		.name = "the daemon takes one and gives one back",
		.start = "wish " E1000 "\nvfiobox pcid apply\nunwish " E1000 "\nwish " DISK,
		.command = "pcid daemon --once",
		.touches = E1000 " " DISK,
		.heals = true,
	},
	{
		.name = "early binds what was bound before",
		.start = "wish " GPU "\nvfiobox pcid apply\nboot",
		.command = "pcid early --stage 2",
		.touches = GPU,
		.cold = true,
		.heals = true,
	},
	{
		.name = "make VFs",
		.start = SEEN,
		.command = "pcid vfs enp6s0 3",
		.touches = NIC,
	},
	{
		.name = "take VFs away",
		.start = "vfiobox pcid vfs enp6s0 2",
		.command = "pcid vfs enp6s0 0",
		.touches = NIC,
	},
	{
		.name = "another number of VFs",
		.start = "vfiobox pcid vfs enp6s0 2",
		.command = "pcid vfs enp6s0 3",
		.touches = NIC,
	},
	{
		.name = "adopt what another agent bound",
		.start = "adopt " DISK " nvme\nbind " DISK "\nbind " NIC,
		.command = "pcid apply",
		.touches = DISK,
	},
	{
		.name = "release what was adopted",
		.start = "adopt " DISK " nvme\nbind " DISK "\nvfiobox pcid apply\nunwish " DISK,
		.command = "pcid apply",
		.touches = DISK,
	},
	{
		.name = "claim a group whose last member fails",
		.start = "override " USB " xhci_hcd\noverride " UCSI " i2c_nvidia\nrefuse " UCSI
			 "\n" SEEN,
		.command = "pcid claim " GPU,
		.touches = GPU,
		.makes = GPU,
		.deaf = UCSI,
	},
	{
		.name = "claim a group whose first member fails, and another",
		.start = "refuse " E1000 "\n" SEEN,
		.command = "pcid claim " VIRTIO " " DISK,
		.touches = VIRTIO " " DISK,
		.makes = VIRTIO " " DISK,
		.deaf = E1000,
	},
};

const size_t scenarios_count = ARRAY_LEN(scenarios);

bool scenario_has(const char *list, const char *word)
{
	struct str rest = str_of(list ? list : ""), one;

	while (str_word(&rest, &one))
		if (str_is(one, word))
			return true;
	return false;
}
