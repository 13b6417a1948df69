"""A disk of its own for a fault: in memory, or an ext4 in a file. Root only."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

TRIES = 100


def run(*words: str | Path) -> str:
    """Run a command; raises CalledProcessError."""
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@contextmanager
def in_memory(size: str) -> Iterator[Path]:
    """Mount a tmpfs of a size such as `16m`."""
    with TemporaryDirectory() as folder:
        run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
        try:
            yield Path(folder)
        finally:
            run("umount", "-l", folder)


@dataclass(frozen=True, slots=True)
class Ext4:
    """A file with an ext4 in it, as a block device."""

    device: str
    folder: Path

    def mount(self) -> None:
        """Mount it; an error turns it read-only."""
        run("mount", "-o", "errors=remount-ro", self.device, self.folder)

    def unmount(self) -> None:
        """Unmount it; a process that was killed may hold it a moment longer."""
        for _ in range(TRIES):
            done = subprocess.run(["umount", self.folder], capture_output=True, check=False)
            if done.returncode == 0:
                return
            time.sleep(0.02)
        run("umount", self.folder)

    def break_(self) -> None:
        """Let the file system find an error."""
        name = self.device.rpartition("/")[2]
        Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("provoked")

    def repair(self) -> None:
        """Do what an administrator does."""
        self.unmount()
        subprocess.run(["e2fsck", "-fy", self.device], capture_output=True, check=False)
        self.mount()

    def clear(self) -> None:
        """Delete every file, on the disk too."""
        for file in self.folder.glob("genbridge*"):
            file.unlink()
        os.sync()


@contextmanager
def ext4(size: str = "64M") -> Iterator[Ext4]:
    """Mount an ext4 of its own; raises CalledProcessError where there are no loop devices."""
    with TemporaryDirectory() as work:
        image, folder = Path(work, "image"), Path(work, "disk")
        folder.mkdir()
        run("truncate", "-s", size, image)
        run("mkfs.ext4", "-q", image)
        device = run("losetup", "--find", "--show", image)
        try:
            disk = Ext4(device, folder)
            disk.mount()
            try:
                yield disk
            finally:
                subprocess.run(["umount", "-l", folder], capture_output=True, check=False)
        finally:
            run("losetup", "-d", device)


def no_memory_disk() -> str | None:
    """Return why no disk in memory can be mounted here, None: it can."""
    return _obstacle(("mount",), lambda: in_memory("1m"))


def no_ext4() -> str | None:
    """Return why no ext4 of its own can be mounted here, None: it can."""
    return _obstacle(("mount", "losetup", "mkfs.ext4", "e2fsck"), lambda: ext4("8M"))


def no_strace() -> str | None:
    """Return why no process can be traced here, None: it can."""

    def traced() -> AbstractContextManager[object]:
        return nullcontext(run("strace", "-qq", "-e", "trace=none", "true"))

    return _obstacle(("strace",), traced)


def _obstacle(
    programs: Sequence[str], trial: Callable[[], AbstractContextManager[object]]
) -> str | None:
    absent = [name for name in programs if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    try:
        with trial():
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        return f"not allowed here: {error}"
