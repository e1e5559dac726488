// SPDX-License-Identifier: GPL-2.0-or-later
// The table of applets, and what chooses one: the name this program was called by, or its first
// argument.
#include "applet.h"

#include "base/base.h"
#include "base/cli.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* One line per applet, sorted by name. */
extern const struct applet pcid_applet;

static const struct applet *const applets[] = {
	&pcid_applet,
};

static const struct applet *find_applet(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(applets); i++)
		if (!strcmp(applets[i]->name, name))
			return applets[i];
	return NULL;
}

static char *base_name(char *path)
{
	char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* What only the start needed to write, relocated pointers and tables of them, becomes read-only.
 * A dynamic loader would do this; musl's start of a static program does not. */
static void seal_relocated(void)
{
	extern const char __ehdr_start[] __attribute__((visibility("hidden")));
	const Elf64_Phdr *header = (const Elf64_Phdr *)getauxval(AT_PHDR);
	size_t count = getauxval(AT_PHNUM), page = getauxval(AT_PAGESZ);

	for (size_t i = 0; header && i < count; i++) {
		uintptr_t start = (uintptr_t)__ehdr_start + header[i].p_vaddr;
		uintptr_t end = (start + header[i].p_memsz) & -page;

		start &= -page;
		if (header[i].p_type == PT_GNU_RELRO && start < end)
			mprotect((void *)start, end - start, PROT_READ);
	}
}

static void print_usage(FILE *f)
{
	fputs("vfiobox " VFIOBOX_VERSION ": gives a node's devices to virtual machines\n"
	      "\n"
	      "Usage: vfiobox APPLET [VERB] [ARGUMENT]...\n"
	      "       vfiobox --list          names of the applets, one a line\n"
	      "       vfiobox --install DIR   a link in DIR for each applet\n"
	      "       vfiobox --version | --help\n"
	      "       APPLET [VERB] ...       by a link of that name\n"
	      "\n"
	      "Applets:\n",
		f);
	for (size_t i = 0; i < ARRAY_LEN(applets); i++)
		fprintf(f, "  %-10s %s\n", applets[i]->name, applets[i]->summary);
	fputs("\n`vfiobox APPLET --help` tells what an applet does.\n", f);
}

/* Output that did not reach its place (a full disk, say) is a failure. */
static int finish_output(void)
{
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "vfiobox: standard output: %s\n", strerror(errno));
		return CLI_FAILED;
	}
	return CLI_DONE;
}

static int wrong_call(const char *what, const char *name)
{
	fprintf(stderr, "vfiobox: %s: %s\n\n", name, what);
	print_usage(stderr);
	return CLI_USAGE;
}

/* The file that is running, as an absolute path; it need not be called vfiobox. */
static bool own_path(char *called, char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (n > 0) {
		path[n] = '\0';
		return true;
	}
	return strchr(called, '/') && realpath(called, path);
}

/* The link `name` in the open directory `dir`, shown as `shown`, to `target`. */
static int install_link(int dir, const char *shown, const char *name, const char *target)
{
	CLEANUP_FREE char *temporary = mem_printf(".%s.new", name);
	char old[PATH_MAX];
	struct stat st;
	bool there = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	ssize_t n;

	if (there && !S_ISLNK(st.st_mode)) {
		fprintf(stderr, "vfiobox: %s/%s: not a symbolic link, left as it is\n", shown,
			name);
		return CLI_FAILED;
	}
	n = there ? readlinkat(dir, name, old, sizeof(old)) : -1;
	if (n >= 0 && (size_t)n == strlen(target) && !memcmp(old, target, (size_t)n)) {
		printf("%s/%s: there already\n", shown, name);
		return CLI_DONE;
	}
	unlinkat(dir, temporary, 0);
	if (symlinkat(target, dir, temporary) || renameat(dir, temporary, dir, name)) {
		fprintf(stderr, "vfiobox: %s/%s: %s\n", shown, name, strerror(errno));
		unlinkat(dir, temporary, 0);
		return CLI_FAILED;
	}
	printf("%s/%s -> %s%s\n", shown, name, target, there ? " (was another link)" : "");
	return CLI_DONE;
}

static int install(char *called, const char *shown)
{
	CLEANUP_CLOSE int dir = open(shown, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char self[PATH_MAX], real[PATH_MAX];
	const char *target = self;
	int status = CLI_DONE;

	if (dir < 0 || !realpath(shown, real)) {
		fprintf(stderr, "vfiobox: --install %s: %s\n", shown, strerror(errno));
		return CLI_FAILED;
	}
	if (!own_path(called, self)) {
		fprintf(stderr,
			"vfiobox: --install: the path of this program is unknown without /proc; "
			"call it by its path\n");
		return CLI_FAILED;
	}
	if (strlen(real) == (size_t)(base_name(self) - 1 - self) &&
		!strncmp(self, real, strlen(real)))
		target = base_name(self);
	for (size_t i = 0; i < ARRAY_LEN(applets); i++)
		if (install_link(dir, shown, applets[i]->name, target))
			status = CLI_FAILED;
	return finish_output() ? CLI_FAILED : status;
}

static int print_list(void)
{
	for (size_t i = 0; i < ARRAY_LEN(applets); i++)
		puts(applets[i]->name);
	return finish_output();
}

/* vfiobox with arguments of its own, not through an applet's link. */
static int multicall(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : "--help";
	const struct applet *a = find_applet(first);

	if (a)
		return a->main(argc - 1, argv + 1);
	if (!strcmp(first, "--install"))
		return argc == 3 ? install(argv[0], argv[2])
				 : wrong_call("takes one directory", first);
	if (argc > 2)
		return wrong_call(*first == '-' ? "no such option, or it takes no argument"
						: "no such applet",
			first);
	if (!strcmp(first, "--list"))
		return print_list();
	if (!strcmp(first, "--version")) {
		puts("vfiobox " VFIOBOX_VERSION);
		return finish_output();
	}
	if (!strcmp(first, "--help") || !strcmp(first, "-h")) {
		print_usage(stdout);
		if (finish_output())
			return CLI_FAILED;
		return argc > 1 ? CLI_DONE : CLI_USAGE;
	}
	return wrong_call(*first == '-' ? "no such option" : "no such applet", first);
}

int main(int argc, char **argv)
{
	static char name[] = "vfiobox";
	const struct applet *a;

	seal_relocated();
	if (argc < 1)
		return multicall(1, (char *[]){name, NULL});
	argv[0] = *argv[0] ? argv[0] : name;
	a = find_applet(base_name(argv[0]));
	if (a) {
		argv[0] = base_name(argv[0]);
		return a->main(argc, argv);
	}
	if (strncmp(base_name(argv[0]), "vfiobox", 7))
		return wrong_call("no applet has this name", base_name(argv[0]));
	return multicall(argc, argv);
}
