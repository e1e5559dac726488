// SPDX-License-Identifier: GPL-2.0-or-later
// The command line that all applets share.
#include "base/cli.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

enum { OPT_ROOT = 256, OPT_NODE, OPT_IDS, OPT_HELP, OPT_VERBOSE, OPT_OUTPUT, OPT_OWN };

static const struct option shared[] = {
	{"root", required_argument, NULL, OPT_ROOT},
	{"node", required_argument, NULL, OPT_NODE},
	{"ids", required_argument, NULL, OPT_IDS},
	{"output", required_argument, NULL, OPT_OUTPUT},
	{"verbose", no_argument, NULL, OPT_VERBOSE},
	{"help", no_argument, NULL, OPT_HELP},
};

static int parse_output(struct cli *c, const char *word, struct err *e)
{
	static const char *const words[] = {
		[OUTPUT_TABLE] = "table",
		[OUTPUT_WIDE] = "wide",
		[OUTPUT_JSON] = "json",
		[OUTPUT_YAML] = "yaml",
		[OUTPUT_NAME] = "name",
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!strcmp(word, words[i])) {
			c->output = (enum cli_output)i;
			return 0;
		}
	}
	return err_set(e, "-o %s: one of table, wide, json, yaml, name", word);
}

static struct option *all_options(const struct cli_option *own, size_t n_own)
{
	struct option *o = mem_alloc((ARRAY_LEN(shared) + n_own + 1) * sizeof(*o));

	memcpy(o, shared, sizeof(shared));
	for (size_t i = 0; i < n_own; i++)
		o[ARRAY_LEN(shared) + i] = (struct option){own[i].name,
			own[i].has_arg ? required_argument : no_argument, NULL, OPT_OWN + (int)i};
	return o;
}

static int take(struct cli *c, int opt, const struct cli_option *own, char **argv, struct err *e)
{
	switch (opt) {
	case OPT_ROOT:
		c->root = optarg;
		return 0;
	case OPT_NODE:
		c->node = optarg;
		return 0;
	case OPT_IDS:
		c->ids = optarg;
		return 0;
	case 'o':
	case OPT_OUTPUT:
		return parse_output(c, optarg, e);
	case 'v':
	case OPT_VERBOSE:
		c->verbose = true;
		return 0;
	case 'h':
	case OPT_HELP:
		c->help = true;
		return 0;
	case ':':
		return err_set(e, "option %s wants a value", argv[optind - 1]);
	case '?':
		return err_set(e, "unknown option %s", argv[optind - 1]);
	default:
		*own[opt - OPT_OWN].value = own[opt - OPT_OWN].has_arg ? optarg : "";
		return 0;
	}
}

static bool verb_takes(const char *verbs, const char *verb)
{
	struct str rest = str_of(verbs), word;

	while (str_word(&rest, &word))
		if (str_is(word, verb))
			return true;
	return false;
}

static int check_own(const struct cli *c, const struct cli_option *own, size_t n_own, struct err *e)
{
	for (size_t i = 0; c->verb && i < n_own; i++)
		if (*own[i].value && !verb_takes(own[i].verbs, c->verb))
			return err_set(e, "%s does not take --%s", c->verb, own[i].name);
	return 0;
}

/* getopt_long() has moved what is no option to the end. */
static void take_words(struct cli *c, int argc, char **argv)
{
	if (optind >= argc)
		return;
	c->verb = argv[optind];
	c->arg = argv + optind + 1;
	c->args = argc - optind - 1;
}

int cli_parse(struct cli *c, int argc, char **argv, const struct cli_option *own, size_t n_own,
	struct err *e)
{
	CLEANUP_FREE struct option *options = all_options(own, n_own);
	int opt;

	*c = (struct cli){.root = "/"};
	for (size_t i = 0; i < n_own; i++)
		*own[i].value = NULL;
	opterr = 0;
	optind = 0; /* both libcs start anew from this */
	while ((opt = getopt_long(argc, argv, ":o:vh", options, NULL)) != -1)
		if (take(c, opt, own, argv, e) < 0)
			return -1;
	take_words(c, argc, argv);
	return check_own(c, own, n_own, e);
}

static bool is_node_name(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++) {
		bool alnum = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9');
		bool edge = i == 0 || i + 1 == n || s[i - 1] == '.' || s[i + 1] == '.';

		if (!alnum && (edge || (s[i] != '-' && s[i] != '.')))
			return false;
	}
	return n > 0 && n <= 230; /* an object's name adds the address and has 253 at most */
}

int cli_node_name(const struct cli *c, char *out, size_t cap, struct err *e)
{
	const char *env = getenv("NODE_NAME"), *name = c->node ? c->node : env;
	char host[256];

	if (!name || (name == env && !*name)) {
		if (gethostname(host, sizeof(host)) < 0)
			return err_sys(e, "read the host's name");
		host[sizeof(host) - 1] = 0;
		for (char *p = host; *p; p++)
			*p = (char)tolower((unsigned char)*p);
		name = host;
	}
	if (!is_node_name(name) || strlen(name) >= cap) {
		err_set(e, "'%s' is no node name", name);
		return err_hint(e, "name the node as Kubernetes does: --node NAME");
	}
	memcpy(out, name, strlen(name) + 1);
	return 0;
}
