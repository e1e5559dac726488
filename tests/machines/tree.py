#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the description NAME.yaml beside this file into a tree of sys/, proc/, dev/, etc/ below DIR:
#     tree.py NAME DIR
#     tree.py FILE.yaml DIR             a description from elsewhere
#     tree.py --functions 10000 DIR     a generated host of that many PCI functions
#     tree.py --list
import argparse
import os
import sys

import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bighost  # noqa: E402
from filetree import FileTree  # noqa: E402
from hosttree import write_host  # noqa: E402
from pcitree import Machine, write_pci  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def names():
    return sorted(f[:-5] for f in os.listdir(HERE) if f.endswith(".yaml"))


def describe(name):
    path = name if name.endswith(".yaml") else f"{HERE}/{name}.yaml"
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def build(description, directory):
    """Writes the tree; returns the Machine, whose `functions` say what is in it."""
    tree = FileTree(directory)
    machine = Machine(description)
    write_pci(tree, machine)
    write_host(tree, machine)
    return machine


def main():
    parser = argparse.ArgumentParser(description="make a sysfs tree of a described host")
    parser.add_argument("--functions", type=int, metavar="N", help="a generated host of N functions")
    parser.add_argument("--list", action="store_true", help="names of the descriptions")
    parser.add_argument("words", nargs="*", metavar="NAME DIR")
    options = parser.parse_args()
    if options.list:
        print("\n".join(names()))
    elif options.functions and len(options.words) == 1:
        build(bighost.describe(options.functions), options.words[0])
    elif not options.functions and len(options.words) == 2 and (
            options.words[0] in names() or options.words[0].endswith(".yaml")):
        build(describe(options.words[0]), options.words[1])
    else:
        parser.error("want NAME DIR with NAME of --list, or --functions N DIR")


if __name__ == "__main__":
    main()
