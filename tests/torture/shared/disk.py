"""A disk that fails for one program, by the library of disk.c, which cc builds in a scratch folder."""

import os
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Disk:
    def __init__(self, under=None):
        self.folder = tempfile.TemporaryDirectory(prefix="watchpost-disk-")
        folder = Path(self.folder.name)
        self.fault = folder / "fault"
        library = folder / "disk.so"
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", library, HERE / "disk.c", "-ldl"], check=True)
        self.env = {"LD_PRELOAD": str(library), "DISK_FAULT": str(self.fault)}
        if under:
            self.env["DISK_FAULT_UNDER"] = str(under)

    def fails(self, fault):
        """How the disk fails from now on: `fsync`, `full` or `write`, or not at all."""
        part = self.fault.with_suffix(".new")
        part.write_text(fault or "no", encoding="ascii")
        part.replace(self.fault)
