// SPDX-License-Identifier: GPL-2.0-or-later
// Questions to the reader and its answers, as bytes.
#include "pci/reader_impl.h"

#include <stdio.h>

/* Cuts the head off. */
static bool take_head(struct str *bytes, struct reader_head *h)
{
	if (bytes->n < sizeof(*h))
		return false;
	memcpy(h, bytes->p, sizeof(*h));
	bytes->p += sizeof(*h);
	bytes->n -= sizeof(*h);
	return h->magic == READER_MAGIC;
}

static bool has_entries(struct str bytes, uint32_t count, size_t size, size_t max)
{
	return count <= max && bytes.n == count * size;
}

static bool is_text(const char *p, size_t cap)
{
	return memchr(p, 0, cap) != NULL;
}

static const struct pci_dev *parse_function(const char *at, struct arena *mem)
{
	struct reader_function f;
	struct pci_dev *d = arena_alloc(mem, sizeof(*d));

	memcpy(&f, at, sizeof(f));
	if (!is_text(f.address, sizeof(f.address)) ||
		!pci_addr_parse(str_of(f.address), &d->addr) || f.group < PCI_NO_GROUP ||
		f.on_vfio > 1)
		return NULL;
	pci_addr_format(d->addr, d->name);
	d->group = f.group;
	d->driver = f.on_vfio ? "vfio-pci" : "";
	return d;
}

int reader_request_parse(
	struct reader_request *q, const void *bytes, size_t len, struct arena *mem, struct err *e)
{
	struct str rest = {bytes, len};
	struct reader_head h;

	if (!take_head(&rest, &h) || (h.kind != READER_HOLDERS && h.kind != READER_CONFIG) ||
		!h.count || (h.kind == READER_CONFIG && h.count != 1) ||
		!has_entries(rest, h.count, sizeof(struct reader_function), READER_FUNCTIONS_MAX))
		return err_set(e, "a question to the reader is not well formed");
	*q = (struct reader_request){.kind = h.kind, .n = h.count};
	q->dev = arena_alloc(mem, q->n * sizeof(struct pci_dev *));
	for (size_t i = 0; i < q->n; i++) {
		q->dev[i] = parse_function(rest.p + i * sizeof(struct reader_function), mem);
		if (!q->dev[i])
			return err_set(e, "a question to the reader names no function");
	}
	return 0;
}

static void write_head(struct buf *out, enum reader_kind kind, size_t count, int no)
{
	struct reader_head h = {READER_MAGIC, kind, (uint32_t)count, (uint32_t)no};

	buf_clear(out);
	buf_add(out, &h, sizeof(h));
}

void reader_request_write(
	struct buf *out, enum reader_kind kind, const struct pci_dev *const *dev, size_t n)
{
	write_head(out, kind, n, 0);
	for (size_t i = 0; i < n; i++) {
		struct reader_function f = {
			.group = dev[i]->group, .on_vfio = !strcmp(dev[i]->driver, "vfio-pci")};

		snprintf(f.address, sizeof(f.address), "%s", dev[i]->name);
		buf_add(out, &f, sizeof(f));
	}
}

static int parse_holders(
	struct reader_answer *a, struct str bytes, uint32_t count, struct arena *mem, struct err *e)
{
	if (!has_entries(bytes, count, sizeof(struct reader_holder), READER_HOLDERS_MAX))
		return err_set(e, "the reader's answer is cut");
	a->holders = count;
	a->holder = arena_alloc(mem, (count + 1) * sizeof(*a->holder));
	for (size_t i = 0; i < count; i++) {
		struct reader_holder h;

		memcpy(&h, bytes.p + i * sizeof(h), sizeof(h));
		if (h.group < 0 || h.pid < 0 || !is_text(h.program, sizeof(h.program)))
			return err_set(e, "the reader's answer names no process");
		a->holder[i] = (struct holder){
			h.group, h.pid, arena_dup(mem, h.program, strlen(h.program))};
	}
	return 0;
}

int reader_answer_parse(struct reader_answer *a, enum reader_kind kind, const void *bytes,
	size_t len, struct arena *mem, struct err *e)
{
	struct str rest = {bytes, len};
	struct reader_head h;

	*a = (struct reader_answer){0};
	if (!take_head(&rest, &h))
		return err_set(e, "the reader's answer is no answer");
	if (h.kind == READER_FAILED && has_entries(rest, h.count, 1, sizeof(e->text) - 1)) {
		err_set(e, "%.*s", STR_ARG(rest));
		e->no = (int)(h.no & 0xfff);
		return 1;
	}
	if (h.kind != kind)
		return err_set(e, "the reader's answer is to another question");
	if (kind == READER_HOLDERS)
		return parse_holders(a, rest, h.count, mem, e);
	if (!has_entries(rest, h.count, 1, PCI_CONFIG_SIZE))
		return err_set(e, "the reader's answer is cut");
	a->config = rest;
	return 0;
}

/* Left out, a holder would be a group that is free. */
void reader_answer_holders(struct buf *out, const struct holder *h, size_t n)
{
	struct err e;

	if (n > READER_HOLDERS_MAX) {
		err_set(&e, "more than %d holders", READER_HOLDERS_MAX);
		reader_answer_failed(out, &e);
		return;
	}
	write_head(out, READER_HOLDERS, n, 0);
	for (size_t i = 0; i < n; i++) {
		struct reader_holder entry = {.group = h[i].group, .pid = h[i].pid};

		snprintf(entry.program, sizeof(entry.program), "%s", h[i].program);
		buf_add(out, &entry, sizeof(entry));
	}
}

void reader_answer_config(struct buf *out, const uint8_t *bytes, size_t n)
{
	write_head(out, READER_CONFIG, n, 0);
	buf_add(out, bytes, n);
}

void reader_answer_failed(struct buf *out, const struct err *why)
{
	size_t n = strlen(why->text);

	write_head(out, READER_FAILED, n, why->no);
	buf_add(out, why->text, n);
}
