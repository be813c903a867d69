"""Tries what a service may not do, one word a line: sandbox-try.py FOLDER, a folder that the account may write to."""
import ctypes
import mmap
import os
import shutil
import subprocess
import sys

folder = sys.argv[1]


def run(*words, env=None):
    done = subprocess.run(words, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(done.stderr)
    return done.stdout


def write(path):
    with open(path, "w") as out:
        out.write("x")
    os.remove(path)


def own_program():
    path = os.path.join(folder, "program")
    shutil.copy("/usr/bin/true", path)
    os.chmod(path, 0o755)
    run(path)


def own_library():
    path = os.path.join(folder, "library.so")
    shutil.copy(os.path.realpath("/lib/x86_64-linux-gnu/libz.so.1") if os.path.exists("/lib/x86_64-linux-gnu/libz.so.1") else os.path.realpath("/lib/aarch64-linux-gnu/libz.so.1"), path)
    ctypes.CDLL(path)


def other_account():
    if os.geteuid() == int(run("/usr/local/bin/vestal-try-id", "-u")):
        raise OSError("still the same account")


TRIES = {
    "own-folder": lambda: write(os.path.join(folder, "file")),
    "outside": lambda: write("/srv/vestal-try-open/file"),
    "memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
    "program": own_program,
    "library": own_library,
    "account": other_account,
    "namespace": lambda: run("/usr/bin/unshare", "--user", "true"),
}

for name, attempt in TRIES.items():
    try:
        attempt()
        print(name)
    except Exception as error:
        print(f"{name}: {error}", file=sys.stderr)
