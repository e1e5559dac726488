// SPDX-License-Identifier: GPL-2.0-or-later
// The table's form, shared by its maker and its reader. Little-endian, offsets from its start:
//   u32 magic, u32 size, then per kind u32 offset and count of parents and of children, then
//   parents {u32 name, u16 id, u16 length, u32 first child} by id, one more as an end mark,
//   children {u32 name, u16 id, u16 length} by parent, then id; then the names, each text once.
#ifndef IDS_IDS_TABLE_H
#define IDS_IDS_TABLE_H

#include "base/base.h"

enum ids_kind {
	IDS_PCI_VENDORS, /* children: devices */
	IDS_PCI_CLASSES, /* children: subclasses */
	IDS_USB_VENDORS, /* children: products */
	IDS_USB_CLASSES,
	IDS_KINDS
};

enum {
	IDS_MAGIC = 0x31534449, /* "IDS1" */
	IDS_HEADER = 8,
	IDS_KIND_SIZE = 16,
	IDS_PARENT_SIZE = 12,
	IDS_CHILD_SIZE = 8,
};

static inline uint16_t ids_get16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t ids_get32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

#endif
