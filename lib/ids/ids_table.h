// SPDX-License-Identifier: GPL-2.0-or-later
// The table's form, shared by its maker and its reader. Little-endian; parts are found by their
// offset from the table's start, texts by theirs from the start of the texts:
//   u32 magic, u32 size, u32 words, u32 number of words, u32 texts,
//   per kind: u32 parents, u32 number of them, u32 children, u32 number of them,
//   parents {u16 id, u24 text, u24 first child} by id, and one more as an end mark,
//   children {u16 id, u24 text} by parent, then id,
//   words {u24 text},
//   texts, each once, ended by a 0.
// Many names share words. In a name's text, a byte from 80 to ff and the one after it are the
// number of a word (the high bit off, the first byte the higher one), 01 says that the next byte is
// itself, and every other byte is itself. A word's text has no such codes.
#ifndef IDS_IDS_TABLE_H
#define IDS_IDS_TABLE_H

#include "base/base.h"

enum ids_kind {
	IDS_PCI_VENDORS, /* children: devices */
	IDS_PCI_CLASSES, /* children: subclasses */
	IDS_USB_VENDORS, /* children: products */
	IDS_USB_CLASSES, /* children: subclasses */
	IDS_KINDS
};

enum {
	IDS_MAGIC = 0x32534449, /* "IDS2" */
	IDS_HEADER = 20,
	IDS_KIND_SIZE = 16,
	IDS_PARENT_SIZE = 8,
	IDS_CHILD_SIZE = 5,
	IDS_WORD_SIZE = 3,
	IDS_WORD_CODE = 0x80,
	IDS_LITERAL_CODE = 0x01,
	IDS_MAX_WORDS = 0x8000,
	IDS_MAX_TEXTS = 0xffffff, /* u24 */
};

static inline uint16_t ids_get16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t ids_get24(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

static inline uint32_t ids_get32(const unsigned char *p)
{
	return ids_get24(p) | (uint32_t)p[3] << 24;
}

#endif
