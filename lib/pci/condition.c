// SPDX-License-Identifier: GPL-2.0-or-later
// Names of conditions and reasons.
#include "pci/condition.h"

const char *condition_type_name(enum condition_type t)
{
	static const char *const names[CONDITION_TYPES] = {
		[COND_OFFERED] = "Offered",
		[COND_PRESENT] = "Present",
		[COND_ACCEPTED] = "Accepted",
		[COND_BOUND] = "Bound",
		[COND_RELEASED] = "Released",
		[COND_APPLIED] = "Applied",
	};

	return names[t];
}

const char *reason_name(enum reason r)
{
	static const char *const names[REASONS] = {
#define X(id, name) [id] = (name),
		PCI_REASONS(X)
#undef X
	};

	return names[r];
}

bool reason_parse(struct str s, enum reason *out)
{
	for (int r = 0; r < REASONS; r++) {
		if (str_is(s, reason_name((enum reason)r))) {
			*out = (enum reason)r;
			return true;
		}
	}
	return false;
}

bool reason_waits(enum reason r)
{
	return r == REASON_PENDING || r == REASON_IN_USE || r == REASON_RELEASING ||
	       r == REASON_ALLOCATED;
}

bool reason_can_override(enum reason r)
{
	return r > REASON_DEFAULT_ROUTE && r <= REASON_BRIDGE_FUNCTION;
}

bool reasons_parse(struct str s, uint64_t *out)
{
	uint64_t mask = 0;
	struct str name;
	enum reason r;

	while (str_cut(&s, ',', &name)) {
		if (!reason_parse(name, &r) || r > REASON_BRIDGE_FUNCTION)
			return false;
		mask |= (uint64_t)1 << r;
	}
	*out = mask;
	return true;
}
