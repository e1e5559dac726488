# SPDX-License-Identifier: GPL-2.0-or-later
# Writes files, directories and relative links below one directory, as sysfs and /proc have them.
import os


def relative(directory, target):
    """The link text that leads from `directory` to `target`, both below the same root; as the kernel's
    (fs/kernfs/symlink.c) it ends in the target's own name, also of a directory above."""
    here, there = directory.split("/"), target.split("/")
    n = 0
    while n < min(len(here), len(there) - 1) and here[n] == there[n]:
        n += 1
    return "/".join([".."] * (len(here) - n) + there[n:])


class FileTree:
    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.made = set()
        os.makedirs(self.root, exist_ok=True)

    def path(self, path):
        return f"{self.root}/{path}"

    def dir(self, path):
        if path not in self.made:
            os.makedirs(self.path(path), exist_ok=True)
            self.made.add(path)
        return path

    def put(self, path, content):
        """An attribute: text gets its newline here; bytes are written as they are."""
        self.dir(path.rpartition("/")[0])
        data = content if isinstance(content, bytes) else f"{content}\n".encode()
        fd = os.open(self.path(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.write(fd, data)
        os.close(fd)

    def attributes(self, directory, values):
        for name, value in values.items():
            self.put(f"{directory}/{name}", value)

    def link(self, path, target):
        """A relative link at `path` to `target`, which is a path below the root."""
        directory = self.dir(path.rpartition("/")[0])
        os.symlink(relative(directory, target), self.path(path))

    def raw_link(self, path, text):
        self.dir(path.rpartition("/")[0])
        os.symlink(text, self.path(path))
