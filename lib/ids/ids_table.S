// SPDX-License-Identifier: GPL-2.0-or-later
// The built-in table of names, in a section of its own.
	.section .ids, "a", %progbits
	.balign 8
	.globl ids_table_start
	.hidden ids_table_start
ids_table_start:
	.incbin "ids.bin"
	.globl ids_table_end
	.hidden ids_table_end
ids_table_end:
	.section .note.GNU-stack, "", %progbits
