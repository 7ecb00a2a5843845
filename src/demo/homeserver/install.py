"""Makes a virtual environment that holds one Synapse, once per cache folder.

Usage: install.py CACHE REQUIREMENT. Prints the environment's interpreter; a failure is one line on standard error.
Several programs may start this at once: the first one installs, the others wait for it. The lock is the kernel's,
so one who dies gives it up.
"""

import fcntl
import pathlib
import shutil
import subprocess
import sys
import time

# After a failure the next test files of the same run are told at once.
REMEMBERED_SECONDS = 60


def run(what, *command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        return
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines or ["no output"]
    raise RuntimeError(f"{what} failed: {errors[-1].strip()}")


def install(home, requirement):
    interpreter = home / "bin" / "python"
    ready, failed = home / "ready", home.with_suffix(".failed")
    if ready.exists() and ready.read_text() == requirement:
        return interpreter
    if failed.exists() and time.time() - failed.stat().st_mtime < REMEMBERED_SECONDS:
        raise RuntimeError(failed.read_text())
    try:
        shutil.rmtree(home, ignore_errors=True)
        run("making a virtual environment", sys.executable, "-m", "venv", str(home))
        pip = (str(interpreter), "-m", "pip", "--disable-pip-version-check")
        run(f"installing {requirement} from PyPI", *pip, "install", "--quiet", "--retries", "1", "--timeout", "15", requirement)
    except RuntimeError as error:
        failed.write_text(str(error))
        raise
    ready.write_text(requirement)
    return interpreter


def main(cache, requirement):
    if sys.version_info < (3, 10):
        raise RuntimeError(f"Synapse needs Python 3.10 or newer, and this is {sys.version.split()[0]}")
    folder = pathlib.Path(cache)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "synapse.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        print(install(folder / "synapse", requirement))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (RuntimeError, OSError) as error:
        sys.exit(str(error))
