"""Where the server's processor time goes, by `perf` and the functions that hold the parts of ingestion."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from frostpane import Frostpane

#: Parts by the function that holds them, callees included. Indented ones are contained in the part above.
PARTS = {
    "a request, HTTP apart": "collect::collector::Collector::handle",
    "– unpack and parse": "collect::decode::decode",
    "– read identity, time and id": "collect::raw_event::read",
    "– firewall": "collect::firewall::Firewall::clean",
    "– – policy of known properties": "collect::policy::reductions::reduce",
    "– – detectors": "collect::firewall::detectors::Detectors::find",
    "– split": "collect::batch::Batch::push_event",
    "– ask the vault": "vault_client::client::Client::resolve",
    "– encode, tally, wait for the log": "store::store::Store::append",
    "write the log and apply": "store::log::commit::commit",
    "columns of fresh rows": "store::rows::build::batches",
    "flush": "store::maintain::flush::flush",
    "compaction": "store::maintain::compact::step",
}
#: Samples a second, and the stack that is kept of each: the binary has no frame pointers.
FREQUENCY, STACK = 199, "dwarf,16384"


class Profiler:
    """Records while it is entered; does nothing without a name."""

    def __init__(self, server: Frostpane, name: str):
        self.server, self.name = server, name
        self.file = Path(tempfile.mkdtemp(prefix="frostpane-perf-")) / "perf.data"
        self.recording: subprocess.Popen | None = None

    def __enter__(self):
        if self.name:
            if not shutil.which("perf"):
                sys.exit("--profile needs perf (Debian: linux-perf)")
            command = ["perf", "record", "--quiet", "-F", str(FREQUENCY), "--call-graph", STACK]
            command += ["-o", self.file, "-p", str(self.server.process.pid)]
            self.recording = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(1)
        return self

    def __exit__(self, *_):
        if self.recording:
            self.recording.terminate()
            self.recording.wait()

    def table(self) -> list[str]:
        """The parts' shares of the server's samples, as Markdown."""
        if not self.recording:
            return []
        command = ["perf", "report", "-i", self.file, "--children", "--no-inline", "-g", "none", "--sort", "symbol"]
        report = subprocess.run(command, capture_output=True, text=True).stdout
        shutil.rmtree(self.file.parent)
        lines = ["", f"| `/{self.name}`: where the server's time goes | share |", "|---|---|"]
        for part, function in PARTS.items():
            line = re.search(rf"^ *([0-9.]+)% .*\b{re.escape(function)}\s", report, re.MULTILINE)
            lines.append(f"| {part} | {line[1] if line else '0'} % |")
        return lines
