// SPDX-License-Identifier: GPL-2.0-or-later
// What the reader and who asks it say to each other: one packet a question, one an answer, in the
// byte order of the machine. Both check all of what they get.
#ifndef PCI_READER_IMPL_H
#define PCI_READER_IMPL_H

#include "pci/reader.h"

enum {
	READER_FUNCTIONS_MAX = 512, /* of one question */
	READER_HOLDERS_MAX = 1024,  /* of one answer */
	READER_PROGRAM_CAP = 96,
	READER_MAGIC = 0x76667264,
};

enum reader_kind { READER_HOLDERS = 1, READER_CONFIG, READER_FAILED };

struct reader_head {
	uint32_t magic, kind, count, no; /* no: errno, of READER_FAILED */
};

/* Of a question, `count` times. */
struct reader_function {
	char address[PCI_ADDR_CAP]; /* with NUL; the kernel's form, parsed again by the reader */
	int32_t group;              /* PCI_NO_GROUP or from 0 */
	uint32_t on_vfio;           /* 0, 1 */
};

/* Of an answer to READER_HOLDERS, `count` times; READER_CONFIG has `count` bytes, READER_FAILED
 * `count` bytes of text. */
struct reader_holder {
	int32_t group, pid;
	char program[READER_PROGRAM_CAP]; /* with NUL */
};

enum {
	READER_REQUEST_MAX =
		sizeof(struct reader_head) + READER_FUNCTIONS_MAX * sizeof(struct reader_function),
	READER_ANSWER_MAX =
		sizeof(struct reader_head) + READER_HOLDERS_MAX * sizeof(struct reader_holder),
};

/* A question that is well formed: the functions are made up from what it says, in `mem`. */
struct reader_request {
	enum reader_kind kind; /* READER_HOLDERS, READER_CONFIG */
	const struct pci_dev **dev;
	size_t n; /* one of READER_CONFIG */
};
int reader_request_parse(
	struct reader_request *q, const void *bytes, size_t len, struct arena *mem, struct err *e);
void reader_request_write(
	struct buf *out, enum reader_kind kind, const struct pci_dev *const *dev, size_t n);

/* An answer that is well formed, and to a question of `kind`. READER_FAILED is -1 with what it
 * says. Holders in `mem`; config bytes borrowed from `bytes`. */
struct reader_answer {
	struct holder *holder;
	size_t holders;
	struct str config;
};
int reader_answer_parse(struct reader_answer *a, enum reader_kind kind, const void *bytes,
	size_t len, struct arena *mem, struct err *e);
void reader_answer_holders(struct buf *out, const struct holder *h, size_t n);
void reader_answer_config(struct buf *out, const uint8_t *bytes, size_t n);
void reader_answer_failed(struct buf *out, const struct err *why);

/* The config space of a function, read in this process. */
ssize_t reader_config_here(
	const struct root *r, const char *address, uint8_t *out, size_t cap, struct err *e);

/* The reader's own life, on its end of the socket; does not return. */
void reader_serve(const struct root *r, int fd, int parent) __attribute__((noreturn));

#endif
